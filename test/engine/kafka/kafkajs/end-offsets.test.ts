/** The ends of partitions that several brokers lead: each broker is asked by itself, and the answers come in the order of the question. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOffsets } from '../../../../src/engine/kafka/kafkajs/admin.ts';

type Cluster = Parameters<typeof endOffsets>[0];

/** The leader of each partition, by its number; the end of a partition's log is ten times its number and one. */
function clusterLedBy(leaders: readonly number[]): Cluster {
  return {
    addMultipleTargetTopics: async () => undefined,
    refreshMetadata: async () => undefined,
    refreshMetadataIfNecessary: async () => undefined,
    findTopicPartitionMetadata: () => leaders.map((leader, partitionId) => ({ partitionId, leader })),
    fetchTopicsOffset: async (
      topics: { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }[],
    ) =>
      topics.map(({ topic, partitions, fromBeginning }) => ({
        topic,
        partitions: partitions.map(({ partition }) => ({
          partition,
          offset: String(fromBeginning ? partition : partition * 10 + 1),
        })),
      })),
  } as unknown as Cluster;
}

const asked = (...partitions: number[]) => partitions.map((partition) => ({ topic: 't', partition }));

test('ends are answered in the order of the question, not by the brokers that lead', async () => {
  const found = await endOffsets(clusterLedBy([1, 2, 1, 3]), asked(3, 0, 1, 2), false);
  assert.deepEqual(
    found,
    [
      [3, 31],
      [0, 1],
      [1, 11],
      [2, 21],
    ].map(([partition, end]) => ({ topic: 't', partition, start: partition, end })),
  );
});

test('a partition without a leader is left out of a partial answer, and the others keep their order', async () => {
  const found = await endOffsets(clusterLedBy([1, -1, 2]), asked(2, 1, 0), true);
  assert.deepEqual(
    found.map(({ partition }) => partition),
    [2, 0],
  );
});
