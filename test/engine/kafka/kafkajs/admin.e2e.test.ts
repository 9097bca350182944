/** Topics, offsets and the plain producer, on a real broker. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../../src/money/config.ts';
import { createPlainProducer } from '../../../../src/engine/kafka/kafkajs/producer.ts';
import { ensureTopics } from '../../../../src/money/topics/topics.ts';
import { silentLogger } from '../../../../src/engine/log.ts';
import { kafkaLab, uniqueId } from '../../../support/kafka-lab.ts';
import { withCode } from '../../../support/publishing.ts';

test('partition counts, and null for what does not exist', async (t) => {
  const lab = await kafkaLab(t);
  const [one, three] = [await lab.topic(1), await lab.topic(3)];
  assert.deepEqual(await lab.port().partitionCounts([three, uniqueId('missing'), one]), [3, null, 1]);
});

test('settings of a topic, asked first of all', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic(1, { 'max.message.bytes': '123456' });
  assert.equal((await lab.port().topicSettings(topic))?.['max.message.bytes'], '123456');
});

test('offsets of a partition that does not exist are an error of the topic', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic(1);
  await assert.rejects(lab.port().endOffsets([{ topic, partition: 5 }]), withCode('TOPIC'));
});

test('the first offset since a time', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic(2);
  const producer = await createPlainProducer(lab.config, silentLogger());
  t.after(() => producer.close());
  await producer.send(
    topic,
    [1_000, 3_000, 2_000, 5_000].map((timestamp) => ({ key: '21', value: 'x', timestamp })),
  ); // partition 0
  const since = (timestamp: number, partition = 0) => lab.port().firstOffsetSince({ topic, partition }, timestamp);
  assert.deepEqual(
    [await since(0), await since(1_001), await since(3_001), await since(5_001), await since(0, 1)],
    [0, 1, 3, null, null],
  );
});

test('a plain producer puts records where Kafka puts their key', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic(4);
  const producer = await createPlainProducer(lab.config, silentLogger());
  t.after(() => producer.close());
  await producer.send(topic, [
    { key: 'abc', value: 'abc' }, // murmur2 479470107, partition 3
    { key: 'foobar', value: 'foobar' }, // murmur2 -790332482, positive 1357151166, partition 2
    { key: '21', value: '21' }, // murmur2 -973932308, positive 1173551340, partition 0
    { key: 'abc', value: 'abc again', timestamp: 1_000_000_000_000, headers: { h: 'x' } },
  ]);
  assert.deepEqual(await lab.committed(topic, 3), ['abc', 'abc again']);
  assert.deepEqual(await lab.committed(topic, 2), ['foobar']);
  assert.deepEqual(await lab.committed(topic, 0), ['21']);
  assert.deepEqual(await lab.committed(topic, 1), []);
});

test('a plain producer sends more than one request takes', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic(1);
  const producer = await createPlainProducer(lab.config, silentLogger());
  t.after(() => producer.close());
  const records = Array.from({ length: 30 }, (_, index) => ({
    key: `${index}`,
    value: String(index).padEnd(100_000, '.'),
  }));
  await producer.send(topic, records);
  assert.deepEqual(
    (await lab.committed(topic)).map((value) => parseInt(value, 10)),
    records.map((_, index) => index),
  );
});

test('a plain producer refuses a topic that does not exist', async (t) => {
  const lab = await kafkaLab(t);
  const producer = await createPlainProducer(lab.config, silentLogger());
  t.after(() => producer.close());
  await assert.rejects(producer.send(uniqueId('missing'), [{ key: 'a', value: 'b' }]), withCode('TOPIC'));
});

test('missing topics are created once, and fit', async (t) => {
  const lab = await kafkaLab(t);
  const id = uniqueId('e');
  const topics = {
    user: `${id}-user`,
    session: `${id}-session`,
    money: await lab.topic(3, { 'message.timestamp.after.max.ms': '3600000' }),
    output: `${id}-out`,
    deadLetter: `${id}-dead`,
    ledger: `${id}-out-ledger`,
  };
  const config = { kafka: lab.config, topics, maxRecordBytes: 1_048_576 } as Config;
  const first = await ensureTopics(config, silentLogger(), { partitions: 8, shards: 2, keepForever: true });
  assert.deepEqual(first.created, [topics.user, topics.session, topics.output, topics.deadLetter, topics.ledger]);
  assert.deepEqual(first.findings, []);
  const names = [topics.user, topics.session, topics.money, topics.output, topics.ledger, topics.deadLetter];
  assert.deepEqual(await lab.port().partitionCounts(names), [3, 3, 3, 2, 2, 3]);
  const second = await ensureTopics(config, silentLogger(), { partitions: 8, shards: 2 });
  assert.deepEqual([second.created, second.findings], [[], []]);
});

test('topics that exist and do not fit are named, and not changed', async (t) => {
  const lab = await kafkaLab(t);
  const bounded = { 'message.timestamp.after.max.ms': '3600000' };
  const ledger = await lab.topic(2, { 'cleanup.policy': 'delete' });
  const id = uniqueId('e');
  const topics = {
    user: await lab.topic(2, bounded),
    session: await lab.topic(3, bounded),
    money: await lab.topic(2, bounded),
    output: `${id}-out`,
    deadLetter: `${id}-dead`,
    ledger,
  };
  const config = { kafka: lab.config, topics, maxRecordBytes: 1_048_576 } as Config;
  const { findings } = await ensureTopics(config, silentLogger(), { partitions: 8, shards: 4 });
  const wrong = findings.filter(({ level }) => level === 'wrong').map(({ topic }) => topic);
  assert.deepEqual(wrong.sort(), [topics.money, ledger, ledger].sort());
  assert.deepEqual(await lab.port().partitionCounts([ledger]), [2]);
});
