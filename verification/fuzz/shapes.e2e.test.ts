/** Hostile records and hostile loads on a real broker and a real Temporal server: exact outputs, exact dead letters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { Random } from '../../src/engine/random.ts';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { sized } from '../../test/support/size.ts';
import { startSystem, type ProducedRecord } from '../../test/support/system.ts';
import { hostileRecord } from './records.ts';

const START = Date.now() - 86_400_000;
const HOSTILE = sized(1_000, 2_000);
const byTime = (records: readonly ProducedRecord[]) => [...records].sort((a, b) => a.timestamp - b.timestamp);

test(
  `${HOSTILE} hostile records among as many good ones on a real broker: every dead letter once with its reason, every output as the model says`,
  { timeout: 600_000 },
  async (t) => {
    // A topic of its settings takes one batch of twice that: above what the producer of the tests writes at once.
    const limits = { maxRecordBytes: 400_000, maxFutureSkew: 2_000 };
    // One partition: a user whose keys are quoted and bare would be in two.
    const system = await startSystem(t, {
      partitions: 1,
      shards: 2,
      env: { ENRICHMENT_MAX_RECORD_BYTES: String(limits.maxRecordBytes), ENRICHMENT_MAX_FUTURE_SKEW: '2s' },
    });
    const span = HOSTILE * 150;
    const good = [
      ...generateTraffic(
        trafficOptions({
          users: 40,
          events: HOSTILE,
          seed: 31,
          start: START,
          span,
          disorder: 15_000,
          duplicates: 0.1,
          late: 0.05,
          old: 0.05,
          pending: 0.05,
        }),
      ),
    ];
    const users = [...new Set(good.map(({ key }) => key!.replaceAll('"', '')))];
    const random = new Random(32);
    const hostile = Array.from({ length: HOSTILE }, () => {
      const record = hostileRecord(random, {
        users,
        now: START + random.below(span),
        anyTimestamp: false,
        ...limits,
        maxRecordBytes: 3_000,
      });
      // What would hold kafkajs itself up for a quarter of a minute.
      const headers = random.chance(0.005)
        ? Object.fromEntries(Array.from({ length: 8_000 }, (_, n) => [`h${n}`, '']))
        : { ['__proto__']: 'x', constructor: 'y', reason: 'future', 'source-offset': '7' };
      const value = random.chance(0.002) ? Buffer.alloc(limits.maxRecordBytes + random.below(2), ' ') : record.value;
      return { ...record, value, headers };
    });
    await system.produce(byTime([...good, ...hostile]));
    await Promise.all([system.start('worker'), system.start('bridge')]);
    const expected = await system.expected(limits);
    assert.equal(new Set(expected.deadLetters.map(({ reason }) => reason)).size, 6);
    await system.matches(expected, 400_000);
    t.diagnostic(`${expected.deadLetters.length} dead letters, ${expected.outputs.length} outputs`);
  },
);

test(
  'one user with hundreds of times the events of the others: all come out, exactly',
  { timeout: 600_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 2 });
    const common = { start: START, span: sized(75_000, 240_000), disorder: 15_000, duplicates: 0.05 };
    const [busy, calm] = [
      generateTraffic(trafficOptions({ ...common, users: 1, events: sized(3_000, 10_000), seed: 33 })),
      generateTraffic(trafficOptions({ ...common, users: 20, events: 200, seed: 34 })),
    ];
    await system.produce(byTime([...busy, ...calm]));
    const started = Date.now();
    await Promise.all([system.start('worker'), system.start('bridge')]);
    const expected = await system.expected();
    await system.matches(expected, 400_000);
    t.diagnostic(`${expected.outputs.length} outputs in ${Date.now() - started} ms`);
  },
);

const USERS = sized(1_000, 5_000);

test(`${USERS} users at once`, { timeout: 900_000 }, async (t) => {
  const system = await startSystem(t, { partitions: 4 });
  await system.produce(
    generateTraffic(
      trafficOptions({
        users: USERS,
        events: 2 * USERS,
        seed: 35,
        start: START,
        span: 20_000,
        disorder: 5_000,
        duplicates: 0.05,
      }),
    ),
  );
  const started = Date.now();
  await Promise.all([system.start('worker'), system.start('bridge')]);
  const expected = await system.expected();
  t.diagnostic(`${new Set(expected.outputs.map(({ userId }) => userId)).size} users with outputs`);
  await system.matches(expected, 800_000);
  t.diagnostic(`${expected.outputs.length} outputs in ${Date.now() - started} ms`);
});
