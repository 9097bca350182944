/**
 * `money-enrichment/testing`: tests without servers, for any test runner. {@link given}: what an entity emits has to be the same whatever
 * happens around it; this tries it, in the workflow code that runs in production. {@link kafkaInMemory}: for tests of decoders and bridges.
 *
 * @module
 */
import type { KafkaPort, OutRecord } from '../engine/kafka/port.ts';
import { KafkaInMemory } from './testing/kafka/kafka-in-memory.ts';
import type { StoredRecord } from './testing/kafka/partition-log.ts';

export { given, type Checks, type GivenEntity, type GivenOptions, type Rest, type When } from './testing/given.ts';
export type { StoredRecord } from './testing/kafka/partition-log.ts';
export type { Variation } from './testing/plan.ts';
export type { GivenRecord } from './testing/records.ts';

/** A cluster: logs with transactions and markers, fencing, consumer groups. It passes the conformance suite, but for what kills a process or the broker. */
export interface MemoryKafka {
  /** Empty; a topic of this name is thrown away. */
  createTopic(topic: string, partitions: number): void;
  /** Writes outside of any transaction; its offset. Throws a CodedError KAFKA where there is no such partition. */
  append(topic: string, partition: number, record: OutRecord): number;
  /** What a read_committed reader sees of a partition (0 when absent), in order. */
  committed(topic: string, partition?: number): readonly StoredRecord[];
  /** Retention takes what is before `offset`. */
  deleteBefore(topic: string, partition: number, offset: number): void;
  /** For `createBridge`, or what you build on a port. `process`: a name for whom it is the connection of. */
  port(process: string): KafkaPort;
}

/** A cluster without topics, in this process's memory. Any number of them, which know nothing of each other. */
export function kafkaInMemory(): MemoryKafka {
  return new KafkaInMemory();
}
