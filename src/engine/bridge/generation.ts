/**
 * The partition triples of one generation of the consumer group, and what they share: reading in turns, places for
 * signals, questions for the ends of the logs. What fails for one triple is that triple's alone (triple-runner.ts); the
 * generation ends only with the membership, or with what no retry can mend. Everything here is forgotten then; the next
 * one begins at the committed offsets, and the workflows drop what they already have.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.ts';
import { jsonDecoders, type DecoderSource } from '../values/value.ts';
import type { KafkaPort, RecordBatch } from '../kafka/port.ts';
import type { TopicRooms } from '../kafka/topic-rooms.ts';
import type { Logger } from '../log.ts';
import type { BridgeObserver, BridgeSettings } from './bridge-settings.ts';
import { HistoryGuard } from './history-guard.ts';
import { InputLanes } from '../ordering/input-lanes.ts';
import { LogEnds } from './log-ends.ts';
import { LogWatch } from './log-watch.ts';
import type { Amount } from '../ordering/outbox.ts';
import type { PartitionTriple } from '../ordering/partition-triple.ts';
import { readingLimits, type ReadingLimits } from '../ordering/reading-limits.ts';
import { SignalSender } from './signal-sender.ts';
import type { Signaller } from './signaller.ts';
import { TripleRunner, type TakenPlace, type TripleMember } from './triple-runner.ts';
import { Waits, type PartitionWait } from './waits.ts';

export type { BridgeObserver, BridgeSettings } from './bridge-settings.ts';

export interface GenerationDeps {
  readonly kafka: KafkaPort;
  readonly signaller: Signaller;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: BridgeObserver;
  /** Of JSON when absent. */
  readonly decoders?: DecoderSource;
  /** What is known of the workflows' histories outlasts a generation; one of its own when absent. */
  readonly guard?: HistoryGuard;
  /** What each topic takes in one batch: known longer than a generation lives. */
  readonly rooms: TopicRooms;
  readonly member: TripleMember;
  /** This generation cannot go on; the member has to join anew. */
  readonly onFailure: (error: unknown) => void;
}

/** Records read at a stretch, before others get the thread. */
const READ_BUDGET = 1_000;
/** ms that a new generation waits for its triples to be taken, and an ended one for those that are being taken. */
const TAKING = 2_000;
const STILL_TAKING = 5_000;
/** ms that one that ends goes on to send what it has. */
const SENDING_LAST = 500;
/** The reason of a wake-up: without one, an error with a stack is made for each. */
const WOKEN = 'woken';

export class Generation {
  readonly #settings: BridgeSettings;
  readonly #deps: GenerationDeps;
  readonly #ended = new AbortController();
  readonly #runners = new Map<number, TripleRunner>();
  readonly #waits: Waits;
  readonly #lanes: InputLanes<unknown>;
  readonly #sender: SignalSender;
  #limits: ReadingLimits = readingLimits(1);
  readonly #loops: Promise<void>[] = [];
  #wake: AbortController = new AbortController();
  #draining = false;
  #sendsNoMore = false;
  #turnedAt: number | null = null;

  constructor(settings: BridgeSettings, deps: GenerationDeps) {
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
      reading: (partition) => this.#runners.get(partition)?.taken?.reading,
      onGap: (partition, input, from, to) => {
        this.#runners.get(partition)!.lost(input, from, to);
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
      workflowIdOf: (key) => signaller.workflowIdOf?.(key) ?? '(unknown)',
      onProgress: () => this.#wakeUp(),
    });
    // Every loop of every triple listens to it.
    setMaxListeners(0, this.#ended.signal);
  }

  get partitions(): readonly number[] {
    return [...this.#runners.keys()];
  }

  /** When the loop that moves records last turned, ms of the monotonic clock; null before it starts and when the generation has ended. */
  get lastTurn(): number | null {
    return this.#ended.signal.aborted ? null : this.#turnedAt;
  }

  /** Begins to take the triples over; records may be offered when it resolves. */
  async begin(partitions: readonly number[]): Promise<void> {
    if (this.#ended.signal.aborted) return;
    const { clock, observer, logger, kafka, member, rooms } = this.#deps;
    const settings = this.#settings;
    const lanes = this.#lanes;
    const waits = this.#waits;
    this.#limits = readingLimits(partitions.length);
    lanes.share(partitions.length);
    const watch = new LogWatch({
      kafka,
      clock,
      logger,
      inputTopics: settings.inputTopics,
      ended: this.#ended.signal,
      runners: () => [...this.#runners.values()],
    });
    for (const partition of partitions) {
      const runner = new TripleRunner(partition, {
        settings,
        kafka,
        clock,
        logger,
        observer,
        member,
        lanes,
        waits,
        rooms,
        workflowIdOf: (key) => this.#deps.signaller.workflowIdOf?.(key) ?? key,
        ended: this.#ended.signal,
        onTaken: () => this.#taken(partition),
        onShort: () => void watch.look(),
      });
      this.#runners.set(partition, runner);
    }
    const all = [...this.#runners.values()];
    for (const runner of all) this.#run(() => runner.run());
    const patience = new AbortController();
    await Promise.race([Promise.all(all.map(({ attempted }) => attempted)), clock.sleep(TAKING, patience.signal)]);
    patience.abort();
    if (this.#ended.signal.aborted) return;
    const ends = new LogEnds({
      kafka,
      clock,
      waits,
      idleTimeout: settings.idleTimeout,
      ended: this.#ended.signal,
      runners: () => all,
      onEnd: (runner, input, start, end, at) =>
        runner.sawEnd(input, start, end, at, lanes.waits(runner.partition, input)),
      onAnswer: () => this.#wakeUp(),
      onFailure: (error) => this.#fail(error),
    });
    this.#run(() => this.#moveRecords());
    this.#run(() => ends.run());
    this.#run(() => watch.run());
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
    this.#lanes.offer(batch);
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
    const patience = new AbortController();
    // What is still being taken after that closes itself.
    await Promise.race([Promise.all(this.#loops), this.#deps.clock.sleep(STILL_TAKING, patience.signal)]);
    patience.abort();
    await Promise.all([...this.#runners.values()].map((runner) => runner.end()));
  }

  describe() {
    return this.#allTaken.map(({ triple }) => ({ partition: triple.partition, ...triple.describe() }));
  }

  get #allTaken(): readonly TakenPlace[] {
    return [...this.#runners.values()].flatMap(({ taken }) => taken ?? []);
  }

  #sum(of: (triple: PartitionTriple) => number): number {
    return this.#allTaken.reduce((sum, { triple }) => sum + of(triple), 0);
  }

  #run(loop: () => Promise<void>): void {
    this.#loops.push(loop().catch((error: unknown) => this.#fail(error)));
  }

  #fail(error: unknown): void {
    if (!this.#ended.signal.aborted) this.#deps.onFailure(error);
  }

  #wakeUp(): void {
    this.#wake.abort(WOKEN);
  }

  #taken(partition: number): void {
    if (this.#draining) this.#runners.get(partition)?.taken?.triple.outbox.drain();
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
