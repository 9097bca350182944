/**
 * What this product needs of Kafka, and nothing more. `src/kafka` is the only folder that imports kafkajs; everything
 * else sees these interfaces, and a simulation can stand in for them. Offsets are numbers (below 2^53).
 */

import type { TopicIdentity } from './topic-ids.ts';

export type { TopicIdentity } from './topic-ids.ts';

export interface OutRecord {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, string | Buffer>>;
  /** Epoch ms; now when absent. */
  readonly timestamp?: number;
}

/** About the bytes that a record takes in a request: key, value, headers and the record's own fields. */
export function bytesOf({ key, value, headers }: OutRecord): number {
  let bytes = 64 + length(key) + length(value);
  for (const [name, text] of Object.entries(headers ?? {})) bytes += 8 + name.length + length(text);
  return bytes;
}

function length(data: Buffer | string | null): number {
  return data === null ? 0 : Buffer.byteLength(data);
}

export interface InRecord {
  readonly offset: number;
  /** Kafka record timestamp, epoch ms; -1 for none. Beyond 2^53 (micro- or nanoseconds, by mistake) the nearest double. */
  readonly timestamp: number;
  /** The very number of `timestamp`, where a double has not all its digits. */
  readonly timestampText?: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** A header that occurs several times is an array. */
  readonly headers?: RecordHeaders;
}

export type RecordHeaders = Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;

export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** Next offset to read; null when nothing was ever committed. */
  readonly offset: number | null;
  readonly metadata: string;
}

export interface Transaction {
  /**
   * One partition a call, answered for exactly that partition, or it throws. Resolves with the offset of the first
   * record; null when there was none to send.
   */
  send(topic: string, partition: number, records: readonly OutRecord[]): Promise<number | null>;
  sendOffsets(
    groupId: string,
    offsets: readonly { topic: string; partition: number; offset: number; metadata: string }[],
  ): Promise<void>;
  /**
   * Resolves when the commit is decided. Readers see it a moment later, when the broker has written its markers; who
   * takes the transactional id next sees all of it.
   */
  commit(): Promise<void>;
}

/**
 * A fenced-in writer: while it lives, no earlier holder of its transactional id can commit. After ANY error of a
 * transaction its outcome is unknown and the producer is unusable: close it and fence again.
 * Errors: EnrichmentError FENCED (a later holder exists) or KAFKA (anything else).
 */
export interface TransactionalProducer {
  begin(): Promise<Transaction>;
  /** Never throws. */
  close(): Promise<void>;
}

export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  /** The offset that was asked for: where the batch before ended, if nothing was skipped. */
  readonly fetchedFrom: number;
  /** Where the next fetch goes on, control records and aborted ones included. */
  readonly next: number;
  /** Last stable offset of the partition as seen by this fetch: `next` reaches it when all was read. */
  readonly end: number;
  /** Empty when the fetch held nothing but control records and aborted ones. */
  readonly records: readonly InRecord[];
}

export interface GroupHandlers {
  /**
   * A new generation: everything of the one before is void. Records of its partitions start at the committed offsets.
   * No records are delivered until this resolves.
   */
  onAssigned(partitions: readonly number[]): Promise<void>;
  /** Returns when the batch is taken over (queued); it must not wait for its processing. */
  onRecords(batch: RecordBatch): Promise<void>;
  /** The consumer is dead and will not come back by itself. */
  onCrash(error: Error): void;
}

/** A member of a consumer group that is given whole partition numbers: partition p of every subscribed topic. */
export interface GroupMember {
  start(handlers: GroupHandlers): Promise<void>;
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
  /** The next batch of this partition starts here. */
  seek(topic: string, partition: number, offset: number): void;
  /** Leaves the group. Never throws. */
  stop(): Promise<void>;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A {@link KafkaPort} on brokers; with what only commands for people need. */
export interface KafkaClient extends KafkaPort {
  /** Of the first record with this Kafka timestamp (epoch ms) or a later one; null when there is none. */
  firstOffsetSince(partition: TopicPartition, timestamp: number): Promise<number | null>;
}

export interface KafkaPort {
  /** Connects, takes the transactional id (InitProducerId: aborts and fences whoever held it). */
  fence(transactionalId: string): Promise<TransactionalProducer>;
  joinGroup(options: { readonly groupId: string; readonly topics: readonly string[] }): GroupMember;
  committedOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<CommittedOffset[]>;
  /** First and last stable offsets, as a read_committed consumer would see them. */
  endOffsets(
    partitions: readonly TopicPartition[],
  ): Promise<(TopicPartition & { readonly start: number; readonly end: number })[]>;
  /** Partition count of each topic; null for one that does not exist. */
  partitionCounts(topics: readonly string[]): Promise<(number | null)[]>;
  /** Which topics these are; without it, or empty, one that was made anew is not told from the one before. */
  topicIdentities?(topics: readonly string[]): Promise<readonly TopicIdentity[]>;
  close(): Promise<void>;
}
