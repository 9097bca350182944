import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplesOf } from '../../../src/tools/top/samples.ts';
import { snapshotOf, type KafkaSight } from '../../../src/tools/top/snapshot.ts';

const AT = Date.parse('2026-01-31T10:00:30Z');
const sight = (more: Partial<KafkaSight>): KafkaSight => ({
  at: AT,
  partitions: [
    { end: 100, lag: 5, watermark: AT - 30_000 },
    { end: 50, lag: 0, watermark: null },
  ],
  outputEnd: 60,
  deadLetterEnd: 3,
  users: [{ user: 'u', records: 4 }],
  withoutLeader: ['user-events-1'],
  ...more,
});

test('rates are of two looks; what the processes say is newer than what was committed', () => {
  const before = sight({
    at: AT - 2_000,
    partitions: [
      { end: 80, lag: 0, watermark: null },
      { end: 50, lag: 0, watermark: null },
    ],
    outputEnd: 50,
  });
  const bridge = `
money_enrichment_watermark_timestamp_seconds{partition="0"} ${AT / 1_000 - 22}
money_enrichment_partition_idle{partition="0"} 0
money_enrichment_records_held{partition="0"} 5
money_enrichment_dead_letters_total{reason="future"} 2
money_enrichment_dead_letters_total{reason="malformed"} 0
`;
  const worker = `
# HELP money_enrichment_pending_money x
money_enrichment_pending_money 7
money_enrichment_lookups_in_flight 1
money_enrichment_shard_owned{shard="1"} 1
money_enrichment_shard_owned{shard="0"} 1
temporal_request_total 9
`;
  const snapshot = snapshotOf(sight({}), before, [
    { url: 'http://b/metrics', samples: samplesOf(bridge) },
    { url: 'http://w/metrics', samples: samplesOf(worker) },
    { url: 'http://x/metrics', samples: [], problem: 'connect ECONNREFUSED' },
  ]);
  assert.deepEqual(snapshot, {
    at: '2026-01-31T10:00:30.000Z',
    processes: [
      { url: 'http://b/metrics' },
      { url: 'http://w/metrics' },
      { url: 'http://x/metrics', problem: 'connect ECONNREFUSED' },
    ],
    throughput: { in: 10, out: 5 },
    partitions: [
      {
        partition: 0,
        lag: 5,
        perSecond: 10,
        watermark: '2026-01-31T10:00:08.000Z',
        watermarkLagSeconds: 22,
        held: 5,
        idle: false,
      },
      { partition: 1, lag: 0, perSecond: 0, watermark: null, watermarkLagSeconds: null, held: null, idle: null },
    ],
    users: [{ user: 'u', records: 4 }],
    withoutLeader: ['user-events-1'],
    waiting: { pendingMoney: 7, awaitingLookup: null, lookupsInFlight: 1, unpublished: null },
    deadLetters: { inTopic: 3, byReason: { future: 2 } },
    shards: [
      { shard: 0, owner: 'http://w/metrics' },
      { shard: 1, owner: 'http://w/metrics' },
    ],
  });
});

test('without processes and at the first look only Kafka speaks', () => {
  const { throughput, partitions, waiting, shards } = snapshotOf(sight({}), undefined, []);
  assert.deepEqual(throughput, { in: null, out: null });
  assert.deepEqual([partitions[0]!.watermark, partitions[0]!.watermarkLagSeconds], ['2026-01-31T10:00:00.000Z', 30]);
  assert.deepEqual([waiting.pendingMoney, shards], [null, []]);
});
