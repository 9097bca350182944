import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripleHistory } from '../../../src/tools/bootstrap/partition-states.ts';
import type { Fetched } from '../../../src/engine/ordering/merge-queue.ts';
import { decodedOf } from '../../../src/money/codec/decode.ts';
import type { Applicable, Event } from '../../../src/money/domain/events.ts';

const HOUR = 3_600_000;
const T = Date.UTC(2025, 0, 1);
const rules = { sessionTtl: 86_400_000, dedupTtl: 60_000, pendingTimeout: HOUR, lookupGiveUpAfter: 600_000 };
const record = (offset: number, ts: number, event: Event): Fetched<Applicable['event']> => ({
  offset,
  timestamp: ts,
  bytes: 100,
  decoded: decodedOf({ ok: true, userId: `u${offset % 3}`, ts, event }),
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
