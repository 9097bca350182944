/** A member of a consumer group of Kafka in memory: what is assigned to it, and how far it has read. */
import { keptPartitions } from '../../../engine/kafka/kafkajs/kept-partitions.ts';
import type { GroupHandlers, GroupMember, JoinOptions, TopicPartition } from '../../../engine/kafka/port.ts';
import type { PartitionLog } from './partition-log.ts';

/** What a member needs of the cluster. */
export interface ClusterInMemory {
  readonly fetchSize: number;
  /** Throws a CodedError TOPIC for topics that are missing or have not the same number of partitions. */
  counts(topics: readonly string[]): number;
  partition(topic: string, partition: number): PartitionLog;
  startOffset(groupId: string, partition: TopicPartition): number;
  forgetOffset(groupId: string, partition: TopicPartition): void;
  join(member: MemberInMemory): void;
  leave(member: MemberInMemory): void;
  rebalance(groupId: string): void;
}

export class MemberInMemory implements GroupMember {
  readonly id: string;
  readonly groupId: string;
  readonly topics: readonly string[];
  owned: readonly number[] = [];
  /** The group goes on without it, and it does not know. */
  cutOff = false;
  readonly #kafka: ClusterInMemory;
  readonly #cooperative: boolean;
  #positions = new Map<string, number>();
  #paused = new Set<string>();
  #kept: readonly number[] = [];
  #handlers: GroupHandlers | undefined;
  /** Of the group; 0 before the first and after the last. */
  #generation = 0;
  #open = false;
  #polling = false;
  /** Something happened since the last look. */
  #dirty = false;

  constructor(kafka: ClusterInMemory, id: string, { groupId, topics, cooperative = false }: JoinOptions) {
    this.#kafka = kafka;
    this.id = id;
    this.groupId = groupId;
    this.topics = topics;
    this.#cooperative = cooperative;
  }

  async start(handlers: GroupHandlers): Promise<void> {
    this.#kafka.counts(this.topics);
    this.#handlers = handlers;
    this.#kafka.join(this);
  }

  crash(error: Error): void {
    const handlers = this.#handlers;
    setImmediate(() => handlers?.onCrash(error));
  }

  assign(generation: number, partitions: readonly number[]): void {
    const before = {
      memberId: this.id,
      generationId: this.#generation,
      partitions: this.owned,
      kept: new Set(this.#kept),
      open: this.#open,
    };
    const now = { memberId: this.id, generationId: generation, partitions };
    this.#kept = this.#cooperative ? [...keptPartitions(before, now)] : [];
    const lanes = this.topics.flatMap((topic) => this.#kept.map((partition) => `${topic}/${partition}`));
    this.#positions = new Map([...this.#positions].filter(([lane]) => lanes.includes(lane)));
    this.#paused = new Set([...this.#paused].filter((lane) => lanes.includes(lane)));
    this.owned = partitions;
    this.#generation = generation;
    this.#open = false;
    const handlers = this.#handlers;
    setImmediate(() => {
      if (this.#generation === generation && handlers !== undefined) void this.#begin(generation, handlers);
    });
  }

  async #begin(generation: number, handlers: GroupHandlers): Promise<void> {
    try {
      await handlers.onAssigned(this.owned, this.#kept);
    } catch (error) {
      handlers.onCrash(error as Error);
      return;
    }
    if (this.#generation !== generation) return;
    for (const topic of this.topics) {
      for (const partition of this.owned) {
        const key = `${topic}/${partition}`;
        if (!this.#positions.has(key)) {
          this.#positions.set(key, this.#kafka.startOffset(this.groupId, { topic, partition }));
        }
      }
    }
    this.#open = true;
    this.poll();
  }

  pause(topic: string, partition: number): void {
    if (this.owned.includes(partition)) this.#paused.add(`${topic}/${partition}`);
  }

  resume(topic: string, partition: number): void {
    this.#paused.delete(`${topic}/${partition}`);
    this.poll();
  }

  seek(topic: string, partition: number, offset: number): void {
    if (this.owned.includes(partition)) this.#positions.set(`${topic}/${partition}`, offset);
    this.poll();
  }

  /** A heartbeat. One that is refused makes the member join again, and is never answered. */
  async confirmed(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.cutOff) return;
    this.#kafka.rebalance(this.groupId);
    return new Promise(() => undefined);
  }

  async stop(): Promise<void> {
    if (this.#handlers === undefined) return;
    this.#handlers = undefined;
    this.#generation = 0;
    this.#open = false;
    this.#kept = [];
    this.#kafka.leave(this);
  }

  poll(): void {
    this.#dirty = true;
    if (this.#polling) return;
    this.#polling = true;
    setImmediate(() => void this.#deliverAll());
  }

  async #deliverAll(): Promise<void> {
    while (this.#dirty) {
      this.#dirty = false;
      while (await this.#deliver());
    }
    this.#polling = false;
  }

  async #deliver(): Promise<boolean> {
    let any = false;
    for (const topic of this.topics) {
      for (const partition of this.owned) {
        const key = `${topic}/${partition}`;
        const position = this.#positions.get(key);
        if (
          (!this.#open && !this.#kept.includes(partition)) ||
          position === undefined ||
          this.#paused.has(key) ||
          this.#handlers === undefined
        ) {
          continue;
        }
        const log = this.#kafka.partition(topic, partition);
        const end = log.lastStable;
        if (log.leaderless) continue;
        if (position < log.start || position > log.entries.length) {
          if (this.#handlers.onOutOfRange !== undefined) this.#handlers.onOutOfRange(topic, partition);
          else {
            // As kafkajs does: what was committed is replaced by "the start of the log".
            this.#kafka.forgetOffset(this.groupId, { topic, partition });
            this.#positions.set(key, log.start);
            any = true;
          }
          continue;
        }
        const next = Math.min(end, position + this.#kafka.fetchSize);
        if (next <= position) continue;
        const records = log.entries
          .slice(position, next)
          .flatMap(({ record, txn }) => (record !== null && txn?.state !== 'aborted' ? [record] : []));
        this.#positions.set(key, next);
        const seen = records.map(({ offset, timestamp, key, value, allHeaders }) => ({
          offset,
          timestamp,
          key,
          value,
          headers: allHeaders,
        }));
        await this.#handlers.onRecords({ topic, partition, fetchedFrom: position, next, end, records: seen });
        any = true;
      }
    }
    return any;
  }
}
