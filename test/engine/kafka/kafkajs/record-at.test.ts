import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  recordAt,
  recordOf,
  type FetchedPartition,
  type FetchingCluster,
} from '../../../../src/engine/kafka/kafkajs/record-at.ts';

const PLACE = { topic: 't', partition: 3 };
const message = (offset: number, more: object = {}) => ({
  offset: String(offset),
  timestamp: '17',
  key: Buffer.from('k'),
  value: Buffer.from(`v${offset}`),
  ...more,
});
const answer = (messages: FetchedPartition['messages'], errorCode = 0): FetchedPartition => ({ errorCode, messages });

describe('a record by its offset', () => {
  it('is found in its batch, which begins before it', () => {
    assert.deepEqual(recordOf(answer([message(4), message(5), message(6)]), PLACE, 5), {
      timestamp: 17,
      key: Buffer.from('k'),
      value: Buffer.from('v5'),
    });
  });

  it('is not the next one where compaction has removed it', () => {
    assert.equal(recordOf(answer([message(4), message(6)]), PLACE, 5), undefined);
    assert.equal(recordOf(answer([]), PLACE, 5), undefined);
  });

  it('may be a transaction marker', () => {
    assert.equal(recordOf(answer([message(5, { isControlRecord: true })]), PLACE, 5), null);
  });

  for (const [errorCode, why] of [
    [1, 'it is out of range'],
    [2, 'its batch is corrupt'],
    [29, 'this user may not read it'],
    [56, 'the disk is away'],
  ] as const) {
    it(`is not told where ${why}`, () => assert.equal(recordOf(answer([], errorCode), PLACE, 5), undefined));
  }

  it('is asked for again where the leader has moved, after a look at who leads now', async () => {
    let looks = 0;
    const asked: unknown[] = [];
    const cluster = (errorCode: number, leader: number): FetchingCluster => ({
      findTopicPartitionMetadata: () => [{ partitionId: 3, leader }],
      refreshMetadata: async () => void (looks += 1),
      findBroker: async ({ nodeId }) => ({
        fetch: async ({ topics, maxBytes, isolationLevel }) => {
          asked.push({ nodeId, topics, maxBytes, isolationLevel });
          return { responses: [{ partitions: [answer([message(5)], errorCode)] }] };
        },
      }),
    });
    await assert.rejects(recordAt(cluster(6, 1), PLACE, 5), {
      code: 'KAFKA',
      message: 't, partition 3: its leader does not tell the record at offset 5 (error 6)',
    });
    await assert.rejects(recordAt(cluster(0, -1), PLACE, 5), {
      code: 'KAFKA',
      message: 't, partition 3 has no leader',
    });
    assert.equal(looks, 2);
    assert.equal(String((await recordAt(cluster(0, 1), PLACE, 5))?.value), 'v5');
    // One byte: a broker answers with one batch all the same.
    assert.deepEqual(asked.at(-1), {
      nodeId: '1',
      topics: [{ topic: 't', partitions: [{ partition: 3, fetchOffset: '5', maxBytes: 1 }] }],
      maxBytes: 1,
      isolationLevel: 0,
    });
  });
});
