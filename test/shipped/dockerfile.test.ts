import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { entrypointOf, ignoredBy, stagesOf } from './dockerfile.ts';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

test('the Dockerfile is understood: what is built, and what is copied out of it', () => {
  assert.deepEqual(
    stagesOf(
      '# a comment\nFROM a AS build\nWORKDIR /app\nCOPY x.json y.json ./\nRUN one \\\n  two\n\nFROM b\nCOPY --from=build /app/dist dist\nUSER 1:1\n',
    ),
    [
      {
        name: 'build',
        steps: [
          { type: 'copy', sources: ['x.json', 'y.json'], target: './' },
          { type: 'run', command: 'one    two' },
        ],
      },
      { name: '1', steps: [{ type: 'copy', from: 'build', sources: ['/app/dist'], target: 'dist' }] },
    ],
  );
  assert.equal(stagesOf(read('Dockerfile')).length, 2);
  assert.deepEqual(entrypointOf(read('Dockerfile')), ['--enable-source-maps', 'bin/money-enrichment.js']);
  assert.throws(() => stagesOf('FROM a\nADD x y\n'), /not understood: ADD x y/);
});

test('.dockerignore leaves what the image is built from', () => {
  const ignored = ignoredBy(read('.dockerignore'));
  for (const file of ['test/a.ts', 'bench/a.ts', '.env', 'node_modules/x/y.js']) assert.ok(ignored(file), file);
  for (const file of ['src/cli/main.ts', 'package-lock.json', 'schemas/state.avsc', 'scripts/build.js']) {
    assert.ok(!ignored(file), file);
  }
});

test('both stages are of one Node that gets fixes, which can be pinned by digest; the image runs as nobody and says what it is', () => {
  const dockerfile = read('Dockerfile');
  const [, node] = /^ARG NODE_IMAGE=node:(\d+)-bookworm-slim$/m.exec(dockerfile)!;
  assert.ok(Number(node) >= 22);
  assert.deepEqual(
    [...dockerfile.matchAll(/^FROM (.*)$/gm)].map(([, from]) => from),
    ['${NODE_IMAGE} AS build', '${NODE_IMAGE}'],
  );
  assert.match(dockerfile, /^USER 10001:10001$/m);
  for (const label of ['title', 'description', 'licenses', 'version', 'revision']) {
    assert.match(dockerfile, new RegExp(`org\\.opencontainers\\.image\\.${label}="[^"]+"`), label);
  }
});
