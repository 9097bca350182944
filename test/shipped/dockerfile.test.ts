import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ignoredBy, stagesOf } from './dockerfile.ts';

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
  assert.throws(() => stagesOf('FROM a\nADD x y\n'), /not understood: ADD x y/);
});

test('.dockerignore leaves what the image is built from', () => {
  const ignored = ignoredBy(read('.dockerignore'));
  for (const file of ['test/a.ts', 'bench/a.ts', '.env', 'node_modules/x/y.js']) assert.ok(ignored(file), file);
  for (const file of ['src/cli/main.ts', 'package-lock.json', 'schemas/state.avsc', 'scripts/build.js']) {
    assert.ok(!ignored(file), file);
  }
});

test('what is configured in .env reaches the containers of docker compose', () => {
  const compose = read('docker-compose.yml');
  // The parts of compose have addresses and a metrics port of their own; the stand-in has its own variables; files are not mounted.
  const own = new Set([
    'ENRICHMENT_METRICS_PORT',
    'ENRICHMENT_STAND_IN_COUNTRY',
    'ENRICHMENT_STAND_IN_DELAY',
    'ENRICHMENT_OLDER_WORKFLOWS',
  ]);
  const variables = [...read('.env.example').matchAll(/^#(ENRICHMENT_[A-Z_]+|SCHEMA_REGISTRY_URL)=/gm)]
    .map(([, name]) => name!)
    .filter((name) => !own.has(name));
  assert.ok(variables.length > 15);
  for (const name of variables) assert.match(compose, new RegExp(`^    ${name}:`, 'm'), name);
});
