/**
 * The partition triples that the consumer group has given this member, from generation to generation, and what they share:
 * reading in turns, places for signals, questions for the ends of the logs. A generation that takes some away or brings
 * some touches only those. What fails for one triple is that triple's alone (triple-runner.ts); all end only with the membership,
 * or with what no retry can mend. Whoever has a triple next begins at its committed offsets, and the workflows drop what they
 * already have.
 */
import { setMaxListeners } from 'node:events';
import { atMost, type Clock } from '../clock.ts';
import { jsonDecoders, type DecoderSource } from '../values/value.ts';
import type { KafkaPort, RecordBatch } from '../kafka/port.ts';
import type { TopicRooms } from '../kafka/topic-rooms.ts';
import type { Logger } from '../log.ts';
import type { BridgeObserver, BridgeSettings } from './bridge-settings.ts';
import { HistoryGuard } from './history-guard.ts';
import { InputLanes } from '../ordering/input-lanes.ts';
import { LogEnds } from './log-ends.ts';
import { LogWatch } from './log-watch.ts';
import type { Amount } from '../ordering/signal-outbox.ts';
import type { PartitionTriple } from '../ordering/partition-triple.ts';
import { readingLimits, type ReadingLimits } from '../ordering/reading-limits.ts';
import { SignalSender } from './signal-sender.ts';
import type { Signaller } from './signaller.ts';
import { TripleRunner, type TakenPlace, type TripleMember } from './triple-runner.ts';
import { Waits, type PartitionWait } from './waits.ts';

export type { BridgeObserver, BridgeSettings } from './bridge-settings.ts';

export interface AssignmentDeps {
  readonly kafka: KafkaPort;
  readonly signaller: Signaller;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: BridgeObserver;
  /** How values are decoded; as JSON when absent. */
  readonly decoders?: DecoderSource;
  /** What is known of the workflows' histories outlasts a membership; one of its own when absent. */
  readonly guard?: HistoryGuard;
  /** What each topic takes in one batch: known longer than a membership lasts. */
  readonly rooms: TopicRooms;
  readonly member: TripleMember;
  /** It cannot go on; the member has to join anew. */
  readonly onFailure: (error: unknown) => void;
}

/** Records read at a stretch, before others get the thread. */
const READ_BUDGET = 1_000;
/** ms, for each: what is being taken when it is taken away, and the last commit. What comes later is fenced. */
const STILL_TAKING = 5_000;
const LAST_COMMIT = 5_000;
/** ms that one that drains goes on to send what it has. */
const SENDING_LAST = 500;
/** The reason of a wake-up: without one, an error with a stack is made for each. */
const WOKEN = 'woken';

/** A triple as long as it is this member's. */
interface Held {
  readonly runner: TripleRunner;
  readonly away: AbortController;
  readonly loop: Promise<void>;
}

export class Assignment {
  readonly #settings: BridgeSettings;
  readonly #deps: AssignmentDeps;
  readonly #ended = new AbortController();
  readonly #held = new Map<number, Held>();
  /** The triples that were taken away, by partition: until what was acknowledged of them is committed. */
  readonly #leaving = new Map<number, Promise<void>>();
  readonly #waits: Waits;
  readonly #lanes: InputLanes<unknown>;
  readonly #sender: SignalSender;
  readonly #watch: LogWatch;
  #limits: ReadingLimits = readingLimits(1);
  readonly #loops: Promise<void>[] = [];
  #wake: AbortController = new AbortController();
  #draining = false;
  #sendsNoMore = false;
  #turnedAt: number | null = null;

  constructor(settings: BridgeSettings, deps: AssignmentDeps) {
    const { clock, logger, signaller } = deps;
    this.#settings = settings;
    this.#deps = deps;
    this.#waits = new Waits(logger);
    this.#lanes = new InputLanes({
      inputTopics: settings.inputTopics,
      decode: settings.decode,
      maxRecordBytes: settings.maxRecordBytes,
      member: deps.member,
      decoders: deps.decoders ?? jsonDecoders,
      clock,
      logger,
      ended: this.#ended.signal,
      reading: (partition) => this.#held.get(partition)?.runner.taken?.reading,
      onGap: (partition, input, from, to) => {
        this.#held.get(partition)!.runner.lost(input, from, to);
        return true;
      },
      onOffered: (_, input, records) => {
        deps.observer.read(input, records);
        this.#wakeUp();
      },
      onFailure: deps.onFailure,
    });
    this.#sender = new SignalSender({
      signaller,
      clock,
      logger,
      observer: deps.observer,
      guard: deps.guard ?? new HistoryGuard(signaller, clock),
      rules: settings.rules,
      workflowIdOf: (key) => signaller.workflowIdOf(key),
      onProgress: () => this.#wakeUp(),
    });
    this.#watch = new LogWatch({
      kafka: deps.kafka,
      clock,
      logger,
      inputTopics: settings.inputTopics,
      ended: this.#ended.signal,
      runners: () => this.#runners,
    });
    // Every loop and every triple listens to it.
    setMaxListeners(0, this.#ended.signal);
  }

  get partitions(): readonly number[] {
    return [...this.#held.keys()];
  }

  /** When the loop that moves records last turned, ms of the monotonic clock; null before it starts and when all has ended. */
  get lastTurn(): number | null {
    return this.#ended.signal.aborted ? null : this.#turnedAt;
  }

  /**
   * A generation of the group: begins to take the triples over that it brings, and lets go of those that it takes away. What was
   * `kept` is not touched; of what this member had before, and has again without having kept it, somebody else may have read on.
   */
  assign(partitions: readonly number[], kept: readonly number[] = []): void {
    if (this.#ended.signal.aborted) return;
    for (const [partition, held] of this.#held) if (!kept.includes(partition)) this.#letGo(partition, held);
    this.#limits = readingLimits(partitions.length);
    this.#lanes.share(partitions.length);
    for (const partition of partitions) if (!this.#held.has(partition)) this.#hold(partition);
    // There may be partitions that nobody had before.
    if (this.#loops.length > 0) return void this.#watch.look();
    const { kafka, clock } = this.#deps;
    const ends = new LogEnds({
      kafka,
      clock,
      waits: this.#waits,
      idleTimeout: this.#settings.idleTimeout,
      ended: this.#ended.signal,
      runners: () => this.#runners,
      onEnd: (runner, input, start, end, at) =>
        runner.sawEnd(input, start, end, at, this.#lanes.waits(runner.partition, input)),
      onAnswer: () => this.#wakeUp(),
      onFailure: (error) => this.#fail(error),
    });
    for (const loop of [this.#moveRecords(), ends.run(), this.#watch.run()]) this.#loops.push(this.#guarded(loop));
  }

  /** Resolves when there was a first attempt to take each triple, or after `patience` ms. */
  attempted(patience: number): Promise<void> {
    return atMost(this.#deps.clock, patience, Promise.all(this.#runners.map(({ attempted }) => attempted)));
  }

  /** Why records wait though this bridge is well; undefined when none do. */
  get problem(): string | undefined {
    if (this.#ended.signal.aborted) return undefined;
    const now = this.#deps.clock.elapsed();
    return this.#waits.problem(now) ?? this.#lanes.problem ?? this.#sender.problem(now);
  }

  get partitionsWaiting(): readonly PartitionWait[] {
    return this.#ended.signal.aborted ? [] : this.#waits.list;
  }

  get workflowsWaiting(): number {
    return this.#ended.signal.aborted ? 0 : this.#sender.workflowsWaiting;
  }

  offer(batch: RecordBatch): void {
    this.#waits.end(batch.partition, 'batch', this.#deps.clock.elapsed());
    this.#lanes.offer(batch);
  }

  /** A broker has refused the next offset: what the ends of the log say decides what becomes of it. */
  outOfRange(topic: string, partition: number): void {
    const input = this.#settings.inputTopics.indexOf(topic);
    this.#held.get(partition)?.runner.doubt([input]);
  }

  /** A batch stands in the way that nobody can read. */
  unreadable(partition: number, text: string): void {
    if (this.#held.has(partition)) this.#waits.begin(partition, 'batch', text, this.#deps.clock.elapsed());
  }

  /**
   * Sends what is released without waiting for more, and resolves when it is acknowledged and committed. After a moment nothing is sent
   * any more: whoever reads on sends what is left, and a long way behind that is much. After `timeout` ms nothing is waited for.
   */
  async drain(timeout: number): Promise<void> {
    const { clock } = this.#deps;
    this.#draining = true;
    for (const { triple } of this.#allTaken) triple.outbox.drain();
    this.#wakeUp();
    const began = clock.elapsed();
    const isOver = (): boolean =>
      this.#ended.signal.aborted ||
      clock.elapsed() - began >= timeout ||
      this.#sum(({ outbox }) => outbox.going) === 0 ||
      (this.#sendsNoMore && this.#sum(({ outbox }) => outbox.flying) === 0);
    while (!isOver()) {
      await clock.sleep(20);
      this.#sendsNoMore = clock.elapsed() - began >= SENDING_LAST;
    }
    await this.end();
  }

  /** Nothing starts any more; what was acknowledged is committed if that is still possible. Never throws. */
  async end(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#wakeUp();
    for (const [partition, held] of this.#held) this.#letGo(partition, held);
    await Promise.all(this.#leaving.values());
  }

  describe() {
    return this.#allTaken.map(({ triple }) => ({ partition: triple.partition, ...triple.describe() }));
  }

  get #runners(): readonly TripleRunner[] {
    return [...this.#held.values()].map(({ runner }) => runner);
  }

  get #allTaken(): readonly TakenPlace[] {
    return [...this.#held.values()].flatMap(({ runner }) => runner.taken ?? []);
  }

  #sum(of: (triple: PartitionTriple) => number): number {
    return this.#allTaken.reduce((sum, { triple }) => sum + of(triple), 0);
  }

  #hold(partition: number): void {
    const { kafka, clock, logger, observer, member, rooms, signaller } = this.#deps;
    const away = new AbortController();
    setMaxListeners(0, away.signal);
    const before = this.#leaving.get(partition);
    const runner = new TripleRunner(partition, {
      settings: this.#settings,
      kafka,
      clock,
      logger,
      observer,
      member,
      lanes: this.#lanes,
      waits: this.#waits,
      rooms,
      workflowIdOf: (key) => signaller.workflowIdOf(key),
      ended: away.signal,
      ...(before && { after: before }),
      onTaken: () => this.#taken(partition),
      onShort: () => void this.#watch.look(),
    });
    this.#held.set(partition, { runner, away, loop: this.#guarded(runner.run()) });
  }

  #letGo(partition: number, held: Held): void {
    this.#held.delete(partition);
    held.away.abort();
    this.#lanes.drop(partition);
    this.#waits.forget(partition);
    const left = this.#leave(held).finally(() => {
      if (this.#leaving.get(partition) === left) this.#leaving.delete(partition);
    });
    this.#leaving.set(partition, left);
  }

  async #leave({ runner, loop }: Held): Promise<void> {
    // What is still being taken after that closes itself.
    await atMost(this.#deps.clock, STILL_TAKING, loop);
    await atMost(this.#deps.clock, LAST_COMMIT, runner.end());
  }

  #guarded(loop: Promise<void>): Promise<void> {
    return loop.catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    if (!this.#ended.signal.aborted) this.#deps.onFailure(error);
  }

  #wakeUp(): void {
    this.#wake.abort(WOKEN);
  }

  #taken(partition: number): void {
    if (this.#draining) this.#held.get(partition)?.runner.taken?.triple.outbox.drain();
    this.#wakeUp();
  }

  async #moveRecords(): Promise<void> {
    const { clock } = this.#deps;
    while (!this.#ended.signal.aborted) {
      this.#wake = new AbortController();
      const now = clock.elapsed();
      this.#turnedAt = now;
      const all = this.#allTaken;
      let more = false;
      const standing = sumOf(all.map(({ triple }) => triple.outbox.standing));
      for (const { triple, reading } of all) {
        const mayRead = !this.#draining && this.#mayRead(triple, standing, now);
        // Even with nothing to read: the ends of the logs may have moved the watermark.
        const read = triple.read(mayRead ? READ_BUDGET : 0, now);
        more ||= read === READ_BUDGET;
        this.#lanes.balance(triple.partition, reading);
      }
      const readyAt = this.#sendsNoMore ? Infinity : this.#sender.sendReady(all, now);
      this.#sender.tick(now);
      this.#waits.tick(now);
      const wait = more ? 0 : Math.min(readyAt - now, 1_000);
      await clock.sleep(Math.max(0, wait), this.#wake.signal);
    }
  }

  #mayRead(triple: PartitionTriple, standing: Amount, now: number): boolean {
    const { outbox } = triple;
    const tooMuchStands = this.#limits.tooMuchStands(outbox.standing, standing);
    // Workflows that only have much to do are no trouble: reading goes on with them.
    if (tooMuchStands && outbox.waiting > 0) {
      this.#waits.begin(
        triple.partition,
        'workflows',
        `${outbox.waiting} of its records wait for single workflows, whose signals wait: look at those`,
        now,
      );
    } else {
      this.#waits.end(triple.partition, 'workflows', now);
    }
    return (
      !tooMuchStands && outbox.going < this.#limits.released && triple.deadLetterBytes < this.#limits.deadLetterBytes
    );
  }
}

function sumOf(amounts: readonly Amount[]): Amount {
  const sum = { records: 0, bytes: 0 };
  for (const { records, bytes } of amounts) {
    sum.records += records;
    sum.bytes += bytes;
  }
  return sum;
}
