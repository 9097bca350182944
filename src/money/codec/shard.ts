/**
 * A shard is a partition of the output topic, the same partition of the ledger topic, a transactional id and a task
 * queue. A user's shard follows from the key of its output records, by Kafka's own partitioner.
 */
import { outputKey } from './enriched.ts';
import { partitionOf } from '../../engine/kafka/partitioner.ts';

export function shardOf(userId: string, shards: number): number {
  return partitionOf(outputKey(userId), shards);
}
