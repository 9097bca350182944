/**
 * Kafka in a simulation: one broker whose disk survives it, with the protocol's transactions and groups as far as
 * `KafkaPort` shows them. `port()` is one process' way to it; what else is here belongs to the world outside the product.
 * That it behaves like the real one is what verification/conformance is for.
 */
import { CodedError } from '../../../src/engine/errors.ts';
import { requestError } from '../../../src/engine/kafka/kafkajs/errors.ts';
import type { CommittedOffset, KafkaClient, KafkaPort, OutRecord } from '../../../src/engine/kafka/port.ts';
import { SimServer } from '../kernel/network.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { isRepeatable, Refusal, Unanswered } from './answers.ts';
import type { KafkaCounts } from './answers.ts';
import { Broker } from './broker.ts';
import { Connection } from './connection.ts';
import { Groups } from './groups.ts';
import { SimMember } from './member.ts';
import type { SimPartition, StoredRecord } from './partition.ts';
import { fence } from './producer.ts';
import type { SimProducer } from './producer.ts';

export type { KafkaCounts, StoredRecord };

/** ms for which reads of the cluster's state are repeated, see src/engine/kafka/kafkajs/admin.ts */
const ADMIN_TIMEOUT = 30_000;

/** `turn`: how often a topic of that name was made before. */
export function topicId(topic: string, turn: number): string {
  return turn === 0 ? `id of ${topic}` : `id of ${topic}, made anew ${turn}`;
}

export class SimKafka {
  readonly server: SimServer;
  readonly #scheduler: Scheduler;
  readonly #broker: Broker;
  readonly #groups: Groups;
  /** By topic: how often it was deleted and made anew. */
  readonly #turns = new Map<string, number>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.server = new SimServer(scheduler, 'kafka');
    this.#broker = new Broker(scheduler);
    this.#groups = new Groups(scheduler, this.#broker);
  }

  get counts(): KafkaCounts {
    return this.#broker.counts;
  }

  createTopic(name: string, partitions: number, { compacted = false }: { readonly compacted?: boolean } = {}): void {
    this.#broker.createTopic(name, partitions, compacted);
  }

  /** A record outside any transaction, written by somebody outside the product, now; its offset. */
  append(topic: string, partition: number, record: OutRecord): number {
    return this.#partition(topic, partition).append(record, null, this.#scheduler.now);
  }

  /** What a read_committed reader sees, from an offset on. */
  committed(topic: string, partition = 0, from = 0): readonly StoredRecord[] {
    return this.#partition(topic, partition).committed(from);
  }

  /** How many records only a read_uncommitted reader sees. */
  uncommitted(topic: string, partition = 0): number {
    return this.#partition(topic, partition).uncommitted();
  }

  /** First offset, last stable offset and high watermark. */
  offsets(topic: string, partition = 0): { readonly start: number; readonly lastStable: number; readonly end: number } {
    const { start, lastStable, end } = this.#partition(topic, partition);
    return { start, lastStable, end };
  }

  /** Retention: records before `offset` are gone, as far as they are stable. */
  deleteBefore(topic: string, partition: number, offset: number): void {
    this.#partition(topic, partition).deleteBefore(offset);
  }

  /** Somebody deletes the topic and makes it anew: another id, no records, and no offsets of any group. */
  makeAnew(topic: string): void {
    this.#turns.set(topic, (this.#turns.get(topic) ?? 0) + 1);
    this.#broker.offsets.forget(topic);
    for (const partition of this.#broker.partitions(topic)) partition.cut(0);
  }

  /** The log is as an older backup had it: from `offset` on there is nothing. */
  cut(topic: string, partition: number, offset: number): void {
    this.#partition(topic, partition).cut(offset);
  }

  /** Of the first record since then; null when there is none. */
  firstOffsetSince(topic: string, partition: number, timestamp: number): number | null {
    return (
      this.#partition(topic, partition)
        .committed()
        .find((record) => record.timestamp >= timestamp)?.offset ?? null
    );
  }

  /** Takes some records before `offset` away, and leaves holes. */
  punch(topic: string, partition: number, offset: number): void {
    this.#partition(topic, partition).punch(offset);
  }

  /** Somebody outside of the product begins a transaction there and writes nothing that is ever committed; ended by what is returned. */
  openTransaction(topic: string, partition: number): () => void {
    const transaction: { state: 'open' | 'aborted' } = { state: 'open' };
    const place = this.#partition(topic, partition);
    place.append({ key: 'nobody', value: 'never committed' }, transaction, this.#scheduler.now);
    return () => {
      transaction.state = 'aborted';
      place.mark(transaction);
    };
  }

  compact(topic: string): void {
    for (const partition of this.#broker.partitions(topic)) partition.compact();
  }

  /** Whether somebody outside of the product can write there now. */
  takes(topic: string, partition: number): boolean {
    return this.server.up && this.#partition(topic, partition).refusal === undefined;
  }

  /** Bytes of a batch: max.message.bytes of the topic. */
  limitBatches(topic: string, bytes: number): void {
    for (const partition of this.#broker.partitions(topic)) partition.maxBatchBytes = bytes;
  }

  hasNoLeader(topic: string, partition: number): boolean {
    return !this.#partition(topic, partition).led;
  }

  loseLeader(topic: string, partition: number): void {
    this.#partition(topic, partition).led = false;
  }

  electLeader(topic: string, partition: number): void {
    this.#partition(topic, partition).led = true;
  }

  isWritable(topic: string, partition: number): boolean {
    return this.#partition(topic, partition).writable;
  }

  setWritable(topic: string, partition: number, writable: boolean): void {
    this.#partition(topic, partition).writable = writable;
  }

  /** `id`: a transactional id or a group. */
  moveCoordinator(id: string, moving: boolean): void {
    if (moving) this.#broker.moving.add(id);
    else this.#broker.moving.delete(id);
  }

  rebalance(groupId: string): void {
    this.#groups.rebalance(groupId);
  }

  groupOffsets(groupId: string): readonly CommittedOffset[] {
    return this.#broker.offsets.of(groupId).map(({ topic, partition }) => ({
      topic,
      partition,
      ...this.#broker.committedOffset(groupId, { topic, partition }),
    }));
  }

  /** SIGKILL of the broker. */
  stop(): void {
    this.server.stop();
    this.#broker.stop();
    this.#groups.stop();
  }

  start(): void {
    this.server.start();
    this.#broker.start();
    this.#groups.start();
  }

  port(process: SimProcess): KafkaPort {
    const broker = this.#broker;
    const connection = new Connection(this.#scheduler, this.server, process);
    const members = new Set<SimMember>();
    const producers = new Set<SimProducer>();
    process.onDeath(() => {
      if ([...producers].some(({ holder }) => broker.transactions.isOpen(holder))) {
        broker.counts.killsInsideTransaction += 1;
      }
    });

    const ask = async <T>(what: string, handle: () => T): Promise<T> => {
      const again = (error: unknown): boolean => error instanceof Unanswered || isRepeatable(error);
      try {
        return await connection.retrying(ADMIN_TIMEOUT, again, () => connection.request(what, handle));
      } catch (error) {
        throw requestError(['simulated'], what, error);
      }
    };
    const port: KafkaPort = {
      async fence(transactionalId) {
        const producer = await fence(broker, connection, transactionalId);
        producers.add(producer);
        return {
          begin: () => producer.begin(),
          async close() {
            await producer.close();
            // Its transaction may be open all the same: what it was counts when the process dies.
            if (!broker.transactions.isOpen(producer.holder)) producers.delete(producer);
          },
        };
      },
      joinGroup: ({ groupId, topics, cooperative = false }) => {
        const member = new SimMember(broker, this.#groups, connection, {
          groupId,
          topics,
          cooperative,
          committed: (partitions) => port.committedOffsets(groupId, partitions),
          partitionCounts: (names) => port.partitionCounts(names),
        });
        members.add(member);
        return member;
      },
      committedOffsets: (groupId, partitions) =>
        ask(`reading the committed offsets of ${groupId}`, () => {
          broker.coordinator(groupId);
          return partitions.map(({ topic, partition }) => ({
            topic,
            partition,
            ...broker.committedOffset(groupId, { topic, partition }),
          }));
        }),
      endOffsets: (partitions, { partial = false } = {}) =>
        ask('reading the end offsets', () =>
          partitions.flatMap(({ topic, partition }) => {
            const { start, lastStable, led } = this.#partition(topic, partition);
            if (led) return [{ topic, partition, start, end: lastStable }];
            if (partial) return [];
            throw new Refusal('LEADER_NOT_AVAILABLE');
          }),
        ),
      topicIdentities: (topics) =>
        ask('reading the ids of topics', () =>
          topics.map((topic) => ({
            topic,
            id: topicId(topic, this.#turns.get(topic) ?? 0),
            partitions: broker.partitions(topic).length || null,
          })),
        ),
      partitionCounts: (topics) =>
        ask('reading topic metadata', () => topics.map((topic) => broker.partitions(topic).length || null)),
      recordAt: ({ topic, partition }, offset) =>
        ask('reading a record by its offset', () => {
          const place = this.#partition(topic, partition);
          if (!place.led) throw new Refusal('LEADER_NOT_AVAILABLE');
          return place.recordAt(offset);
        }),
      topicSettings: (topic) => ask(`reading the settings of ${topic}`, () => settingsOf(broker.partitions(topic))),
      async close() {
        await Promise.all([...members].map((member) => member.stop()));
        await Promise.all([...producers].map((producer) => producer.close()));
      },
    };
    return port;
  }

  /** With what commands for people need. */
  client(process: SimProcess): KafkaClient {
    return {
      ...this.port(process),
      firstOffsetSince: async ({ topic, partition }, timestamp) => this.firstOffsetSince(topic, partition, timestamp),
      highWatermarks: async (partitions) =>
        partitions.map(({ topic, partition }) => ({ topic, partition, end: this.offsets(topic, partition).end })),
    };
  }

  #partition(topic: string, partition: number): SimPartition {
    const found = this.#broker.partition(topic, partition);
    if (found === undefined) throw new CodedError('TOPIC', `${topic} has no partition ${partition}`);
    return found;
  }
}

/** What the partitions of a topic keep to, by Kafka's names. */
function settingsOf([first]: readonly SimPartition[]): Readonly<Record<string, string>> | undefined {
  if (first === undefined) return undefined;
  const limit = Number.isFinite(first.maxBatchBytes) ? { 'max.message.bytes': String(first.maxBatchBytes) } : {};
  return { 'cleanup.policy': first.compacted ? 'compact' : 'delete', ...limit };
}
