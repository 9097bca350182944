import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BROKEN_BUILDS } from './builds.ts';
import { Workbench } from './run.ts';

/** Each is caught within some 30; a healthy build passes thousands. */
const SEEDS = 300;
const AT_A_TIME = 2;

describe('broken builds', { concurrency: AT_A_TIME }, () => {
  const free: Workbench[] = [];
  before(async () => {
    for (let n = 0; n < AT_A_TIME; n += 1) free.push(await Workbench.open());
  });
  after(() => Promise.all(free.map((bench) => bench.close())));

  for (const build of BROKEN_BUILDS) {
    it(`caught: ${build.name} (${build.breaks})`, async () => {
      const bench = free.pop();
      assert.ok(bench !== undefined, 'no more run at a time than there are workbenches');
      try {
        const { caught, output } = await bench.run(build, { seeds: SEEDS, jobs: 1 });
        assert.ok(caught, `nothing noticed that ${build.breaks}:\n${output.slice(-3_000)}`);
      } finally {
        free.push(bench);
      }
    });
  }
});
