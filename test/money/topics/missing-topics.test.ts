import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingTopics } from '../../../src/money/topics/missing-topics.ts';
import { config, good } from './given.ts';

const settingsOf = (
  creation: { configEntries?: { name: string; value: string }[] } | undefined,
): Record<string, string> =>
  Object.fromEntries((creation?.configEntries ?? []).map(({ name, value }) => [name, value]));
const missing = (options: Parameters<typeof missingTopics>[1], existing: Record<string, number> = {}, brokers = 1) => {
  const states = Object.entries(existing).map(([topic, partitions]) => [topic, good({}, partitions)] as const);
  const creations = missingTopics(config, options, new Map(states), brokers);
  return new Map(creations.map((creation) => [creation.topic, { ...creation, settings: settingsOf(creation) }]));
};

test('all topics are created, inputs alike and the ledger like the output', () => {
  const created = missing({ partitions: 6, shards: 3 });
  assert.deepEqual(
    [...created.values()].map(({ topic, numPartitions }) => [topic, numPartitions]),
    [
      ['money', 6],
      ['user', 6],
      ['session', 6],
      ['out', 3],
      ['dead', 6],
      ['out-ledger', 3],
    ],
  );
});

test('what exists decides the partitions of what belongs to it', () => {
  const created = missing({ partitions: 6, shards: 3 }, { user: 12, out: 8 });
  assert.deepEqual(
    [...created.values()].map(({ topic, numPartitions }) => [topic, numPartitions]),
    [
      ['money', 12],
      ['session', 12],
      ['dead', 12],
      ['out-ledger', 8],
    ],
  );
});

test('the ledger is compacted and never deletes', () => {
  const settings = missing({ partitions: 1 }).get('out-ledger')?.settings ?? {};
  assert.equal(settings['cleanup.policy'], 'compact');
  assert.equal(settings['segment.ms'], '3600000');
  assert.equal(settings['max.compaction.lag.ms'], '86400000');
});

test('a dead letter has room for the largest input record and its headers', () => {
  const created = missing({ partitions: 1 });
  const bytes = (topic: string): number => Number(created.get(topic)?.settings['max.message.bytes']);
  assert.ok(bytes('dead') > bytes('money'));
  assert.ok(bytes('money') > config.maxRecordBytes);
});

test('dead letters have room for what an existing input takes', () => {
  const state = { partitions: 1, replicas: 1, settings: { 'max.message.bytes': '16777216' } };
  const [dead] = missingTopics(config, { partitions: 1 }, new Map([['user', state]]), 1).filter(
    ({ topic }) => topic === 'dead',
  );
  assert.ok(Number(settingsOf(dead)['max.message.bytes']) > 16_777_216);
});

test('replicas follow the brokers, up to three', () => {
  const replicas = (brokers: number) => {
    const created = missing({ partitions: 1 }, {}, brokers).get('out');
    return [
      created?.replicationFactor,
      created?.settings['min.insync.replicas'],
      created?.settings['unclean.leader.election.enable'],
    ];
  };
  assert.deepEqual(replicas(1), [1, '1', 'false']);
  assert.deepEqual(replicas(2), [2, '1', 'false']);
  assert.deepEqual(replicas(5), [3, '2', 'false']);
});

test('inputs take no timestamp that is more than an hour ahead of the broker, also where records are kept for ever', () => {
  for (const keepForever of [false, true]) {
    const created = missing({ partitions: 1, keepForever });
    for (const topic of ['user', 'session', 'money']) {
      assert.equal(created.get(topic)?.settings['message.timestamp.after.max.ms'], '3600000');
    }
  }
});

test('only topics that keep for ever get a retention of their own', () => {
  assert.equal(missing({ partitions: 1 }).get('money')?.settings['retention.ms'], undefined);
  assert.equal(missing({ partitions: 1, keepForever: true }).get('money')?.settings['retention.ms'], '-1');
  assert.equal(
    missing({ partitions: 1, keepForever: true }).get('money')?.settings['message.timestamp.type'],
    'CreateTime',
  );
});

test('dead letters, which are whole records, are kept for 14 days', () => {
  assert.equal(missing({ partitions: 1 }).get('dead')?.settings['retention.ms'], '1209600000');
  assert.equal(missing({ partitions: 1, keepForever: true }).get('dead')?.settings['retention.ms'], '-1');
});

test('an output topic keeps its records for as long as another one', () => {
  const retention = (outputRetention?: string) =>
    missing({ partitions: 1, outputRetention }).get('out')?.settings['retention.ms'];
  assert.deepEqual([retention('-1'), retention('86400000'), retention()], ['-1', '86400000', undefined]);
});
