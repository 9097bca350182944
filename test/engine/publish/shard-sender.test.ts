import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutRecord, TransactionalProducer } from '../../../src/engine/kafka/port.ts';
import { RefusedBatch, TopicRooms } from '../../../src/engine/kafka/topic-rooms.ts';
import { ShardSender } from '../../../src/engine/publish/shard-sender.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const records = (count: number, prefix = 'r'): OutRecord[] =>
  Array.from({ length: count }, (_, n) => ({ key: 'k', value: `${prefix}${n}` }));

function given(settings: Record<string, string> = {}) {
  const rooms = new TopicRooms({ topicSettings: async () => settings }, new ManualClock());
  const sender = new ShardSender({ shard: 3, outputTopic: 'out', ledgerTopic: 'ledger', rooms });
  /** What was asked of the producer, in order; a send as topic, partition and values. */
  const calls: unknown[] = [];
  const next = { out: 100, ledger: 700 } as Record<string, number>;
  const producer: TransactionalProducer = {
    begin: async () => {
      calls.push('begin');
      return {
        send: async (topic, partition, sent) => {
          calls.push([topic, partition, sent.map(({ value }) => value)]);
          const offset = next[topic]!;
          next[topic] = offset + sent.length;
          return offset;
        },
        sendOffsets: async () => assert.fail('no offsets'),
        commit: async () => void calls.push('commit'),
      };
    },
    close: async () => undefined,
  };
  return { sender, producer, calls };
}

test('outputs, then ledger entries, then the commit, all of the one partition', async () => {
  const { sender, producer, calls } = given();
  const at = await sender.commit(producer, records(2), records(1, 'entry'));
  assert.deepEqual(calls, ['begin', ['out', 3, ['r0', 'r1']], ['ledger', 3, ['entry0']], 'commit']);
  assert.deepEqual(at, { outputs: 100, ledger: 700 });
});

test('where outputs went in several batches the offset of the first says nothing of the others', async () => {
  const { sender, producer, calls } = given();
  const outputs = records(3);
  sender.isolate(outputs[1]!);
  const at = await sender.commit(producer, outputs, records(1, 'entry'));
  assert.deepEqual(calls.slice(1, 4), [
    ['out', 3, ['r0']],
    ['out', 3, ['r1']],
    ['out', 3, ['r2']],
  ]);
  assert.deepEqual(at, { outputs: null, ledger: 700 });
});

test('a refused batch of one record is the fault of this record', () => {
  const { sender } = given();
  const [record] = records(1);
  const refused = new RefusedBatch(
    'out',
    { records: [record!], bytes: 90, compressed: false },
    'size',
    new Error('large'),
  );
  assert.equal(sender.blame(refused), record);
});

for (const [count, size] of [
  [183, 12],
  [16, 1],
  [17, 2],
  [2, 1],
] as const) {
  test(`a refused batch of ${count} records goes in pieces of ${size} next time`, async () => {
    const { sender, producer, calls } = given();
    const outputs = records(count);
    const batch = { records: outputs, bytes: 9_000, compressed: false };
    assert.equal(sender.blame(new RefusedBatch('out', batch, 'size', new Error('large'))), undefined);
    await sender.commit(producer, outputs, []);
    const sizes = calls.filter(Array.isArray).map(([, , values]) => (values as unknown[]).length);
    assert.deepEqual(
      sizes.slice(0, -1).filter((length) => length !== size),
      [],
    );
    assert.equal(sizes.length, Math.ceil(count / size));
    assert.equal(
      sizes.reduce((sum, length) => sum + length, 0),
      count,
    );
  });
}

test('the first record that fits in no batch of the topic is named, with its bytes', async () => {
  const { sender } = given({ 'max.message.bytes': '1000', 'compression.type': 'uncompressed' });
  // 64 bytes and the key beside the value, 100 bytes of the batch.
  const fits = { key: 'k', value: 'x'.repeat(1_000 - 100 - 64 - 1) };
  const large = { key: 'k', value: 'x'.repeat(1_000 - 100 - 64) };
  assert.equal(await sender.firstUnfit([fits, fits]), undefined);
  const unfit = await sender.firstUnfit([fits, large, large]);
  assert.deepEqual([unfit?.index, unfit?.limit], [1, 1_000]);
  assert.ok(unfit!.bytes > 1_000);
});

test('a record that fits compressed is fit where the topic takes it so', async () => {
  const { sender } = given({ 'max.message.bytes': '1000' });
  assert.equal(await sender.firstUnfit([{ key: 'k', value: 'x'.repeat(5_000) }]), undefined);
});

test('of a topic whose settings are not seen no record is unfit', async () => {
  const { sender } = given();
  assert.equal(await sender.firstUnfit([{ key: 'k', value: 'x'.repeat(5_000_000) }]), undefined);
});
