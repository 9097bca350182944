/** What is on the broker: its disk, and what its coordinators keep in memory. */
import type { TopicPartition } from '../../../src/engine/kafka/port.ts';
import { TRANSACTION_TIMEOUT } from '../../../src/engine/kafka/kafkajs/transactional-producer.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { noCounts, Refusal } from './answers.ts';
import { GroupOffsets } from './group-offsets.ts';
import type { GroupOffset } from './group-offsets.ts';
import { SimPartition } from './partition.ts';
import { Transactions } from './transactions.ts';

/** bytes, Kafka's default of offset.metadata.max.bytes */
const MAX_METADATA = 4_096;
/** ms after a start until the coordinators have read their topics. */
const LOADING = 2_000;

export class Broker {
  readonly counts = noCounts();
  readonly offsets = new GroupOffsets();
  readonly transactions: Transactions;
  readonly #topics = new Map<string, readonly SimPartition[]>();
  readonly #scheduler: Scheduler;
  #loadedAt = -Infinity;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.transactions = new Transactions(scheduler, this.counts, this.offsets, TRANSACTION_TIMEOUT);
  }

  stop(): void {
    this.transactions.stop();
  }

  start(): void {
    this.#loadedAt = this.#scheduler.now + this.#scheduler.skewed() * LOADING;
    this.transactions.start();
  }

  createTopic(name: string, partitions: number, compacted: boolean): void {
    this.#topics.set(
      name,
      Array.from({ length: partitions }, (_, partition) => new SimPartition(name, partition, compacted)),
    );
  }

  partitions(topic: string): readonly SimPartition[] {
    return this.#topics.get(topic) ?? [];
  }

  partition(topic: string, partition: number): SimPartition | undefined {
    return this.#topics.get(topic)?.[partition];
  }

  /** Transactional ids and groups whose coordinator is on its way to another broker. */
  readonly moving = new Set<string>();

  /** Throws as long as the coordinator of this transactional id or group is not ready. */
  coordinator(id: string): void {
    if (this.#scheduler.now < this.#loadedAt) throw new Refusal('GROUP_LOAD_IN_PROGRESS');
    if (this.moving.has(id)) throw new Refusal('NOT_COORDINATOR_FOR_GROUP');
  }

  checkOffsets(offsets: readonly GroupOffset[]): void {
    for (const { topic, partition, metadata } of offsets) {
      if (this.partition(topic, partition) === undefined) throw new Refusal('UNKNOWN_TOPIC_OR_PARTITION');
      if (Buffer.byteLength(metadata) > MAX_METADATA) throw new Refusal('OFFSET_METADATA_TOO_LARGE');
    }
  }

  committedOffset(
    groupId: string,
    place: TopicPartition,
  ): { readonly offset: number | null; readonly metadata: string } {
    const found = this.offsets.find(groupId, place);
    // Negative: kafkajs' mark for "from the beginning".
    return { offset: found === undefined || found.offset < 0 ? null : found.offset, metadata: found?.metadata ?? '' };
  }
}
