import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTopics } from '../../../src/money/bridge/settings.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';

const TOPICS = {
  user: 'user',
  session: 'session',
  money: 'money',
  output: 'out',
  deadLetter: 'dead',
  ledger: 'out-ledger',
};

function check(partitions: Readonly<Record<string, number>>) {
  const kafka = new KafkaInMemory();
  for (const [topic, count] of Object.entries({ user: 4, session: 4, money: 4, out: 3, dead: 2, ...partitions })) {
    if (count > 0) kafka.createTopic(topic, count);
  }
  return checkTopics(kafka.port('bridge'), TOPICS);
}

test('the shards are the partitions of the output', async () => {
  assert.deepEqual(await check({ 'out-ledger': 3 }), { shards: 3, deadLetterPartitions: 2 });
});

test('a ledger that is missing is made by the worker: the bridge starts without it', async () => {
  assert.deepEqual(await check({}), { shards: 3, deadLetterPartitions: 2 });
});

test('partitions that were added to the output: no user is started on a shard that no worker has', async () => {
  await assert.rejects(check({ out: 5, 'out-ledger': 3 }), {
    code: 'TOPIC',
    message: /^out has 5 partitions and out-ledger has 3: they must be equal, and never change/,
  });
});

test('topics that are missing are said together', async () => {
  await assert.rejects(check({ money: 0, out: 0 }), {
    code: 'TOPIC',
    message: 'missing topics: money, out; create them with "money-enrichment topics"',
  });
});
