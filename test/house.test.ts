/** The picture of the house in README.md is what the imports are. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const APPLICATION = new Set(['src/money', 'workflows', 'activities']);

/** Of a file, by its path from the root. */
function partOf(file: string): string {
  const [top, folder] = file.split('/');
  const name = top === 'src' ? `src/${folder}` : top!;
  return APPLICATION.has(name) ? 'application' : name.replace('src/', '');
}

const FOLDERS = ['src', 'workflows', 'activities'];
const STATIC = /from '(\.[^']+)'/g;
const ANY = /(?:from|import\() ?'(\.[^']+)'/g;

/** By file, what it imports of ours. */
function importsOf(folders: readonly string[], pattern: RegExp): Map<string, string[]> {
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  );
  return new Map(
    files.map((file) => [
      file,
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(pattern)].map(([, from]) =>
        relative(ROOT, resolve(ROOT, dirname(file), from!)),
      ),
    ]),
  );
}

/** Between what `placeOf` says of each file. */
function arrowsOf(folders: readonly string[], placeOf: (file: string) => string): string[] {
  const arrows = new Set<string>();
  for (const [file, targets] of importsOf(folders, ANY)) {
    for (const target of targets) {
      if (placeOf(file) !== placeOf(target)) arrows.add(`${placeOf(file)} --> ${placeOf(target)}`);
    }
  }
  return [...arrows].sort();
}

test('the picture in README.md has every import between the parts, and no other', () => {
  const [, picture] = /```mermaid\n([^]*?)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))!;
  const drawn = picture!
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes('-->'));
  assert.ok(drawn.length > 0);
  assert.deepEqual(arrowsOf(FOLDERS, partOf), drawn.sort());
});

function assertNoCircle(arrows: readonly string[]): void {
  const next = new Map<string, string[]>();
  for (const arrow of arrows) {
    const [from, to] = arrow.split(' --> ') as [string, string];
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  const visit = (part: string, way: readonly string[]): void => {
    assert.ok(!way.includes(part), [...way, part].join(' --> '));
    for (const one of next.get(part) ?? []) visit(one, [...way, part]);
  };
  for (const part of next.keys()) visit(part, []);
}

test('no arrow of the picture goes round in a circle', () => {
  assertNoCircle(arrowsOf(FOLDERS, partOf));
});

/** `src/engine/bridge`; a file beside the folders is none of them. */
function engineFolderOf(file: string): string {
  return file.split('/').length > 3 ? file.split('/')[2]! : file;
}

test('no folder of the engine imports itself by way of others', () => {
  const arrows = arrowsOf(['src/engine'], engineFolderOf);
  assert.ok(arrows.includes('bridge --> ordering'));
  assertNoCircle(arrows);
});

/** What is loaded only when it is asked for (a command, a heavy library) comes later, and closes no circle. */
test('no file imports itself by way of others', () => {
  const imports = importsOf(FOLDERS, STATIC);
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    assert.ok(!way.includes(file), [...way.slice(way.indexOf(file)), file].join(' --> '));
    if (done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
});
