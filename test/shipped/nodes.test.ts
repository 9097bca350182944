/** Image, docs, package and workflow agree on the versions of Node. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { nodeVersion } from '../../src/tools/doctor/program.ts';
import { BASELINE, IMAGE, NODE_PHRASE, OLDEST, TESTED } from './nodes.ts';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

test('every stage of the image is of one Node, the newest that is tested', () => {
  const file = read('Dockerfile');
  const bases = [...file.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base!);
  assert.deepEqual([...new Set(bases)], ['${NODE_IMAGE}']);
  assert.match(file, new RegExp(`^ARG NODE_IMAGE=node:${IMAGE}-`, 'm'));
  assert.equal(TESTED.at(-1), IMAGE);
});

test('the package takes the oldest one, and doctor too', () => {
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  assert.equal(engines.node, `>=${OLDEST}`);
  assert.equal(nodeVersion(`${OLDEST}.0`).level, 'ok');
  assert.ok(TESTED.includes(Number.parseInt(OLDEST, 10)) && TESTED.includes(BASELINE));
});

test('the pages say so, and none says something else', () => {
  for (const page of ['README.md', 'docs/start.md', 'docs/library.md']) {
    assert.ok(read(page).includes(NODE_PHRASE), page);
  }
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'DESIGN.md',
    ...readdirSync(new URL('../../docs', import.meta.url))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];
  for (const page of pages) {
    const rest = read(page).replaceAll(NODE_PHRASE, '');
    assert.doesNotMatch(rest, /\bNode(\.js)? \d+(\.\d+)? (or newer|works|is tested)/, page);
  }
});

test('the workflow that publishes builds on the baseline, and takes no version that is not tested', () => {
  const versions = [...read('.github/workflows/publish.yml').matchAll(/node-version: (\d+)/g)].map(([, v]) =>
    Number(v),
  );
  assert.equal(versions[0], BASELINE);
  for (const version of versions) assert.ok(TESTED.includes(version), String(version));
});
