/**
 * The bridge process: a member of the consumer group over the inputs, with what the group assigns to it ({@link Assignment}).
 * A failure of the member ends all of it and joins the group anew, with back-off, until it is told to stop. Inputs that differ in
 * their partitions end a bridge that starts; one that had joined before waits, since somebody may be adding partitions to
 * one input after the other.
 */
import { noticingSplitKeys } from './noticing-split-keys.ts';
import { Membership, type Service } from '../process/service.ts';
import { TopicRooms } from '../kafka/topic-rooms.ts';
import { Assignment, type AssignmentDeps } from './assignment.ts';
import { type BridgeSettings } from './bridge-settings.ts';
import { HistoryGuard } from './history-guard.ts';
import type { PartitionWait } from './waits.ts';

export type BridgeDeps = Omit<AssignmentDeps, 'member' | 'onFailure' | 'guard' | 'rooms'>;

/** ms for what is on its way to Temporal when the bridge is told to stop. */
const DRAIN_TIMEOUT = 10_000;
/** ms that the first partitions are waited for, before the bridge is ready: one that cannot be taken holds up nothing. */
const TAKING = 2_000;
/** ms without a turn of the loop that moves records, which turns every second when there is nothing to do. */
const STUCK_AFTER = 60_000;

export class Bridge implements Service {
  readonly #settings: BridgeSettings;
  readonly #deps: BridgeDeps;
  readonly #guard: HistoryGuard;
  readonly #rooms: TopicRooms;
  #assignment: Assignment | undefined;
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
    return this.#membership.problem ?? this.#assignment?.problem;
  }

  get notLive(): string | undefined {
    const { clock } = this.#deps;
    const turned = this.#assignment?.lastTurn ?? null;
    const silence = turned === null ? 0 : clock.elapsed() - turned;
    return silence > STUCK_AFTER ? `no record was moved or looked for in ${Math.floor(silence / 1_000)} s` : undefined;
  }

  describe() {
    return this.#assignment?.describe() ?? [];
  }

  /** Partitions of it, taken or not. */
  get partitions(): readonly number[] {
    return this.#assignment?.partitions ?? [];
  }

  get holds(): number {
    return this.partitions.length;
  }

  get partitionsWaiting(): readonly PartitionWait[] {
    return this.#assignment?.partitionsWaiting ?? [];
  }

  /** Workflows whose signals wait. */
  get workflowsWaiting(): number {
    return this.#assignment?.workflowsWaiting ?? 0;
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
    const { kafka, logger, observer } = this.#deps;
    const { groupId, inputTopics, instance } = this.#settings;
    const member = kafka.joinGroup({ groupId, topics: inputTopics, cooperative: true, ...(instance && { instance }) });
    let onStop: () => void = () => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        if (stopping.aborted) resolve();
        onStop = resolve;
        stopping.addEventListener('abort', onStop, { once: true });
        const assignment = new Assignment(this.#settings, {
          ...this.#deps,
          guard: this.#guard,
          rooms: this.#rooms,
          member,
          onFailure: reject,
        });
        this.#assignment = assignment;
        let first = true;
        member
          .start({
            onAssigned: async (partitions, kept = []) => {
              assignment.assign(partitions, kept);
              observer.rebalanced?.();
              logger.info({ partitions, kept: kept.length }, 'partitions assigned');
              if (first) await assignment.attempted(TAKING);
              first = false;
              joined();
            },
            onRecords: async (batch) => assignment.offer(batch),
            onOutOfRange: (topic, partition) => {
              logger.debug({ topic, partition }, 'the next offset is not in the log');
              assignment.outOfRange(topic, partition);
            },
            onUnreadable: (_, partition, text) => assignment.unreadable(partition, text),
            onCrash: reject,
          })
          .catch(reject);
      });
      await this.#assignment?.drain(DRAIN_TIMEOUT);
    } finally {
      stopping.removeEventListener('abort', onStop);
      await this.#assignment?.end();
      this.#assignment = undefined;
      await member.stop();
    }
  }
}
