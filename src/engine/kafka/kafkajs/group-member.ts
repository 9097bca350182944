/**
 * A consumer group member on kafkajs, for receivers that keep their own positions. Nothing is ever committed here.
 *
 * Generation: begins with GROUP_JOIN, which kafkajs emits before it fetches for the new assignment. Its gate opens when
 * `onAssigned` has resolved; batches wait at the gate, sending heartbeats meanwhile.
 *
 * A cooperative member keeps what a generation leaves to it (kept-partitions.ts): positions and pauses stay. Its batches pass a
 * closed gate wherever the position is known, because it was kept or sought.
 *
 * Position: the offset at which the next batch of a partition has to begin. At the gate's opening it is the committed
 * offset as it is then (kafkajs asked for it earlier, when the holder before us may still have been committing), or
 * what the receiver sought; afterwards the end of the batch before. A batch that begins elsewhere was fetched for an
 * older generation or before a seek: it is dropped and fetched again from the position. Only when that comes out
 * elsewhere a second time, because the broker no longer has the offset, is it delivered, for the receiver to judge.
 */
import type { KafkaConfig } from '../kafka-config.ts';
import { CodedError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { coPartitionedAssigner, commonPartitionCount } from './assigner.ts';
import { isSameGeneration, keptPartitions, type HeldGeneration } from './kept-partitions.ts';
import { createClient, PATIENT_RETRY } from './client.ts';
import type { Client, SocketFactory } from './client.ts';
import { kafkaError } from './errors.ts';
import { positionKeepers } from './fetching.ts';
import type { KafkaJsBatch, KafkaJS } from './library.ts';
import type { CommittedOffset, GroupHandlers, GroupMember, InRecord, JoinOptions, TopicPartition } from '../port.ts';
import type { Refusal } from './records.ts';
import { timestampOf } from '../record-timestamp.ts';
import { SESSION_TIMEOUT, withMemberTimeout } from './member-timeout.ts';
import { withInstanceId } from './static-member.ts';
import { deadline, pause } from './timing.ts';

const REBALANCE_TIMEOUT = 20_000;
const HEARTBEAT_INTERVAL = 300;
/** bytes */
const MAX_BYTES_PER_PARTITION = 512 * 1024;
const MAX_BYTES = 4 * 1024 * 1024;
/** ms that a fetch waits for the first byte; also how late a resume or a seek may take effect */
const MAX_WAIT = 150;
/** Batches handed out at the same time: more than the partitions of a fetch, since handing out is only queueing. */
const CONCURRENCY = 128;
/** ms */
const LEAVE_TIMEOUT = 5_000;
/** ms between looks at a batch that cannot be decoded: its retention may end, or somebody deletes it. */
const LOOK_AGAIN = 10_000;
/** ms between questions for an offset that is out of range. */
const LOOK_FOR_OFFSET = 1_000;

export interface GroupMemberOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly cooperative: boolean;
  readonly instance?: JoinOptions['instance'];
  /** Committed offsets now. */
  readonly committed: (partitions: readonly TopicPartition[]) => Promise<readonly CommittedOffset[]>;
  readonly partitionCounts: (topics: readonly string[]) => Promise<readonly (number | null)[]>;
  readonly socketFactory?: SocketFactory;
}

/** What kafkajs tells of a join; the generation is of ours (fetching.ts). */
interface GroupJoin {
  readonly memberId: string;
  readonly generationId: number;
  readonly memberAssignment: Readonly<Record<string, readonly number[]>>;
}

interface Generation extends HeldGeneration {
  /** Settles when `open` is final: the receiver is ready, or it has failed. Never rejects. */
  opened: Promise<void>;
  open: boolean;
  /** By {@link keyOf}. */
  readonly positions: Map<string, number>;
  /** Positions that were sought again once; by key and offset. */
  readonly sought: Set<string>;
}

export function createGroupMember(config: KafkaConfig, logger: Logger, options: GroupMemberOptions): GroupMember {
  return new KafkaGroupMember(config, logger, options);
}

class KafkaGroupMember implements GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #logger: Logger;
  readonly #client: Client;
  readonly #consumer: KafkaJS.Consumer;
  readonly #paused = new Set<string>();
  /** Partitions that end at a batch that cannot be decoded, by key. */
  readonly #refused = new Map<string, NodeJS.Timeout>();
  /** Those who wait for a heartbeat that is answered. */
  readonly #unconfirmed: (() => void)[] = [];
  #handlers: GroupHandlers | undefined;
  #generation: Generation | undefined;
  #starting: Promise<void> | undefined;
  #failure: Error | undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: KafkaConfig, logger: Logger, options: GroupMemberOptions) {
    this.#options = options;
    this.#logger = logger;
    const { socketFactory } = options;
    this.#client = createClient(config, logger, { retry: PATIENT_RETRY, ...(socketFactory ? { socketFactory } : {}) });
    const timeout = options.instance?.timeout ?? config.sessionTimeout;
    const assigner = coPartitionedAssigner(() => this.#claim(), logger);
    this.#consumer = this.#client.kafka.consumer({
      groupId: options.groupId,
      partitionAssigners: [(deps) => withMemberTimeout(withInstanceId(assigner(deps), options.instance?.id), timeout)],
      sessionTimeout: timeout ?? SESSION_TIMEOUT,
      rebalanceTimeout: REBALANCE_TIMEOUT,
      heartbeatInterval: HEARTBEAT_INTERVAL,
      maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
      maxBytes: MAX_BYTES,
      maxWaitTimeInMs: MAX_WAIT,
      readUncommitted: false,
      allowAutoTopicCreation: false,
      // kafkajs would start the consumer anew behind our back; a dead one must be seen to be dead.
      retry: { ...PATIENT_RETRY, restartOnFailure: async () => false },
    });
  }

  async start(handlers: GroupHandlers): Promise<void> {
    if (this.#handlers !== undefined) {
      throw new CodedError('KAFKA', `the member of ${this.#options.groupId} was started twice`);
    }
    this.#handlers = handlers;
    if (handlers.onOutOfRange !== undefined) positionKeepers.add(this.#options.groupId);
    this.#starting = this.#start();
    try {
      await this.#starting;
    } catch (error) {
      await this.stop();
      throw kafkaError(`joining group ${this.#options.groupId}`, error);
    } finally {
      this.#starting = undefined;
    }
  }

  async #start(): Promise<void> {
    const { topics } = this.#options;
    const counts = await this.#options.partitionCounts(topics);
    commonPartitionCount(topics.map((topic, index) => ({ topic, partitions: counts[index] ?? 0 })));

    const consumer = this.#consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.#onJoin(payload as unknown as GroupJoin));
    consumer.on(consumer.events.HEARTBEAT, () => this.#heartbeat());
    consumer.on(consumer.events.CRASH, ({ payload }) => this.#crash(payload.error));
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENCY,
      eachBatch: (payload) => this.#onBatch(payload),
    });
    // run() resolves also when the first join has failed.
    if (this.#failure !== undefined) throw this.#failure;
  }

  pause(topic: string, partition: number): void {
    if (!this.#owned(partition)) return;
    this.#paused.add(keyOf(topic, partition));
    this.#consumer.pause([{ topic, partitions: [partition] }]);
  }

  resume(topic: string, partition: number): void {
    if (!this.#owned(partition)) return;
    this.#paused.delete(keyOf(topic, partition));
    if (this.#refused.has(keyOf(topic, partition))) return;
    this.#consumer.resume([{ topic, partitions: [partition] }]);
  }

  seek(topic: string, partition: number, offset: number): void {
    // kafkajs would keep it for the day when the partition comes back.
    if (!this.#owned(partition)) return;
    const key = keyOf(topic, partition);
    this.#generation?.positions.set(key, offset);
    if (this.#refused.has(key)) {
      this.#forgetRefused(key);
      if (!this.#paused.has(key)) this.#consumer.resume([{ topic, partitions: [partition] }]);
    }
    this.#consumer.seek({ topic, partition, offset: String(offset) });
  }

  /** The broker refuses a heartbeat of any generation but the current one. */
  confirmed(): Promise<void> {
    return new Promise((resolve) => this.#unconfirmed.push(resolve));
  }

  #heartbeat(): void {
    for (const resolve of this.#unconfirmed.splice(0)) resolve();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#generation = undefined;
    for (const key of [...this.#refused.keys()]) this.#forgetRefused(key);
    // A join that is under way cannot be cancelled; once through, the group can be left in good order.
    const starting = this.#starting;
    if (starting !== undefined) await Promise.race([starting.catch(() => undefined), pause(1_000)]);
    await deadline(LEAVE_TIMEOUT, 'leaving the group', () => this.#consumer.disconnect()).catch((error: unknown) => {
      this.#logger.debug({ err: error, groupId: this.#options.groupId }, 'the group was not left in good order');
    });
    this.#client.destroy();
  }

  #owned(partition: number): boolean {
    return this.#generation?.partitions.includes(partition) ?? false;
  }

  /** For the next join. Throws when stopping, which ends kafkajs' attempts to join again. */
  #claim(): readonly number[] {
    if (this.#stopped !== undefined) {
      throw Object.assign(new CodedError('KAFKA', 'this group member is stopping'), { retriable: false });
    }
    return this.#generation?.partitions ?? [];
  }

  /** Called synchronously by kafkajs, before it fetches for the new assignment. */
  #onJoin({ memberId, generationId, memberAssignment }: GroupJoin): void {
    const handlers = this.#handlers;
    if (handlers === undefined || this.#stopped !== undefined) return;
    const [first = ''] = this.#options.topics;
    const partitions = [...(memberAssignment[first] ?? [])].sort((a, b) => a - b);
    const { cooperative } = this.#options;
    if (cooperative && isSameGeneration(this.#generation, { memberId, generationId })) {
      this.#keep(new Set(partitions));
      return;
    }
    const kept = cooperative
      ? keptPartitions(this.#generation, { memberId, generationId, partitions })
      : new Set<number>();
    const positions = this.#keep(kept);
    const generation: Generation = {
      memberId,
      generationId,
      partitions,
      kept,
      opened: Promise.resolve(),
      open: false,
      positions,
      sought: new Set(),
    };
    this.#generation = generation;
    generation.opened = this.#open(generation, handlers).catch((error: unknown) => {
      if (this.#generation === generation) this.#crash(error);
    });
  }

  /** Forgets all but what is of these partitions. Returns their positions, for which kafkajs is told to fetch. */
  #keep(partitions: ReadonlySet<number>): Map<string, number> {
    const lanes = this.#options.topics.flatMap((topic) => [...partitions].map((partition) => ({ topic, partition })));
    const kept = new Set(lanes.map(({ topic, partition }) => keyOf(topic, partition)));
    for (const { topic, partitions: paused } of this.#consumer.paused()) {
      const others = paused.filter((partition) => !kept.has(keyOf(topic, partition)));
      if (others.length > 0) this.#consumer.resume([{ topic, partitions: others }]);
    }
    for (const key of this.#paused) if (!kept.has(key)) this.#paused.delete(key);
    for (const key of [...this.#refused.keys()]) if (!kept.has(key)) this.#forgetRefused(key);
    const positions = new Map<string, number>();
    for (const { topic, partition } of lanes) {
      const key = keyOf(topic, partition);
      const position = this.#generation?.positions.get(key);
      if (position === undefined) continue;
      positions.set(key, position);
      // A join makes kafkajs begin at the committed offsets.
      this.#consumer.seek({ topic, partition, offset: String(position) });
    }
    return positions;
  }

  async #open(generation: Generation, handlers: GroupHandlers): Promise<void> {
    await handlers.onAssigned(generation.partitions, [...generation.kept]);
    if (this.#generation !== generation) return;
    const all = this.#options.topics
      .flatMap((topic) => generation.partitions.map((partition) => ({ topic, partition })))
      .filter(({ topic, partition }) => !generation.positions.has(keyOf(topic, partition)));
    const committed = all.length === 0 ? [] : await this.#options.committed(all);
    for (const { topic, partition, offset } of committed) {
      const key = keyOf(topic, partition);
      if (offset !== null && !generation.positions.has(key)) generation.positions.set(key, offset);
    }
    generation.open = true;
  }

  async #onBatch({
    batch: delivered,
    heartbeat,
    resolveOffset,
    isRunning,
    isStale,
  }: KafkaJS.EachBatchPayload): Promise<void> {
    const batch = delivered as KafkaJsBatch;
    const { topic, partition } = batch;
    const generation = this.#generation;
    if (generation === undefined || this.#handlers === undefined) return;
    const key = keyOf(topic, partition);
    const passes = (): boolean => generation.open || (this.#options.cooperative && generation.positions.has(key));
    while (!passes()) {
      await Promise.race([generation.opened, pause(HEARTBEAT_INTERVAL / 2)]);
      if (this.#generation !== generation || !isRunning()) return;
      await heartbeat();
    }
    if (this.#generation !== generation || !isRunning() || isStale()) return;

    if (this.#paused.has(key)) return;
    if (batch.outOfRange) return this.#outOfRange(topic, partition, Number(batch.fetchedOffset), generation);
    const fetchedFrom = Number(batch.fetchedOffset);
    const position = generation.positions.get(key);
    if (position !== undefined && position !== fetchedFrom && !generation.sought.has(`${key}@${position}`)) {
      generation.sought.add(`${key}@${position}`);
      this.#consumer.seek({ topic, partition, offset: String(position) });
      return;
    }

    if (batch.refusal !== undefined && batch.isEmptyIncludingFiltered()) {
      return this.#refuse(topic, partition, batch.refusal);
    }
    const last = batch.lastOffset();
    if (last === null) return;
    const next = Number(last) + 1;
    generation.positions.set(key, next);
    try {
      await this.#handlers.onRecords({
        topic,
        partition,
        fetchedFrom,
        next,
        end: Number(batch.lastStableOffset),
        records: batch.messages.map(recordOf),
      });
    } catch (error) {
      this.#crash(error);
      return;
    }
    // After a seek or in a new generation the position is no longer ours to move.
    if (this.#generation === generation && !isStale()) resolveOffset(last);
  }

  /** The broker is asked again in a moment, unless the receiver seeks before. */
  #outOfRange(topic: string, partition: number, offset: number, generation: Generation): void {
    const position = generation.positions.get(keyOf(topic, partition));
    if (position !== undefined && position !== offset) {
      this.#consumer.seek({ topic, partition, offset: String(position) });
    } else {
      this.#lookAgain(topic, partition, LOOK_FOR_OFFSET);
      this.#handlers?.onOutOfRange?.(topic, partition);
    }
  }

  /**
   * Nothing of the batch can be read, so nothing after it may be either: this partition waits, and says so, while all
   * others go on.
   */
  #refuse(topic: string, partition: number, { offset, reason }: Refusal): void {
    const text = `${topic}, partition ${partition} waits at offset ${offset} for a batch that cannot be read to be gone`;
    this.#logger.error(
      { topic, partition, offset, reason, retryInMs: LOOK_AGAIN },
      `${text}; the other partitions go on`,
    );
    this.#handlers?.onUnreadable?.(topic, partition, `${text}: ${reason}`);
    this.#lookAgain(topic, partition, LOOK_AGAIN);
  }

  #lookAgain(topic: string, partition: number, ms: number): void {
    const key = keyOf(topic, partition);
    this.#consumer.pause([{ topic, partitions: [partition] }]);
    clearTimeout(this.#refused.get(key));
    const again = setTimeout(() => {
      this.#refused.delete(key);
      if (!this.#paused.has(key)) this.#consumer.resume([{ topic, partitions: [partition] }]);
    }, ms);
    this.#refused.set(key, again.unref());
  }

  #forgetRefused(key: string): void {
    clearTimeout(this.#refused.get(key));
    this.#refused.delete(key);
  }

  #crash(error: unknown): void {
    if (this.#stopped !== undefined || this.#failure !== undefined) return;
    this.#failure = kafkaError(`the member of group ${this.#options.groupId}`, error);
    if (this.#starting !== undefined) return; // start() rejects with it
    const { onCrash } = this.#handlers ?? {};
    void this.stop();
    onCrash?.(this.#failure);
  }
}

function recordOf({ offset, timestamp, key, value, headers }: KafkaJS.KafkaMessage): InRecord {
  return {
    offset: Number(offset),
    ...timestampOf(timestamp),
    key,
    value,
    ...(headers === undefined ? {} : { headers }),
  };
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
