/** Slow neighbours: what a session service that hangs, or takes its time, may do to lookups and to publishing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { underLoad, type LookupReport } from '../../support/lookup-world.ts';

const HANGS = () => ({ after: 1_000, answers: false });
/** ms: what a lookup may end after its give-up time. */
const LATE = 5_000;

function kept({ ends, open }: LookupReport, count: number): void {
  assert.deepEqual([open, ends.length], [0, count]);
  assert.ok(ends.every(({ status }) => status === 'given-up'));
  const [earliest, latest] = ends.reduce(
    ([a, b], { afterGiveUp }) => [Math.min(a, afterGiveUp), Math.max(b, afterGiveUp)],
    [Infinity, -Infinity],
  );
  assert.ok(earliest >= 0 && latest <= LATE, `lookups ended ${earliest} to ${latest} ms after their give-up time`);
}

test('120 users for each request that may be under way wait for a session service that hangs: every lookup ends at its give-up time, and no publish waits', async () => {
  const report = await underLoad({
    shards: 4,
    usersPerShard: 240,
    sessionsPerUser: 1,
    maxLookups: 8,
    service: HANGS,
    until: 640_000,
  });
  kept(report, 960);
  assert.deepEqual(
    report.publishes.filter(({ waited }) => waited > 0),
    [],
  );
  // A silent service is asked by each of the eight every 6 s, its time-out included.
  assert.ok(report.requests > 8 * 100 && report.requests < 8 * 200, `${report.requests} requests`);
  assert.equal(report.calls, 960, 'a give-up costs no call more');
});

test('users with 20 lookups each, a session service that hangs: every lookup ends at its give-up time', async () => {
  kept(
    await underLoad({
      shards: 4,
      usersPerShard: 10,
      sessionsPerUser: 20,
      maxLookups: 8,
      service: HANGS,
      until: 640_000,
    }),
    800,
  );
});

test('a session service that answers all rightly after 0.9 s: lookups go on at the rate of the requests that may be under way', async () => {
  const { ends, open, requests } = await underLoad({
    shards: 4,
    usersPerShard: 100,
    sessionsPerUser: 20,
    service: () => ({ after: 900, answers: true }),
    until: 300_000,
  });
  assert.deepEqual([open, requests, ends.filter(({ status }) => status === 'found').length], [0, 8_000, 8_000]);
  const last = ends.at(-1)!.at;
  // 8,000 answers, 64 at a time in 0.9 s each.
  assert.ok(last <= 1.1 * (8_000 / 64) * 900 + 10_000, `the last answer came at ${last} ms`);
});

test('one user alone with 64 lookups has its answers after one answer time', async () => {
  const { ends } = await underLoad({
    shards: 1,
    usersPerShard: 1,
    sessionsPerUser: 64,
    service: () => ({ after: 900, answers: true }),
    until: 60_000,
  });
  assert.deepEqual([ends.length, Math.max(...ends.map(({ at }) => at))], [64, 900]);
});

test('a session service that recovers before the give-up time: every lookup is answered', async () => {
  const service = (now: number) => (now < 300_000 ? HANGS() : { after: 20, answers: true });
  const { ends } = await underLoad({
    shards: 4,
    usersPerShard: 100,
    sessionsPerUser: 1,
    maxLookups: 8,
    service,
    until: 640_000,
  });
  assert.equal(ends.filter(({ status }) => status === 'found').length, 400);
});

test('no worker was there until ten seconds after the give-up time: every session is asked for once all the same', async () => {
  const service = () => ({ after: 20, answers: true });
  const report = await underLoad({
    shards: 1,
    usersPerShard: 200,
    sessionsPerUser: 1,
    service,
    until: 640_000,
    workersAway: [0, 620_500],
  });
  assert.deepEqual([report.ends.filter(({ status }) => status === 'found').length, report.calls], [200, 400]);
});
