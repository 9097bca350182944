import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripleHistory } from '../../../src/tools/bootstrap/partition-states.ts';
import type { Fetched } from '../../../src/engine/ordering/merge-queue.ts';
import { decodedOf } from '../../../src/money/codec/decode.ts';
import type { Applicable, Event } from '../../../src/money/domain/events.ts';

const HOUR = 3_600_000;
const T = Date.UTC(2025, 0, 1);
const rules = { sessionTtl: 86_400_000, dedupTtl: 60_000, pendingTimeout: HOUR, lookupGiveUpAfter: 600_000 };
const record = (offset: number, ts: number, event: Event, userId = `u${offset % 3}`): Fetched<Applicable['event']> => ({
  offset,
  timestamp: ts,
  bytes: 100,
  decoded: decodedOf({ ok: true, userId, ts, event }),
});
const money = (offset: number, ts: number): Fetched<Applicable['event']> =>
  record(offset, ts, {
    type: 'money',
    money: {
      id: `m${offset}`,
      ts,
      amount: '1',
      currency: 'EUR',
      closingBalance: '1',
      moneyType: 'A',
      isOldMoneyEvent: false,
    },
  });
const history = (ends: readonly [number, number, number]) =>
  new TripleHistory({
    partition: 0,
    starts: [0, 0, 0],
    ends,
    rules,
    outOfOrderness: 20_000,
    idleTimeout: 5_000,
    now: T,
    publish: false,
  });

test('an input that begins much later than the others holds nothing back until then: what is held stays small', () => {
  const N = 2_000;
  const h = history([1, 1, N]);
  h.offer(0, [record(0, T + 1_900 * 60_000, { type: 'address', residentCountryCode: 'DE' })], 1);
  h.offer(1, [record(0, T + 1_950 * 60_000, { type: 'session', sessionId: 's', clientCountryCode: 'UY' })], 1);
  let most = 0;
  for (let at = 0; at < N; at += 100) {
    h.offer(
      2,
      Array.from({ length: 100 }, (_, n) => money(at + n, T + (at + n) * 60_000)),
      at + 100,
    );
    while (h.step(1_000) > 0);
    most = Math.max(most, h.triple.describe().held);
  }
  assert.ok(most <= 2, `held ${most}`);
  assert.equal(h.counts.money, N - 1, 'all but what the watermark has not passed');
});

test('an input with a gap of hours between two records is silent in it, and its next record is on time', () => {
  const h = history([0, 2, 600]);
  h.offer(
    1,
    [0, 1].map((n) => record(n, T + n * 5 * HOUR, { type: 'session', sessionId: `s${n}`, clientCountryCode: 'UY' })),
    2,
  );
  h.offer(
    2,
    Array.from({ length: 600 }, (_, n) => money(n, T + n * 60_000)),
    600,
  );
  while (h.step(50) > 0);
  assert.equal(h.counts.money, 599);
  assert.ok(h.finished);
  const late = [...h.snapshots()].reduce((sum, { life }) => sum + life.user.counters.late, 0);
  assert.equal(late, 0);
});

test('inputs without gaps hold each other back as they do in the bridge', () => {
  const h = history([0, 3, 3]);
  h.offer(
    1,
    [0, 1, 2].map((n) => record(n, T + n * 4_000, { type: 'session', sessionId: `s${n}`, clientCountryCode: 'UY' })),
    3,
  );
  h.offer(
    2,
    [0, 1, 2].map((n) => money(n, T + n * 4_000 + 1)),
    3,
  );
  while (h.step(50) > 0);
  assert.equal(h.triple.describe().held, 6);
});

test('when all inputs are silent the watermark passes what is held, and money that comes after the silence is late, as in the bridge', () => {
  const h = history([2, 2, 3]);
  const time = (offset: number, seconds: number) =>
    record(offset, T + seconds * 1_000, { type: 'address', residentCountryCode: 'DE' });
  h.offer(0, [time(0, 0), time(1, 8_000)], 2);
  h.offer(
    1,
    [0, 8_000].map((seconds, n) =>
      record(n, T + seconds * 1_000, { type: 'session', sessionId: `s${n}`, clientCountryCode: 'UY' }),
    ),
    2,
  );
  // After an hour of silence one that is ten seconds older than what was applied in it.
  h.offer(2, [money(0, T), { ...money(1, T - 10_000), timestamp: T + HOUR }, money(2, T + 8_000_000)], 3);
  while (h.step(50) > 0);
  const { life } = [...h.snapshots()].find(({ userId }) => userId === 'u1')!;
  assert.equal(life.user.counters.late, 1);
  assert.equal(life.user.tau, T + 1, 'the watermark has passed the largest by a millisecond');
});

test('what silence lets the watermark pass is applied before late money that comes then', () => {
  const h = new TripleHistory({
    partition: 0,
    starts: [0, 0, 0],
    ends: [2, 2, 3],
    rules,
    outOfOrderness: 20_000,
    idleTimeout: 5_000,
    now: T,
    publish: true,
  });
  const at = (seconds: number): number => T + seconds * 1_000;
  h.offer(
    0,
    [
      { ...record(0, at(100), { type: 'address', residentCountryCode: 'DE' }, 'u1'), timestamp: at(199) },
      record(1, at(1_000), { type: 'address', residentCountryCode: 'FR' }),
    ],
    2,
  );
  const sessions = [203, 1_000].map((seconds, n) =>
    record(n, at(seconds), { type: 'session', sessionId: `s${n}`, clientCountryCode: 'UY' }),
  );
  h.offer(1, sessions, 2);
  h.offer(2, [money(0, at(203)), { ...money(1, at(110)), timestamp: at(205) }, money(2, at(1_000))], 3);
  while (h.step(50) > 0);
  const { life } = [...h.snapshots()].find(({ userId }) => userId === 'u1')!;
  const late = life.unpublished.find(({ offset }) => offset === 1)!;
  assert.deepEqual(late.enriched.userInfo, { residentCountryCode: 'DE' });
});
