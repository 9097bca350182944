/**
 * Reading from an offset that compaction took (kafkajs #562, #1072): the broker answers with a batch whose remaining
 * records all lie before it. The ledger is such a topic, and every owner of a shard begins in its middle.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../../support/eventually.ts';
import { kafkaLab, uniqueId } from '../../../support/kafka-lab.ts';

const KEYS = 60;

test(
  'an offset in the part of a batch that compaction took is passed, and all after it is read',
  { timeout: 240_000 },
  async (t) => {
    const lab = await kafkaLab(t);
    const topic = await lab.topic(1, {
      'cleanup.policy': 'compact',
      'segment.ms': '100',
      'min.cleanable.dirty.ratio': '0.001',
      'max.compaction.lag.ms': '1',
      'delete.retention.ms': '0',
    });
    const port = lab.port();
    const producer = await port.fence(uniqueId('tx'));
    const keys = Array.from({ length: KEYS }, (_, n) => `k${n}`);
    const write = async (written: readonly string[], value: string): Promise<void> => {
      const transaction = await producer.begin();
      await transaction.send(
        topic,
        0,
        written.map((key) => ({ key, value })),
      );
      await transaction.commit();
      await pause(300); // the next write begins a new segment; the one that is written to is never compacted
    };
    await write(keys, 'old'); // one batch: of it only the first record will be left
    await write(keys.slice(1), 'new');
    await write(['x'], 'x');
    await write(['y'], 'y');
    const values = ['old', ...keys.slice(1).map(() => 'new'), 'x', 'y'];
    await eventually('the cleaner has run', async () => (await lab.committed(topic)).length === values.length, 120_000);

    const group = uniqueId('group');
    const transaction = await producer.begin();
    await transaction.sendOffsets(group, [{ topic, partition: 0, offset: KEYS / 2, metadata: '' }]);
    await transaction.commit();
    await port.fence(uniqueId('after'));
    const seen = await lab.member(port, group, [topic]);
    await eventually('the end is read', () => seen.values().includes('y'), 60_000);
    assert.deepEqual(seen.values(), values.slice(1));
    assert.equal(seen.batches[0]?.fetchedFrom, KEYS / 2);
    for (const [index, batch] of seen.batches.entries()) {
      if (index > 0) assert.equal(batch.fetchedFrom, seen.batches[index - 1]?.next);
    }
  },
);
