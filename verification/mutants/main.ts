/**
 * `npm run mutants -- rules|shell|publisher [--seeds N] [--quick] [--concurrency N] [FILE ...]`: mutation testing. Each change of a line
 * that no test notices is printed; at least 90 % have to be noticed, and the others listed in survivors.md with a word why. It needs
 * `npm ci --prefix verification/mutants` once. Some ten minutes to an hour of two cores for a part. FILE may be `FILE:1-20`, the mutants
 * of these lines. `--seeds 0` leaves the simulation out and `--quick` the tests that take longer, which is most of the time: what lives
 * then is tried with them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { PARTS } from './parts.ts';
import { ROOT } from './unit-tests.ts';

interface Mutant {
  readonly status: 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'CompileError' | 'RuntimeError' | 'Ignored';
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement: string;
  /** Of a killed one: what was printed. */
  readonly statusReason?: string;
  readonly location: { readonly start: Place; readonly end: Place };
}
interface Place {
  readonly line: number;
  readonly column: number;
}
interface StrykerModule {
  readonly Stryker: new (options: object) => { runMutationTest(): Promise<readonly Mutant[]> };
}

const LEAST = 90;
const { values, positionals } = parseArgs({
  options: {
    seeds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    /** How many mutants at once; all cores if none is said. */
    concurrency: { type: 'string' },
  },
  allowPositionals: true,
});
const [name = '', ...files] = positionals;
const part = PARTS[name];
const seeds = Number(values.seeds ?? part?.seeds);
const library = join(ROOT, 'verification/mutants/node_modules/@stryker-mutator/core/dist/src/index.js');
if (part === undefined || !existsSync(library)) {
  console.error(
    part === undefined
      ? `expected one of ${Object.keys(PARTS).join(', ')}, and files of it or none`
      : 'Stryker is not installed: run "npm ci --prefix verification/mutants" first',
  );
  process.exit(2);
}

const { Stryker } = (await import(pathToFileURL(library).href)) as StrykerModule;
process.chdir(ROOT);
const mutants = await new Stryker({
  mutate: files.length > 0 ? files : part.mutate,
  testRunner: 'command',
  buildCommand: `node --import tsx verification/mutants/build.ts ${name} ${seeds} ${values.quick ? 'quick' : 'all'}`,
  commandRunner: { command: 'node .cache/mutants/stages.mjs' },
  concurrency: Number(values.concurrency ?? availableParallelism()),
  reporters: ['progress-append-only'],
  tempDirName: '.stryker-tmp',
  // Other packages of this checkout, and what was built of it.
  ignorePatterns: ['site', 'dist', '.cache', 'verification/mutants/node_modules'],
  // For what the stages do not end by themselves.
  timeoutMS: 60_000,
  dryRunTimeoutMinutes: 20,
}).runMutationTest();

const judged = mutants.filter(({ status }) => status !== 'Ignored' && !status.endsWith('Error'));
const alive = judged.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
const listed = readFileSync(join(ROOT, 'verification/mutants/survivors.md'), 'utf8');
let unlisted = 0;
for (const mutant of alive) {
  const row = rowOf(mutant);
  if (listed.includes(row)) continue;
  unlisted += 1;
  console.log(`${row}  | (line ${mutant.location.start.line}) |`);
}
for (const file of new Set(judged.map(({ fileName }) => fileName))) {
  const of = (list: readonly Mutant[]): number => list.filter(({ fileName }) => fileName === file).length;
  console.log(`${file.slice(file.indexOf('src/'))}: ${of(judged)} mutants, ${of(alive)} survivors`);
}
const ends = new Map<string, number>();
for (const { status, statusReason = '' } of judged) {
  if (status !== 'Killed') continue;
  const [end] = /stage \d+ (fails|hangs)/.exec(statusReason) ?? [];
  if (end === undefined) throw new Error(`the stages end by themselves: ${statusReason}`);
  ends.set(end, (ends.get(end) ?? 0) + 1);
}
console.log(
  [...ends]
    .sort()
    .map(([end, times]) => `${end}: ${times}`)
    .join(', '),
);
const score = (100 * (judged.length - alive.length)) / judged.length;
console.log(
  `${name}: ${judged.length} mutants, ${score.toFixed(1)} % noticed, ${alive.length} survivors, ${unlisted} of them not in survivors.md`,
);
process.exit(score >= LEAST && unlisted === 0 ? 0 : 1);

/** The beginning of its row in survivors.md: file, what stands there, and what nobody noticed in its place. */
function rowOf({ fileName, replacement, location: { start, end } }: Mutant): string {
  const file = fileName.slice(fileName.indexOf('src/'));
  const lines = readFileSync(join(ROOT, file), 'utf8')
    .split('\n')
    .slice(start.line - 1, end.line);
  const last = lines.length - 1;
  const text = lines.map((line, n) =>
    line.slice(n === 0 ? start.column - 1 : 0, n === last ? end.column - 1 : undefined),
  );
  return `| \`${file}\` | ${asCode(text.join(' '))} | ${asCode(replacement)}`;
}

function asCode(text: string): string {
  const line = text.replace(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('`', "'");
  return `\`${line.length > 100 ? `${line.slice(0, 99)}…` : line}\``;
}
