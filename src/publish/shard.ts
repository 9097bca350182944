/**
 * A shard is a partition of the output topic, the same partition of the ledger topic, a transactional id and a task
 * queue. A user's shard follows from the key of its output records, by Kafka's own partitioner.
 */
import { outputKey } from '../codec/enriched.ts';
import { partitionOf } from '../kafka/partitioner.ts';

export function shardOf(userId: string, shards: number): number {
  return partitionOf(outputKey(userId), shards);
}

/** Stable: fencing depends on it. */
export function transactionalIdOf(appId: string, shard: number): string {
  return `${appId}-shard-${shard}`;
}

/** The consumer group whose members share the shards. */
export function shardGroupOf(appId: string): string {
  return `${appId}-shards`;
}
