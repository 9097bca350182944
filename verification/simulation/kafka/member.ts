/**
 * A member of a consumer group, as `src/engine/kafka/kafkajs/group-member.ts` makes it out of kafkajs. A generation begins with its
 * assignment; nothing is delivered before `onAssigned` has resolved; a partition begins at the committed offset as it is
 * then, or where the receiver sought; what a cooperative member keeps goes on where it is. A batch that was fetched for an older generation, before a seek or before a pause
 * is dropped. Who was paused or cut off delivers what had come, until it learns that the group went on without it.
 *
 * A fetch is sent only when there is something to be had: the broker would keep it waiting otherwise.
 */
import { CodedError } from '../../../src/engine/errors.ts';
import { commonPartitionCount } from '../../../src/engine/kafka/kafkajs/assigner.ts';
import { keptPartitions, type HeldGeneration } from '../../../src/engine/kafka/kafkajs/kept-partitions.ts';
import { kafkaError } from '../../../src/engine/kafka/kafkajs/errors.ts';
import type {
  CommittedOffset,
  GroupHandlers,
  GroupMember,
  RecordBatch,
  TopicPartition,
} from '../../../src/engine/kafka/port.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Scheduled } from '../kernel/scheduler.ts';
import { isRepeatable, Refusal, Unanswered } from './answers.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import { fetchFrom, hasMore } from './fetch.ts';
import type { Assignment, GroupClient, Groups, Joined } from './groups.ts';
import type { SimPartition } from './partition.ts';

/** ms for which kafkajs goes on trying before it gives the consumer up */
const PATIENCE = 60_000;
/** ms: the time-out of a rebalance and of a request */
const JOIN_TIMEOUT = 25_000;
const HEARTBEAT_INTERVAL = 300;
const LEAVE_TIMEOUT = 5_000;
/** ms until what was written is fetched: mostly few */
const FETCH_DELAY = 40;
/** ms between questions for an offset that is out of range, of a receiver that keeps its own positions */
const LOOK_FOR_OFFSET = 1_000;
/** kafkajs commits this when the offset it asked for is gone. */
const EARLIEST = -2;

interface Generation extends HeldGeneration {
  open: boolean;
  readonly positions: Map<SimPartition, number>;
}

export interface MemberOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly cooperative: boolean;
  readonly committed: (partitions: readonly TopicPartition[]) => Promise<readonly CommittedOffset[]>;
  readonly partitionCounts: (topics: readonly string[]) => Promise<readonly (number | null)[]>;
}

export class SimMember implements GroupMember, GroupClient {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly process: SimProcess;
  readonly #options: MemberOptions;
  readonly #broker: Broker;
  readonly #groups: Groups;
  readonly #connection: Connection;
  readonly #paused = new Set<SimPartition>();
  readonly #watched = new Set<SimPartition>();
  /** Their next offset is not in the log, and nobody has sought another one yet. */
  readonly #outOfRange = new Set<SimPartition>();
  #handlers: GroupHandlers | undefined;
  #generation: Generation | undefined;
  #joining = false;
  #joined: Joined = { memberId: '', after: 0 };
  /** Came before the answer of the join that it belongs to. */
  #early: Assignment | undefined;
  /** Set while an assignment is waited for. */
  #impatience: Scheduled | undefined;
  #fetching = false;
  #fetchSoon = false;
  #failingSince: number | undefined;
  #starting: { resolve(): void; reject(error: Error): void } | undefined;
  #failure: Error | undefined;
  #stopped: Promise<void> | undefined;

  constructor(broker: Broker, groups: Groups, connection: Connection, options: MemberOptions) {
    this.#broker = broker;
    this.#groups = groups;
    this.#connection = connection;
    this.#options = options;
    this.groupId = options.groupId;
    this.topics = options.topics;
    this.process = connection.process;
    this.process.onDeath(() => this.#unwatch());
  }

  get memberId(): string {
    return this.#joined.memberId;
  }

  get heard(): boolean {
    return this.#connection.reaches;
  }

  get stopped(): boolean {
    return this.#stopped !== undefined;
  }

  async start(handlers: GroupHandlers): Promise<void> {
    if (this.#handlers !== undefined) {
      throw new CodedError('KAFKA', `the member of ${this.groupId} was started twice`);
    }
    this.#handlers = handlers;
    try {
      const counts = await this.#options.partitionCounts(this.topics);
      commonPartitionCount(this.topics.map((topic, index) => ({ topic, partitions: counts[index] ?? 0 })));
      if (this.stopped) return;
      await new Promise<void>((resolve, reject) => {
        this.#starting = { resolve, reject };
        void this.#join();
      });
    } catch (error) {
      await this.stop();
      throw kafkaError(`joining group ${this.groupId}`, error);
    } finally {
      this.#starting = undefined;
    }
  }

  pause(topic: string, partition: number): void {
    const place = this.#owned(topic, partition);
    if (place !== undefined) this.#paused.add(place);
  }

  resume(topic: string, partition: number): void {
    const place = this.#owned(topic, partition);
    if (place === undefined) return;
    this.#paused.delete(place);
    this.#wake();
  }

  seek(topic: string, partition: number, offset: number): void {
    const place = this.#owned(topic, partition);
    if (place === undefined) return;
    this.#generation?.positions.set(place, offset);
    this.#outOfRange.delete(place);
    this.#wake();
  }

  /** With the next heartbeat that is answered so. */
  async confirmed(): Promise<void> {
    const { scheduler } = this.#connection;
    for (;;) {
      await this.#connection.sleep(scheduler.random.below(HEARTBEAT_INTERVAL));
      const generation = this.#generation;
      if (this.stopped) return new Promise(() => undefined);
      if (generation === undefined) continue;
      const current = await this.#connection
        .request(`heartbeat ${this.groupId}`, () =>
          this.#groups.isCurrent(this.groupId, this.memberId, generation.generationId),
        )
        .catch(() => false);
      if (current && this.#generation === generation) return;
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#generation = undefined;
    this.#unwatch();
    this.#impatience?.cancel();
    this.#starting?.resolve();
    if (this.memberId === '') return;
    const leave = (): Promise<void> =>
      this.#connection.request(`leave ${this.groupId}`, () => this.#groups.leave(this, this.memberId));
    // If it does not get through, the session times out.
    await this.#connection.deadline(LEAVE_TIMEOUT, 'leaving the group', leave).catch(() => undefined);
  }

  #owned(topic: string, partition: number): SimPartition | undefined {
    return this.#generation?.partitions.includes(partition) === true
      ? this.#broker.partition(topic, partition)
      : undefined;
  }

  abandoned(): void {
    this.#crash(new Unanswered('No broker available'));
  }

  told(): boolean {
    if (this.#joining) return false;
    void this.#join();
    return true;
  }

  async #join(): Promise<void> {
    this.#joining = true;
    this.#early = undefined;
    this.#impatience?.cancel();
    const again = (error: unknown): boolean =>
      !this.stopped && (error instanceof Unanswered || isRepeatable(error) || this.#forgotten(error));
    try {
      this.#joined = await this.#connection.retrying(PATIENCE, again, () =>
        this.#connection.request(`join ${this.groupId}`, () => {
          this.#broker.coordinator(this.groupId);
          return this.#groups.join(this, this.memberId, this.#generation?.partitions ?? []);
        }),
      );
      if (this.stopped) return;
      this.#impatience = this.#connection.scheduler.after(JOIN_TIMEOUT, this.process, () => this.told());
    } catch (error) {
      this.#crash(error);
    } finally {
      this.#joining = false;
    }
    if (this.#early !== undefined) this.assigned(this.#early);
  }

  #forgotten(error: unknown): boolean {
    const forgotten = error instanceof Refusal && error.type === 'UNKNOWN_MEMBER_ID';
    if (forgotten) this.#joined = { memberId: '', after: 0 };
    return forgotten;
  }

  assigned(assignment: Assignment): void {
    const handlers = this.#handlers;
    if (handlers === undefined || this.stopped) return;
    if (this.#joining) {
      this.#early = assignment;
      return;
    }
    // The answers of two joins may overtake each other here, which they do not on one connection: the later generation counts.
    if (
      assignment.memberId !== this.memberId ||
      assignment.generation <= Math.max(this.#joined.after, this.#generation?.generationId ?? 0)
    ) {
      return;
    }
    const { generation: generationId, partitions, memberId } = assignment;
    this.#impatience?.cancel();
    this.#impatience = undefined;
    const kept = this.#options.cooperative
      ? keptPartitions(this.#generation, { memberId, generationId, partitions })
      : new Set<number>();
    const isKept = (place: SimPartition): boolean => kept.has(place.partition);
    for (const place of this.#paused) if (!isKept(place)) this.#paused.delete(place);
    this.#unwatch((place) => !isKept(place));
    const positions = new Map([...(this.#generation?.positions ?? [])].filter(([place]) => isKept(place)));
    const generation: Generation = { generationId, memberId, partitions, kept, open: false, positions };
    this.#generation = generation;
    this.#open(generation, handlers).catch((error: unknown) => {
      if (this.#generation === generation) this.#crash(error);
    });
    this.#starting?.resolve();
  }

  async #open(generation: Generation, handlers: GroupHandlers): Promise<void> {
    const assigned = handlers.onAssigned(generation.partitions, [...generation.kept]);
    this.#wake();
    await assigned;
    if (this.#generation !== generation) return;
    const all = this.topics.flatMap((topic) =>
      generation.partitions
        .filter((partition) => !generation.kept.has(partition))
        .map((partition) => this.#broker.partition(topic, partition)!),
    );
    const committed = all.length === 0 ? [] : await this.#options.committed(all);
    if (this.#generation !== generation) return;
    for (const [index, { offset }] of committed.entries()) {
      const partition = all[index]!;
      if (offset !== null && !generation.positions.has(partition)) generation.positions.set(partition, offset);
    }
    generation.open = true;
    for (const partition of all) {
      this.#watched.add(partition);
      partition.watchers.add(this.#wake);
    }
    this.#wake();
  }

  readonly #wake = (): void => {
    if (this.#fetchSoon || this.#fetching || !this.process.alive || this.#generation === undefined) return;
    if (![...this.#watched].some((partition) => this.#hasMore(partition))) return;
    this.#fetchSoon = true;
    const { scheduler } = this.#connection;
    scheduler.after(scheduler.skewed() * FETCH_DELAY, this.process, () => {
      this.#fetchSoon = false;
      void this.#fetch();
    });
  };

  #hasMore(partition: SimPartition): boolean {
    return (
      !this.#paused.has(partition) &&
      !this.#outOfRange.has(partition) &&
      hasMore(partition, this.#generation?.positions.get(partition))
    );
  }

  async #fetch(): Promise<void> {
    const generation = this.#generation;
    if (this.#fetching || generation === undefined || this.#joining || this.#impatience !== undefined) return;
    this.#fetching = true;
    try {
      const wanted = [...this.#watched]
        .filter((partition) => this.#hasMore(partition))
        .map((partition) => ({ partition, from: generation.positions.get(partition) }));
      if (wanted.length === 0) return;
      const fetched = await this.#connection.request(`fetch ${this.groupId}`, () =>
        wanted.map(({ partition, from }) => fetchFrom(this.#connection.scheduler.random, partition, from)),
      );
      this.#failingSince = undefined;
      for (const [index, batch] of fetched.entries()) {
        if (batch !== 'out of range') continue;
        if (this.#handlers?.onOutOfRange === undefined) await this.#startOver(generation, wanted[index]!.partition);
        else this.#tell(generation, wanted[index]!.partition);
      }
      await Promise.all(
        fetched.map((batch) => (batch === 'out of range' ? undefined : this.#deliver(generation, batch))),
      );
    } catch (error) {
      await this.#failed(error);
    } finally {
      this.#fetching = false;
    }
    this.#wake();
  }

  async #deliver(generation: Generation, batch: RecordBatch): Promise<void> {
    const { topic, partition, fetchedFrom, next } = batch;
    const place = this.#broker.partition(topic, partition)!;
    if (
      this.#generation !== generation ||
      this.#handlers === undefined ||
      this.#paused.has(place) ||
      next === fetchedFrom
    ) {
      return;
    }
    if ((generation.positions.get(place) ?? fetchedFrom) !== fetchedFrom) return;
    generation.positions.set(place, next);
    try {
      await this.#handlers.onRecords(batch);
    } catch (error) {
      this.#crash(error);
    }
  }

  /** A receiver that keeps its own positions is told, again and again until it has sought another one. */
  #tell(generation: Generation, partition: SimPartition): void {
    if (this.#generation !== generation || this.#outOfRange.has(partition)) return;
    this.#outOfRange.add(partition);
    this.#handlers?.onOutOfRange?.(partition.topic, partition.partition);
    this.#connection.scheduler.after(LOOK_FOR_OFFSET, this.process, () => {
      this.#outOfRange.delete(partition);
      this.#wake();
    });
  }

  /** What kafkajs does when the offset is gone: it commits "from the beginning", in its generation, and reads from there. */
  async #startOver(generation: Generation, partition: SimPartition): Promise<void> {
    await this.#connection.request(`reset ${partition.topic}-${partition.partition}`, () => {
      this.#broker.coordinator(this.groupId);
      if (!this.#groups.isCurrent(this.groupId, this.memberId, generation.generationId)) {
        throw new Refusal('ILLEGAL_GENERATION');
      }
      this.#broker.offsets.commit(this.groupId, {
        topic: partition.topic,
        partition: partition.partition,
        offset: EARLIEST,
        metadata: '',
      });
    });
    generation.positions.delete(partition);
  }

  async #failed(error: unknown): Promise<void> {
    const { scheduler } = this.#connection;
    if (!(error instanceof Unanswered) && !(error instanceof Refusal)) {
      this.#crash(error);
      return;
    }
    if (error instanceof Refusal && error.type === 'ILLEGAL_GENERATION') this.told();
    this.#failingSince ??= scheduler.now;
    if (scheduler.now - this.#failingSince > PATIENCE) this.#crash(error);
    else await this.#connection.sleep(100 + scheduler.random.below(900));
  }

  #unwatch(which: (partition: SimPartition) => boolean = () => true): void {
    for (const partition of this.#watched) {
      if (!which(partition)) continue;
      partition.watchers.delete(this.#wake);
      this.#watched.delete(partition);
    }
  }

  #crash(error: unknown): void {
    if (this.stopped || this.#failure !== undefined) return;
    this.#failure = kafkaError(`the member of group ${this.groupId}`, error);
    if (this.#starting !== undefined) {
      this.#starting.reject(this.#failure);
      return;
    }
    void this.stop();
    this.#handlers?.onCrash(this.#failure);
  }
}
