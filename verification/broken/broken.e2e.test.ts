import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sized } from '../../test/support/size.ts';
import { BROKEN_BUILDS } from './builds.ts';
import { Workbench } from './run.ts';

/** Those that are caught only after ten seconds and more: they run before a release. */
const LONG = [
  'signals-that-come-together-go-together',
  'publishing-locally-for-ever',
  'any-signal-is-a-batch',
  'lost-records-are-passed-in-silence',
  'state-of-any-size',
  'continue-as-new-drops-a-signal',
  'pending-money-of-any-number',
  'dead-letters-of-any-size',
  'a-reset-is-a-repetition',
  'answers-while-it-publishes',
  'strangers-fill-a-history',
  'deleted-tail-unnoticed',
  'a-new-start-in-silence',
  'deleted-records-are-waited-for',
  'logs-have-no-identity',
];
const CHOSEN = sized(
  BROKEN_BUILDS.filter(({ name }) => !LONG.includes(name)),
  BROKEN_BUILDS,
);

/** Each is caught within some 30; a healthy build passes thousands. */
const SEEDS = 300;
const AT_A_TIME = 2;

describe('broken builds', { concurrency: AT_A_TIME }, () => {
  const free: Workbench[] = [];
  before(async () => {
    for (let n = 0; n < AT_A_TIME; n += 1) free.push(await Workbench.open());
  });
  after(() => Promise.all(free.map((bench) => bench.close())));

  it('leaves out none that is not there', () => {
    assert.deepEqual(
      LONG.filter((name) => !BROKEN_BUILDS.some((build) => build.name === name)),
      [],
    );
  });

  for (const build of CHOSEN) {
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
