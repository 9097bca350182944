/**
 * The bridge process: a member of the consumer group over the inputs, one {@link Generation} at a time. A failure
 * of Kafka ends the generation and joins the group anew, with back-off, until it is told to stop. Inputs that differ in
 * their partitions end a bridge that starts; one that had joined before waits, since somebody may be adding partitions to
 * one input after the other.
 */
import { noticingSplitKeys } from '../co-partitioning/noticing.ts';
import { Membership, type Service } from '../process/service.ts';
import type { GroupMember } from '../kafka/port.ts';
import { TopicRooms } from '../kafka/topic-rooms.ts';
import { Generation, type GenerationDeps } from './generation.ts';
import { type BridgeSettings } from './bridge-settings.ts';
import { HistoryGuard } from './history-guard.ts';
import type { PartitionWait } from './waits.ts';

export type BridgeDeps = Omit<GenerationDeps, 'member' | 'onFailure' | 'guard' | 'rooms'>;

/** ms for what is on its way to Temporal when the bridge is told to stop. */
const DRAIN_TIMEOUT = 10_000;
/** ms without a turn of a generation's loop, which turns every second when there is nothing to do. */
const STUCK_AFTER = 60_000;

export class Bridge implements Service {
  readonly #settings: BridgeSettings;
  readonly #deps: BridgeDeps;
  readonly #guard: HistoryGuard;
  readonly #rooms: TopicRooms;
  #generation: Generation | undefined;
  readonly #membership: Membership;

  constructor(settings: BridgeSettings, deps: BridgeDeps) {
    this.#settings = settings;
    const { clock, logger, observer } = deps;
    const signaller = noticingSplitKeys(deps.signaller, {
      clock,
      logger,
      onSplit: (key, partitions) => observer.splitKey(key, partitions),
    });
    this.#deps = { ...deps, signaller };
    this.#guard = new HistoryGuard(signaller, clock);
    this.#rooms = new TopicRooms(deps.kafka, clock);
    this.#membership = new Membership({
      ...deps,
      message: 'the bridge lost its place in the group and joins it again',
      attempt: (joined, stopping) => this.#runMember(joined, stopping),
    });
  }

  get notReady(): string | undefined {
    return this.#membership.problem ?? this.#generation?.problem;
  }

  get notLive(): string | undefined {
    const { clock } = this.#deps;
    const turned = this.#generation?.lastTurn ?? null;
    const silence = turned === null ? 0 : clock.elapsed() - turned;
    return silence > STUCK_AFTER ? `no record was moved or looked for in ${Math.floor(silence / 1_000)} s` : undefined;
  }

  describe() {
    return this.#generation?.describe() ?? [];
  }

  /** Partitions of it, taken or not. */
  get partitions(): readonly number[] {
    return this.#generation?.partitions ?? [];
  }

  get holds(): number {
    return this.partitions.length;
  }

  get partitionsWaiting(): readonly PartitionWait[] {
    return this.#generation?.partitionsWaiting ?? [];
  }

  /** Workflows whose signals wait. */
  get workflowsWaiting(): number {
    return this.#generation?.workflowsWaiting ?? 0;
  }

  run(onReady?: () => void): Promise<void> {
    return this.#membership.run(onReady);
  }

  /** Drains and leaves the group. */
  stop(): void {
    this.#membership.stop();
  }

  /** Resolves when stopped; rejects when the member has to be replaced. */
  async #runMember(joined: () => void, stopping: AbortSignal): Promise<void> {
    const { kafka } = this.#deps;
    const { groupId, inputTopics, instance } = this.#settings;
    const member = kafka.joinGroup({ groupId, topics: inputTopics, ...(instance && { instance }) });
    let onStop: () => void = () => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        if (stopping.aborted) resolve();
        onStop = resolve;
        stopping.addEventListener('abort', onStop, { once: true });
        member
          .start({
            onAssigned: async (partitions) => {
              await this.#replaceGeneration(partitions, member, reject);
              joined();
            },
            onRecords: async (batch) => this.#generation?.offer(batch),
            // What the ends of its log say decides what becomes of it.
            onOutOfRange: (topic, partition) =>
              this.#deps.logger.debug({ topic, partition }, 'the next offset is not in the log'),
            onCrash: reject,
          })
          .catch(reject);
      });
      await this.#generation?.drain(DRAIN_TIMEOUT);
    } finally {
      stopping.removeEventListener('abort', onStop);
      await this.#generation?.end();
      this.#generation = undefined;
      await member.stop();
    }
  }

  async #replaceGeneration(
    partitions: readonly number[],
    member: GroupMember,
    onFailure: (error: unknown) => void,
  ): Promise<void> {
    const before = this.#generation;
    const generation = new Generation(this.#settings, {
      ...this.#deps,
      guard: this.#guard,
      rooms: this.#rooms,
      member,
      onFailure,
    });
    this.#generation = generation;
    await before?.end();
    await generation.begin(partitions);
    this.#deps.logger.info({ partitions }, 'partitions assigned');
  }
}
