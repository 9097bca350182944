/**
 * How a consumer of kafkajs fetches, in the place of two modules of it for which one bad partition is everybody's: an
 * error of one partition made a fetch fail as a whole, a leader that moved made the whole group join anew, and a broker
 * that could not be reached stopped the fetching from all others.
 *
 * Here the answers of the other partitions are used. For a leader that moved the metadata are read again, and as long as a
 * partition has no leader they are read again every second. A partition that gets nothing of an answer, because its next
 * batch is larger than what one partition may have of it, is asked for first: a broker gives the first one a whole batch. And a join
 * says which generation it is of (see kept-partitions.ts).
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isUnreachable } from './errors.ts';
import { NO_LEADER } from './metadata.ts';

/** Codes of the protocol. */
const OFFSET_OUT_OF_RANGE = 1;
/** Its leader is another one now, is not known yet, or has not all of its log at hand. */
const STALE: ReadonlySet<number> = new Set([3, 5, 6, 9, 74, 75, 78]);
/** What is there cannot be read: UNKNOWN, CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR. */
const UNREADABLE: ReadonlySet<number> = new Set([-1, 2, 56]);
/** ms */
const REFRESH_INTERVAL = 1_000;
const UNREACHABLE_PAUSE = 200;

/** Groups whose members keep their own positions: an offset out of range is told to them, instead of being set anew and committed. */
export const positionKeepers = new Set<string>();

interface FetchAnswer {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number }[];
  }[];
}

/** Errors of partitions stay with their partitions. */
export async function fetchParser(data: FetchAnswer): Promise<FetchAnswer> {
  return data;
}

export function isOutOfRange(errorCode: number): boolean {
  return errorCode === OFFSET_OUT_OF_RANGE;
}

export function isUnreadable(errorCode: number): boolean {
  return UNREADABLE.has(errorCode);
}

interface FetchedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly fetchedOffset: string;
  readonly lastStableOffset: string;
  readonly rawMessages: readonly unknown[];
}

interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}
interface AskedPartitions {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number }[];
}

/** The part of kafkajs' ConsumerGroup that is used here (2.2.4: src/consumer/consumerGroup.js). */
interface ConsumerGroup {
  readonly groupId: string;
  readonly generationId: number | null;
  readonly cluster: {
    refreshMetadata(): Promise<void>;
    removeBroker(broker: { host: unknown; port: unknown }): void;
    findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[];
    fetchTopicsOffset(topics: readonly AskedPartitions[]): Promise<{ topic: string; partitions: readonly unknown[] }[]>;
  };
  assigned(): readonly TopicPartitions[];
  fetch(nodeId: number | string): Promise<FetchedBatch[]>;
  filterPartitionsByNode(nodeId: number | string, topicPartitions: readonly TopicPartitions[]): TopicPartitions[];
  recoverFromFetch(error: unknown): Promise<void>;
  recoverFromOffsetOutOfRange(place: { topic: string; partition: number }): Promise<void>;
  instrumentationEmitter: { emit(event: string, payload?: object): void };
}
/** What a join tells lacks the generation. */
const GROUP_JOIN = 'consumer.group_join';

export type ConsumerGroupClass = new (options: ConsumerGroup) => ConsumerGroup;

/** `errorOf`: the error of a code of the protocol. */
export function consumerGroupOf(Original: ConsumerGroupClass, errorOf: (code: number) => Error): ConsumerGroupClass {
  return class extends Original {
    #refreshedAt = -Infinity;
    /** By node: partitions that got nothing though there was something, the one that waits longest first. */
    readonly #hungry = new Map<string, Map<string, { readonly topic: string; readonly partition: number }>>();

    constructor(options: ConsumerGroup) {
      super(options);
      const { cluster, instrumentationEmitter } = options;
      this.instrumentationEmitter = {
        emit: (event, payload) =>
          instrumentationEmitter.emit(
            event,
            event === GROUP_JOIN ? { ...payload, generationId: this.generationId } : payload,
          ),
      };
      const fetchTopicsOffset = cluster.fetchTopicsOffset.bind(cluster);
      // Where to begin, of what was never committed: without those that nobody can tell now.
      cluster.fetchTopicsOffset = async (topics) => {
        const led = topics.map(({ topic, partitions, ...rest }) => ({
          ...rest,
          topic,
          partitions: partitions.filter(({ partition }) => this.#hasLeader(topic, partition)),
        }));
        const found = await fetchTopicsOffset(led);
        return topics.map(({ topic }) => found.find((row) => row.topic === topic) ?? { topic, partitions: [] });
      };
    }

    override async fetch(nodeId: number | string): Promise<FetchedBatch[]> {
      await this.#lookForLeaders();
      const batches = await super.fetch(nodeId);
      const good: FetchedBatch[] = [];
      for (const batch of batches) {
        const { errorCode } = batch;
        const told = isUnreadable(errorCode) || (isOutOfRange(errorCode) && positionKeepers.has(this.groupId));
        if (errorCode === 0 || told) good.push(batch);
        else if (isOutOfRange(errorCode)) await this.recoverFromOffsetOutOfRange(batch);
        else if (STALE.has(errorCode)) await this.#refresh();
        else await this.recoverFromFetch(errorOf(errorCode));
      }
      this.#noteHungry(String(nodeId), good);
      return good;
    }

    override filterPartitionsByNode(
      nodeId: number | string,
      topicPartitions: readonly TopicPartitions[],
    ): TopicPartitions[] {
      const found = super.filterPartitionsByNode(nodeId, topicPartitions);
      const [first] = this.#hungry.get(String(nodeId))?.values() ?? [];
      if (first === undefined) return found;
      const order = <T>(list: readonly T[], isFirst: (one: T) => boolean): T[] => [
        ...list.filter(isFirst),
        ...list.filter((one) => !isFirst(one)),
      ];
      return order(found, ({ topic }) => topic === first.topic).map(({ topic, partitions }) => ({
        topic,
        partitions:
          topic === first.topic ? order(partitions, (partition) => partition === first.partition) : partitions,
      }));
    }

    override async recoverFromFetch(error: unknown): Promise<void> {
      const { name, host, port } = error as { name?: string; host?: unknown; port?: unknown };
      if (!isUnreachable(error)) return super.recoverFromFetch(error);
      if (name === 'KafkaJSConnectionClosedError') this.cluster.removeBroker({ host, port });
      await this.cluster.refreshMetadata();
      await pause(UNREACHABLE_PAUSE);
    }

    #hasLeader(topic: string, partition: number): boolean {
      const found = this.cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
      return found !== undefined && found.leader !== NO_LEADER;
    }

    async #lookForLeaders(): Promise<void> {
      if (performance.now() - this.#refreshedAt < REFRESH_INTERVAL) return;
      const missing = this.assigned().some(({ topic, partitions }) => {
        const led = new Set(
          this.cluster
            .findTopicPartitionMetadata(topic)
            .filter(({ leader }) => leader !== NO_LEADER)
            .map(({ partitionId }) => partitionId),
        );
        return partitions.some((partition) => !led.has(partition));
      });
      if (missing) await this.#refresh();
    }

    async #refresh(): Promise<void> {
      if (performance.now() - this.#refreshedAt < UNREACHABLE_PAUSE) return;
      this.#refreshedAt = performance.now();
      await this.cluster.refreshMetadata();
    }

    #noteHungry(nodeId: string, batches: readonly FetchedBatch[]): void {
      const hungry = this.#hungry.get(nodeId) ?? new Map<string, { topic: string; partition: number }>();
      this.#hungry.set(nodeId, hungry);
      const still = new Set<string>();
      for (const { topic, partition, rawMessages, errorCode, fetchedOffset, lastStableOffset } of batches) {
        const key = `${topic}/${partition}`;
        if (errorCode !== 0 || rawMessages.length > 0 || BigInt(lastStableOffset) <= BigInt(fetchedOffset)) continue;
        still.add(key);
        if (!hungry.has(key)) hungry.set(key, { topic, partition });
      }
      for (const key of hungry.keys()) if (!still.has(key)) hungry.delete(key);
    }
  };
}
