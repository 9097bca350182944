import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BROKEN_BUILDS } from './builds.ts';
import { runBrokenBuild } from './run.ts';

/** Each is caught within some 30; a healthy build passes thousands. */
const SEEDS = 300;

for (const build of BROKEN_BUILDS) {
  test(`caught: ${build.name} (${build.breaks})`, async () => {
    const { caught, output } = await runBrokenBuild(build, SEEDS);
    assert.ok(caught, `nothing noticed that ${build.breaks}:\n${output.slice(-3_000)}`);
  });
}
