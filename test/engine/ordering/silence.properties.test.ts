/**
 * Laws of a partition triple whose inputs fall silent, one by one or together, while late records come: the same applications, late
 * or on time, as the independent model has that knows when each record arrived.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { fetched, unusable } from '../bridge/given.ts';
import { Driver, type Logged, type Logs } from '../bridge/triple-driver.ts';
import { expectedOf } from './expected.ts';

/** Three inputs, as the application has. */
const INPUT_INDEXES = [0, 1, 2] as const;
const BASE = 1_000_000;
const BEHIND = 2_000;
/** Bursts are whole steps apart, and read half a second later at most: that much doubt about a silence decides nothing. */
const STEP = 2_000;
const IDLE = 5_000;
const POLL = 100;

const record = fc.record({
  input: fc.constantFrom(...INPUT_INDEXES),
  userId: fc.constantFrom('u', 'v'),
  /** Event time before the burst, and Kafka timestamp before it, ms. */
  old: fc.oneof(fc.nat(1_500), fc.nat(12_000)),
  onItsWay: fc.nat(900),
  kind: fc.constantFrom('event' as const, 'event' as const, 'event' as const, 'time' as const, 'unusable' as const),
});
const burst = fc.record({
  /** Steps since the burst before. */
  gap: fc.constantFrom(1, 1, 2, 3, 4, 8),
  records: fc.array(record, { minLength: 1, maxLength: 4 }),
});
type Burst = typeof burst extends fc.Arbitrary<infer T> ? T : never;

function logsOf(bursts: readonly Burst[]): Logs {
  const logs: [Logged[], Logged[], Logged[]] = [[], [], []];
  let visibleAt = BASE;
  for (const { gap, records } of bursts) {
    visibleAt += gap * STEP;
    for (const { input, userId, old, onItsWay, kind } of records) {
      const log = logs[input];
      const timestamp = visibleAt - onItsWay;
      const read =
        kind === 'unusable'
          ? unusable(log.length, timestamp)
          : fetched(input, log.length, { ts: visibleAt - old, timestamp, userId, time: kind === 'time' });
      log.push({ ...read, visibleAt });
    }
  }
  return logs;
}

/** Fetched all the while. `busy`: read once a step only, when a silence and what came after it are there together. */
function readLive(logs: Logs, busy: boolean): Driver {
  const driver = new Driver(logs, { outOfOrderness: BEHIND, idleTimeout: IDLE });
  const last = Math.max(BASE, ...logs.flat().map(({ visibleAt }) => visibleAt));
  for (driver.now = BASE; driver.now <= last + STEP; driver.now += POLL) {
    driver.fetchAll();
    driver.sawEnds();
    if (!busy || (driver.now - BASE) % STEP === 400) driver.read();
    driver.take();
    driver.deliver(0, true);
  }
  driver.finish();
  return driver;
}

const bursts = fc.array(burst, { maxLength: 25, size: 'max' });

test('silent inputs leave the minimum and come back: what is late, by which time, and the order are those of the model', () => {
  fc.assert(
    fc.property(bursts, fc.boolean(), (given, busy) => {
      const logs = logsOf(given);
      assert.deepEqual(readLive(logs, busy).applications, expectedOf(logs, BEHIND, { since: BASE, idleTimeout: IDLE }));
    }),
    { numRuns: 400 },
  );
});

test('in such logs inputs are silent and records late: the law above is no empty one', () => {
  const seen = { late: 0, otherwiseInHistory: 0 };
  for (const given of fc.sample(bursts, { numRuns: 100, seed: 7 })) {
    const logs = logsOf(given);
    const live = expectedOf(logs, BEHIND, { since: BASE, idleTimeout: IDLE });
    if (
      Object.values(live)
        .flat()
        .some((line) => !line.endsWith('on time'))
    ) {
      seen.late += 1;
    }
    if (JSON.stringify(live) !== JSON.stringify(expectedOf(logs, BEHIND))) seen.otherwiseInHistory += 1;
  }
  assert.ok(seen.late > 50 && seen.otherwiseInHistory > 50, JSON.stringify(seen));
});
