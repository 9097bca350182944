/**
 * Stored state in Avro against JSON, side by side in one run: bytes, and the time of the codec against that of the same
 * values in plain JSON. `node --import tsx --test bench/state-format.bench.ts`.
 */
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { initialState } from '../src/money/domain/state.ts';
import type { EventBatch, Money, Start } from '../src/money/domain/types.ts';
import { stateFormat } from '../src/engine/stored/format.ts';

const T0 = Date.UTC(2026, 0, 31, 10);
const RULES = { sessionTtl: 86_400_000, dedupTtl: 60_000, pendingTimeout: 3_600_000, lookupGiveUpAfter: 600_000 };

function money(n: number): Money {
  return {
    id: randomUUID(),
    userSessionId: randomUUID(),
    ts: T0 + n,
    amount: '10.25',
    currency: 'EUR',
    closingBalance: '1000.50',
    moneyType: 'deposit',
    isOldMoneyEvent: false,
  };
}

function batchOf(events: number): EventBatch {
  return {
    partition: 1,
    lowWater: [1, 2, 3],
    rules: RULES,
    records: Array.from({ length: events }, (_, n) => ({
      offset: 1_000 + n,
      ts: T0 + n,
      event: { type: 'money', money: money(n) },
    })),
  };
}

function startWith(dedupEntries: number): Start {
  const user = {
    ...initialState(),
    tau: T0,
    dedup: Object.fromEntries(Array.from({ length: dedupEntries }, (_, n) => [randomUUID(), T0 + n])),
  };
  return {
    userId: randomUUID(),
    life: {
      incarnation: { startedAt: T0, runId: randomUUID() },
      rules: RULES,
      partition: 1,
      published: { applied: 5, resolved: 1 },
      unpublished: [],
      user,
    },
  };
}

/** µs a call, the least of five rounds. */
function timed(call: () => unknown): number {
  const rounds = Array.from({ length: 5 }, () => {
    const until = process.hrtime.bigint() + 100_000_000n;
    const began = process.hrtime.bigint();
    let calls = 0;
    do {
      call();
      calls += 1;
    } while (process.hrtime.bigint() < until);
    return Number(process.hrtime.bigint() - began) / calls / 1_000;
  });
  return Math.min(...rounds);
}

test('Avro and JSON', (t) => {
  const format = stateFormat();
  const values: readonly (readonly [string, string, object])[] = [
    ['signal of 1 event', 'EventBatch', batchOf(1)],
    ['signal of 20', 'EventBatch', batchOf(20)],
    ['signal of 500', 'EventBatch', batchOf(500)],
    ['state, 50 ids', 'Start', startWith(50)],
    ['state, 2,000 ids', 'Start', startWith(2_000)],
    ['state, 60,000 ids', 'Start', startWith(60_000)],
  ];
  for (const [name, root, value] of values) {
    const json = JSON.stringify(value);
    const avro = format.encode(root, value);
    const plain = { write: timed(() => JSON.stringify(value)), read: timed(() => JSON.parse(json)) };
    // What the codec adds to them: it is handed JSON, and hands on JSON.
    const codec = {
      write: timed(() => format.encode(root, JSON.parse(json))),
      read: timed(() => JSON.stringify(format.decode(avro).value)),
    };
    t.diagnostic(
      `${name}: ${json.length} -> ${avro.length} bytes (${(avro.length / json.length).toFixed(2)}), gzip ${gzipSync(json, { level: 1 }).length} -> ${gzipSync(avro, { level: 1 }).length}; ` +
        `write ${plain.write.toFixed(0)} + ${codec.write.toFixed(0)} µs, read ${plain.read.toFixed(0)} + ${codec.read.toFixed(0)} µs`,
    );
  }
});
