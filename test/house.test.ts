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

function arrowsOf(folders: readonly string[]): string[] {
  const arrows = new Set<string>();
  for (const folder of folders) {
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    )) {
      const file = join(folder, name);
      for (const [, from] of readFileSync(join(ROOT, file), 'utf8').matchAll(/(?:from|import\() ?'(\.[^']+)'/g)) {
        const target = relative(ROOT, resolve(ROOT, dirname(file), from!));
        if (partOf(file) !== partOf(target)) arrows.add(`${partOf(file)} --> ${partOf(target)}`);
      }
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
  assert.deepEqual(arrowsOf(['src', 'workflows', 'activities']), drawn.sort());
});

test('no arrow of the picture goes round in a circle', () => {
  const next = new Map<string, string[]>();
  for (const arrow of arrowsOf(['src', 'workflows', 'activities'])) {
    const [from, to] = arrow.split(' --> ') as [string, string];
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  const visit = (part: string, way: readonly string[]): void => {
    assert.ok(!way.includes(part), [...way, part].join(' --> '));
    for (const one of next.get(part) ?? []) visit(one, [...way, part]);
  };
  for (const part of next.keys()) visit(part, []);
});
