/**
 * Which shards this process works on: those whose ledger partitions it holds in the consumer group of the ledger topic.
 * Membership is for liveness alone; that a shard has one writer is guaranteed by fencing. Nothing is ever committed in
 * this group, its records are what a shard's ledger is restored from: a partition is read while its shard is being
 * opened, and paused otherwise.
 *
 * A shard that stays over a rebalance is left alone. One that was lost by fencing though its partition is still ours is
 * taken again after a random while, when the group has confirmed that it is: in between, whoever has it may keep it.
 */
import { atMost, orAborted, type Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { GroupMember, KafkaPort, RecordBatch } from '../kafka/port.ts';
import { TopicRooms } from '../kafka/topic-rooms.ts';
import type { EncodeOutput, CommitLimits } from './group-commit.ts';
import type { LedgerFeed } from './ledger-reader.ts';
import type { Notice } from './notices.ts';
import type { OnShardEvent, Publisher } from './publisher.ts';
import { shardGroupOf, shardTransactionalIdOf } from '../naming.ts';
import { ShardPublisher } from './shard-publisher.ts';
import type { Identified } from '../workflow/publish-request.ts';

export interface OwnershipOptions<R extends Identified> {
  readonly appId: string;
  readonly outputTopic: string;
  readonly ledgerTopic: string;
  readonly kafka: KafkaPort;
  readonly encode: EncodeOutput<R>;
  readonly clock: Clock;
  /** For people: who holds a shard. */
  readonly host: string;
  readonly newId: () => string;
  /** In [0, 1). */
  readonly random: () => number;
  /** The shard is ready: requests for it may come. */
  readonly onTaken: (shard: number, publisher: Publisher<R>) => void;
  /** Only after `onTaken` of that shard. Its publisher refuses everything from now on. */
  readonly onLost: (shard: number) => void;
  /** The group consumer is dead; nothing is taken over any more: end the process. */
  readonly onCrash: (error: Error) => void;
  readonly onEvent?: OnShardEvent;
  /** The group has assigned shards anew. */
  readonly onAssigned?: (shards: readonly number[]) => void;
  readonly limits?: CommitLimits;
}

export interface Ownership {
  /** Joins the group; shards follow through `onTaken`. Errors: CodedError TOPIC, KAFKA. */
  start(): Promise<void>;
  /** Finishes what is under way, gives the shards back and leaves the group. Never throws. */
  stop(): Promise<void>;
}

/** ms after which a shard that was lost by fencing is taken again: between the two. */
const RETAKE = { from: 5_000, to: 15_000 };

/** ms for the transactions that are under way; a Kafka that does not answer must not hold up the end. */
const CLOSE_TIMEOUT = 10_000;

interface Held<R extends Identified> {
  readonly shard: number;
  readonly publisher: ShardPublisher<R>;
  ready: boolean;
  /** Whether its ledger partition is wanted. */
  reading: boolean;
}

export function createOwnership<R extends Identified>(options: OwnershipOptions<R>): Ownership {
  return new LedgerGroupOwnership(options);
}

class LedgerGroupOwnership<R extends Identified> implements Ownership {
  readonly #options: OwnershipOptions<R>;
  readonly #member: GroupMember;
  readonly #rooms: TopicRooms;
  readonly #held = new Map<number, Held<R>>();
  readonly #closing = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #assigned: ReadonlySet<number> = new Set();

  constructor(options: OwnershipOptions<R>) {
    this.#options = options;
    const { kafka, appId, ledgerTopic } = options;
    this.#rooms = new TopicRooms(kafka, options.clock);
    this.#member = kafka.joinGroup({ groupId: shardGroupOf(appId), topics: [ledgerTopic] });
  }

  start(): Promise<void> {
    return this.#member.start({
      onAssigned: async (partitions) => this.#onAssigned(partitions),
      onRecords: async (batch) => this.#onRecords(batch),
      onCrash: (error) => this.#options.onCrash(error),
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#assigned = new Set();
    for (const held of [...this.#held.values()]) this.#release(held);
    await atMost(this.#options.clock, CLOSE_TIMEOUT, Promise.all(this.#closing));
    await this.#member.stop();
  }

  #onAssigned(partitions: readonly number[]): void {
    if (this.#stopping.signal.aborted) return;
    this.#assigned = new Set(partitions);
    this.#options.onAssigned?.(partitions);
    for (const held of [...this.#held.values()]) {
      if (!this.#assigned.has(held.shard)) this.#release(held);
      // A new generation begins unpaused at the first offset; a shard that is reading seeks its place by itself.
      else if (!held.reading) this.#member.pause(this.#options.ledgerTopic, held.shard);
    }
    for (const shard of partitions) if (!this.#held.has(shard)) this.#take(shard);
  }

  #onRecords(batch: RecordBatch): void {
    this.#held.get(batch.partition)?.publisher.onLedger(batch);
  }

  #take(shard: number): void {
    const { appId, onTaken, onEvent, ...options } = this.#options;
    const publisher = new ShardPublisher({
      ...options,
      rooms: this.#rooms,
      shard,
      transactionalId: shardTransactionalIdOf(appId, shard),
      feed: this.#feedOf(shard, () => this.#held.get(shard) === held),
      onEvent: (event) => {
        onEvent?.(event);
        if (event.type === 'lost') this.#onFenced(held);
      },
    });
    const held: Held<R> = { shard, publisher, ready: false, reading: false };
    this.#held.set(shard, held);
    publisher.open().then(
      () => {
        if (this.#held.get(shard) !== held) return;
        held.ready = true;
        onTaken(shard, publisher);
      },
      () => undefined, // lost or closed before it was ready: both are seen elsewhere
    );
  }

  #release(held: Held<R>): void {
    if (this.#held.get(held.shard) !== held) return;
    this.#held.delete(held.shard);
    if (held.ready) this.#options.onLost(held.shard);
    const closed = held.publisher.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  #onFenced(held: Held<R>): void {
    this.#member.pause(this.#options.ledgerTopic, held.shard);
    this.#release(held);
    void this.#retake(held.shard);
  }

  async #retake(shard: number): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stopping;
    await clock.sleep(RETAKE.from + random() * (RETAKE.to - RETAKE.from), signal);
    // Out of the group without knowing it, it would take the shard from the member that has it by now.
    await orAborted(this.#member.confirmed?.() ?? Promise.resolve(), signal);
    if (!signal.aborted && this.#assigned.has(shard) && !this.#held.has(shard)) this.#take(shard);
  }

  /** `mine`: whether the shard is still held by the publisher that this feed was made for. */
  #feedOf(shard: number, mine: () => boolean): LedgerFeed {
    const { kafka, ledgerTopic } = this.#options;
    let call = 0;
    const reading = (on: boolean): void => {
      const held = this.#held.get(shard);
      if (held !== undefined) held.reading = on;
    };
    return {
      start: async (from) => {
        const mineNow = ++call;
        if (mine()) reading(true);
        const offset = from ?? (await this.#firstOffset(kafka, shard));
        if (mine() && mineNow === call) {
          this.#member.seek(ledgerTopic, shard, offset);
          this.#member.resume(ledgerTopic, shard);
        }
        return offset;
      },
      stop: () => {
        call += 1;
        if (!mine()) return;
        reading(false);
        this.#member.pause(ledgerTopic, shard);
      },
    };
  }

  async #firstOffset(kafka: KafkaPort, shard: number): Promise<number> {
    const [found] = await kafka.endOffsets([{ topic: this.#options.ledgerTopic, partition: shard }]);
    return found?.start ?? 0;
  }
}

const NOTICES: Readonly<Record<Notice, string>> = {
  reset:
    'a workflow was reset to an earlier event. What had waited for an event, a timer or an answer and came out since may come out again; nothing is lost, ' +
    'unless signals were left out of the reset: then its state lacks them; terminate it and build it from history',
  'began-anew':
    'a workflow began anew, and one of the same key before it had published: was it terminated? Unless it was built from history, what that one knew is lost, ' +
    'and what waited in it: terminate it and build it from history',
};

/** One line for a log. */
export function eventText(event: Parameters<OnShardEvent>[0]): string {
  switch (event.type) {
    case 'opened':
      return `shard ${event.shard} is ours: ledger of ${event.keys} keys read in ${event.ms} ms`;
    case 'reopening':
      return `shard ${event.shard} is being opened again: ${messageOf(event.error)}`;
    case 'committed':
      return `shard ${event.shard}: ${event.outputs} outputs of ${event.keys} keys committed in ${event.ms} ms`;
    case 'repeated':
      return `shard ${event.shard}: ${event.requests} requests for what was published before`;
    case 'refused':
      return `shard ${event.shard}: ${event.error.message}`;
    case 'noticed':
      return `shard ${event.shard}: ${NOTICES[event.notice]}`;
    case 'outputRefused':
      return `shard ${event.shard}: ${event.error.message}`;
    case 'outputTaken':
      return `shard ${event.shard}: an output that was refused is published, after ${Math.round(event.ms / 1_000)} s`;
    case 'lost':
      return `shard ${event.shard} is lost: ${messageOf(event.error)}`;
    case 'closed':
      return `shard ${event.shard} is not held any more`;
    default:
      return event satisfies never;
  }
}
