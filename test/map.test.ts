/** test/README.md says of each source file of weight what holds it. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Lines of a file that has weight. */
const WEIGHT = 100;

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const filesOf = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));

/** `src/engine/log.ts` has test/engine/log.test.ts, or log.int.test.ts, or log.properties.test.ts. */
function hasTest(file: string): boolean {
  const folder = join(ROOT, 'test', dirname(file).replace(/^src\//, ''));
  const name = basename(file, '.ts');
  return (
    existsSync(folder) && readdirSync(folder).some((one) => new RegExp(`^${name}\\.(\\w+\\.)?test\\.ts$`).test(one))
  );
}

interface Row {
  readonly files: readonly string[];
  readonly holders: readonly string[];
}

function rowsOf(map: string): Row[] {
  const rows: Row[] = [];
  const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text!);
  let folder = '';
  for (const [, first, names, holders] of map.matchAll(/^\| (`[^|]*`)? ?\| (`[^|]*) \| (`[^|]*) \|$/gm)) {
    folder = first === undefined ? folder : quoted(first)[0]!;
    rows.push({ files: quoted(names!).map((name) => `${folder}/${name}.ts`), holders: quoted(holders!) });
  }
  return rows;
}

const ROWS = rowsOf(read('test/README.md'));

/** All that it imports, and what that imports; for who runs the program, the program. */
function reachedFrom(start: string): Set<string> {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    if (file === 'test/cli/program.ts') visit('src/cli/main.ts');
    for (const [, from] of read(file).matchAll(/(?:from|import\() ?'(\.[^']+\.ts)'/g)) {
      visit(normalize(join(dirname(file), from!)));
    }
  };
  visit(start);
  return reached;
}

test('each source file of weight has a test of its own name, or a line in the map', () => {
  const told = new Set(ROWS.flatMap(({ files }) => files));
  const weighty = ['src', 'workflows', 'activities']
    .flatMap(filesOf)
    .filter((file) => read(file).split('\n').length > WEIGHT + 1 && !hasTest(file));
  assert.ok(weighty.length > 0);
  assert.deepEqual(
    weighty.filter((file) => !told.has(file)),
    [],
  );
});

test('the map names only files that are there and have no test of their own name, each once', () => {
  const files = ROWS.flatMap((row) => row.files);
  assert.equal(new Set(files).size, files.length);
  for (const file of files) {
    assert.ok(existsSync(join(ROOT, file)), `${file} is not there`);
    assert.ok(!hasTest(file), `${file} has a test of its own name`);
  }
});

test('what holds a file is there; a test in one process imports what it is to hold', () => {
  const wrong: string[] = [];
  for (const { files, holders } of ROWS) {
    if (holders.length === 0) wrong.push(`nothing holds ${files.join()}`);
    for (const holder of holders) {
      if (!existsSync(join(ROOT, holder))) wrong.push(`${holder} is not there`);
      if (!/(?<!\.e2e|\.int)\.test\.ts$/.test(holder)) continue;
      const reached = reachedFrom(holder);
      wrong.push(...files.filter((file) => !reached.has(file)).map((file) => `${holder} does not import ${file}`));
    }
  }
  assert.deepEqual(wrong, []);
});
