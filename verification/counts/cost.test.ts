/** The command `cost` says what counted runs cost, workflows and all, within a tenth. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { costOf } from '../../src/tools/cost/cost.ts';
import { count, type Case } from './counted-run.ts';

const CASES: Readonly<Record<string, Case & { readonly settled: number }>> = {
  'an event in ten seconds of each user': { users: 500, events: 8_000, rate: 50, settled: 100_000, flushDelay: 2_000 },
  'an event a second': { users: 500, events: 25_000, rate: 500, settled: 30_000, flushDelay: 2_000 },
  'an event a second, without a flush delay': { users: 500, events: 25_000, rate: 500, settled: 30_000, flushDelay: 0 },
  'ten events a second of few users': { users: 20, events: 12_000, rate: 200, settled: 30_000, flushDelay: 2_000 },
};

function assertNear(what: string, said: number, counted: number): void {
  assert.ok(Math.abs(said / counted - 1) <= 0.1, `${what}: ${said.toFixed(0)} said, ${counted.toFixed(0)} counted`);
}

describe('cost', () => {
  for (const [name, given] of Object.entries(CASES)) {
    it(`of ${name}`, async () => {
      const counters = await count(given);
      const seconds = given.events / given.rate - given.settled / 1_000;
      const eventsPerSecond = counters.of('events signalled') / seconds;
      const cost = await costOf({ ...given, eventsPerSecond, outOfOrderness: 20_000 });
      assertNear('touches', cost.touches, counters.of('touches') / seconds);
      assertNear('actions', cost.actions, counters.actions / seconds);
      assertNear('bytes of history', cost.historyBytes, counters.of('history bytes') / seconds);
    });
  }

  it('grows with the load, and has no trouble with the least and the largest', async () => {
    const least = await costOf({ users: 1, eventsPerSecond: 0.001, flushDelay: 2_000, outOfOrderness: 20_000 });
    assert.ok(least.touches > 0 && least.touches <= 0.001);
    const largest = await costOf({ users: 100_000_000, eventsPerSecond: 1_000_000, flushDelay: 0, outOfOrderness: 0 });
    assert.ok(largest.touches > 500_000 && largest.touches <= 1_000_000);
  });
});
