/**
 * The partition triples of one generation of the consumer group, and all that moves them: reading, signalling, asking
 * for the ends of the logs, committing. When the generation ends everything here is forgotten; the next one begins at
 * the committed offsets, and the workflows drop what they already have.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.ts';
import type { Limits } from '../codec/decode.ts';
import type { DeadLetterReason } from '../codec/dead-letter.ts';
import { jsonDecoders, type DecoderSource, type ValueDecoder } from '../codec/value.ts';
import type { Rules } from '../domain/events.ts';
import { messageOf } from '../errors.ts';
import type { GroupMember, KafkaPort, RecordBatch } from '../kafka/port.ts';
import type { TopicRooms } from '../kafka/topic-rooms.ts';
import type { Logger } from '../log.ts';
import { Committer } from './committer.ts';
import { fetchedOf } from './fetched.ts';
import { HistoryGuard } from './history-guard.ts';
import type { Flight } from './outbox.ts';
import { PartitionTriple } from './partition-triple.ts';
import type { Signaller } from './signaller.ts';
import { WaitingBatches } from './waiting-batches.ts';
import { INPUT_INDEXES, type InputIndex } from './watermark.ts';

export interface BridgeSettings {
  readonly appId: string;
  readonly groupId: string;
  /** Indexed like INPUTS. */
  readonly inputTopics: readonly [string, string, string];
  readonly deadLetterTopic: string;
  readonly deadLetterPartitions: number;
  readonly outOfOrderness: number;
  readonly idleTimeout: number;
  readonly limits: Limits;
  readonly rules: Rules;
}

/** What happens, for metrics. */
export interface BridgeObserver {
  read(input: InputIndex, records: number): void;
  deadLettersWritten(reasons: readonly DeadLetterReason[]): void;
  /** So many dead letters lack something of their records, which no batch of their topic could carry. */
  deadLettersCut(letters: number): void;
  /** A late record was signalled. */
  late(): void;
  signalled(events: number): void;
  signalFailed(): void;
  committed(): void;
}

export interface GenerationDeps {
  readonly kafka: KafkaPort;
  readonly signaller: Signaller;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: BridgeObserver;
  /** Of JSON when absent. */
  readonly decoders?: DecoderSource;
  readonly member: Pick<GroupMember, 'pause' | 'resume'>;
  /** This generation cannot go on; the member has to join anew. */
  readonly onFailure: (error: unknown) => void;
  /** What each topic takes in one batch: known longer than a generation lives. */
  readonly rooms: TopicRooms;
}

/** Memory, whatever the lag: of one process, divided among its triples. */
const MAX_HELD = 100_000;
const MAX_HELD_BYTES = 64_000_000;
/** Of one input of one triple: fetching pauses above, goes on below half. */
const MAX_QUEUED = 2_000;
const MAX_QUEUED_BYTES = 2_000_000;
/** Of one triple: reading pauses while more is on its way to Temporal. */
const MAX_RELEASED = 10_000;
const MAX_DEAD_LETTER_BYTES = 8_000_000;
const MAX_SIGNALS_IN_FLIGHT = 64;
/** Records read at a stretch, before others get the thread. */
const READ_BUDGET = 1_000;
/** ms */
const COMMIT_INTERVAL = 1_000;
const ASK_INTERVAL = 50;
const MAX_BACKOFF = 5_000;
/** The reason of a wake-up: without one, an error with a stack is made for each. */
const WOKEN = 'woken';

export class Generation {
  private readonly settings: BridgeSettings;
  private readonly deps: GenerationDeps;
  private readonly ended = new AbortController();
  private readonly triples = new Map<number, { readonly triple: PartitionTriple; readonly committer: Committer }>();
  private readonly paused = new Set<string>();
  private readonly guard: HistoryGuard;
  private readonly waiting: WaitingBatches;
  private taken: Promise<void> = Promise.resolve();
  private readonly loops: Promise<void>[] = [];
  private wake: AbortController = new AbortController();
  private inFlight = 0;
  private draining = false;
  private turnedAt: number | null = null;

  constructor(settings: BridgeSettings, deps: GenerationDeps) {
    this.settings = settings;
    this.deps = deps;
    this.guard = new HistoryGuard(deps.signaller, deps.clock);
    this.waiting = new WaitingBatches({
      decoders: deps.decoders ?? jsonDecoders,
      clock: deps.clock,
      logger: deps.logger,
      ended: this.ended.signal,
      onWaiting: (lane) => this.pause(lane),
      onCaughtUp: (lane) => this.applyBackPressure(this.triples.get(partitionOf(lane))!.triple),
      onFailure: deps.onFailure,
    });
    // Every signal that waits listens to it.
    setMaxListeners(0, this.ended.signal);
  }

  get partitions(): readonly number[] {
    return [...this.triples.keys()];
  }

  /** When the loop that moves records last turned, ms of the monotonic clock; null before it starts and when the generation has ended. */
  get lastTurn(): number | null {
    return this.ended.signal.aborted ? null : this.turnedAt;
  }

  /** Takes the triples over; records may be offered when it resolves. */
  async begin(partitions: readonly number[]): Promise<void> {
    if (this.ended.signal.aborted) return;
    this.taken = this.take(partitions);
    await this.taken;
    if (this.ended.signal.aborted) return;
    this.run(() => this.moveRecords());
    this.run(() => this.askForEnds());
    for (const { triple, committer } of this.triples.values()) this.run(() => this.commit(triple, committer));
  }

  /** Why records wait though Kafka and Temporal are well; undefined when none do. */
  get problem(): string | undefined {
    return this.ended.signal.aborted ? undefined : this.waiting.problem;
  }

  offer(batch: RecordBatch): void {
    const { topic, partition, records } = batch;
    if (!this.triples.has(partition) || this.ended.signal.aborted) return;
    const { maxRecordBytes } = this.settings.limits;
    // What is too large is not decoded, so nothing need be known of it.
    const values = records.flatMap(({ value }) => (value === null || value.length > maxRecordBytes ? [] : [value]));
    this.waiting.take(laneOf(topic, partition), values, (decoder) => this.decode(batch, decoder));
  }

  private decode({ topic, partition, fetchedFrom, next, records }: RecordBatch, decoder: ValueDecoder): void {
    const { inputTopics, limits } = this.settings;
    const taken = this.triples.get(partition);
    const input = inputTopics.indexOf(topic) as InputIndex;
    if (taken === undefined || this.ended.signal.aborted) return;
    const { triple } = taken;
    if (fetchedFrom > triple.nextFetch(input)) {
      this.deps.logger.error(
        { topic, partition, expected: triple.nextFetch(input), found: fetchedFrom },
        'records are gone from the topic before they were read: raise its retention',
      );
    }
    const fetched = records.map((record) => fetchedOf(input, record, limits, decoder));
    triple.offer(input, fetched, next, this.deps.clock.elapsed());
    this.deps.observer.read(input, records.length);
    this.applyBackPressure(triple);
    this.wakeUp();
  }

  /** Sends what is released without waiting for more, and resolves when all of it is acknowledged and committed. */
  async drain(timeout: number): Promise<void> {
    const { clock } = this.deps;
    this.draining = true;
    for (const { triple } of this.triples.values()) triple.outbox.drain();
    this.wakeUp();
    const until = clock.elapsed() + timeout;
    while (this.released > 0 && clock.elapsed() < until && !this.ended.signal.aborted) await clock.sleep(20);
    await this.end();
  }

  /** Nothing starts any more; what was acknowledged is committed if that is still possible. Never throws. */
  async end(): Promise<void> {
    if (this.ended.signal.aborted) return;
    this.ended.abort();
    this.wakeUp();
    await this.taken.catch(() => undefined);
    await Promise.all(this.loops);
    for (const { triple, committer } of this.triples.values()) {
      try {
        await this.commitOnce(triple, committer);
      } catch (error) {
        this.deps.logger.debug({ err: error, partition: triple.partition }, 'the last commit of a partition did not go through; its records are read again');
      }
      await committer.close();
    }
  }

  describe() {
    return [...this.triples.values()].map(({ triple }) => ({ partition: triple.partition, ...triple.describe() }));
  }

  /** Settles when nothing is being taken any more, so that {@link end} closes all of it. */
  private async take(partitions: readonly number[]): Promise<void> {
    const { settings, deps } = this;
    const share = Math.max(1, partitions.length);
    const results = await Promise.allSettled(
      partitions.map(async (partition) => {
        const { committer, committed } = await Committer.take(deps.kafka, {
          ...settings, partition, rooms: deps.rooms, onCut: (letters) => deps.observer.deadLettersCut(letters),
        });
        const triple = new PartitionTriple({
          partition,
          ...committed,
          logs: committer.logs,
          outOfOrderness: settings.outOfOrderness,
          idleTimeout: settings.idleTimeout,
          maxHeld: Math.ceil(MAX_HELD / share),
          maxHeldBytes: Math.ceil(MAX_HELD_BYTES / share),
        });
        this.triples.set(partition, { triple, committer });
      }),
    );
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  private get released(): number {
    return [...this.triples.values()].reduce((sum, { triple }) => sum + triple.outbox.length, 0);
  }

  private run(loop: () => Promise<void>): void {
    this.loops.push(
      loop().catch((error: unknown) => {
        if (!this.ended.signal.aborted) this.deps.onFailure(error);
      }),
    );
  }

  private wakeUp(): void {
    this.wake.abort(WOKEN);
  }

  private async moveRecords(): Promise<void> {
    const { clock } = this.deps;
    while (!this.ended.signal.aborted) {
      this.wake = new AbortController();
      const now = clock.elapsed();
      this.turnedAt = now;
      let more = false;
      for (const { triple } of this.triples.values()) {
        const mayRead = !this.draining && triple.outbox.length < MAX_RELEASED && triple.deadLetterBytes < MAX_DEAD_LETTER_BYTES;
        // Even with nothing to read: the ends of the logs may have moved the watermark.
        const read = triple.read(mayRead ? READ_BUDGET : 0, now);
        more ||= read === READ_BUDGET;
        this.applyBackPressure(triple);
      }
      const readyAt = this.signalReady(now);
      const wait = more ? 0 : Math.min(readyAt - now, 1_000);
      await clock.sleep(Math.max(0, wait), this.wake.signal);
    }
  }

  /** Sends what is ready, as far as signals may be in flight; returns when the next will be, ms. */
  private signalReady(now: number): number {
    let progress = true;
    while (progress) {
      progress = false;
      for (const { triple } of this.triples.values()) {
        if (this.inFlight >= MAX_SIGNALS_IN_FLIGHT) return Infinity;
        const flight = triple.outbox.take(now);
        if (flight === undefined) continue;
        progress = true;
        this.inFlight += 1;
        void this.send(triple, flight);
      }
    }
    return Math.min(...[...this.triples.values()].map(({ triple }) => triple.outbox.nextReadyAt() ?? Infinity));
  }

  /** Until it is acknowledged or the generation ends. */
  private async send(triple: PartitionTriple, flight: Flight): Promise<void> {
    const { signaller, clock, observer, logger } = this.deps;
    const batch = {
      partition: triple.partition,
      ...(triple.logs === undefined ? {} : { logs: triple.logs }),
      lowWater: flight.lowWater,
      rules: this.settings.rules,
      records: flight.records.map((record) => record.applicable!),
    };
    const bytes = flight.records.reduce((sum, record) => sum + record.bytes, 0);
    for (let backoff = 100; ; backoff = Math.min(2 * backoff, MAX_BACKOFF)) {
      try {
        await this.admit(flight.userId, bytes);
        if (this.ended.signal.aborted) return;
        await signaller.signal(flight.userId, batch);
        break;
      } catch (error) {
        observer.signalFailed();
        logger.debug({ error: messageOf(error), partition: triple.partition }, 'a signal did not go through and is sent again');
        await clock.sleep(backoff, this.ended.signal);
        if (this.ended.signal.aborted) return;
      }
    }
    this.inFlight -= 1;
    triple.acknowledged(flight);
    observer.signalled(batch.records.length);
    for (const record of batch.records) if (record.late !== undefined) observer.late();
    this.wakeUp();
  }

  /** A user whose signals wait for its workflow does not hold up the others. */
  private async admit(userId: string, bytes: number): Promise<void> {
    const wait = this.guard.admit(userId, bytes, this.ended.signal);
    if (wait === undefined) return;
    this.inFlight -= 1;
    this.wakeUp();
    try {
      await wait;
    } finally {
      this.inFlight += 1;
    }
  }

  /** At short intervals while reading waits for it, otherwise often enough to notice silence. */
  private async askForEnds(): Promise<void> {
    const { kafka, clock } = this.deps;
    const { inputTopics, idleTimeout } = this.settings;
    const relaxed = Math.max(ASK_INTERVAL, Math.min(1_000, idleTimeout / 5));
    let lastAll = -Infinity;
    while (!this.ended.signal.aborted) {
      const at = clock.elapsed();
      const all = at - lastAll >= relaxed;
      const asking = [...this.triples.values()].filter(({ triple }) => all || triple.blocked).map(({ triple }) => triple);
      if (asking.length > 0) {
        if (all) lastAll = at;
        const partitions = asking.flatMap(({ partition }) => inputTopics.map((topic) => ({ topic, partition })));
        for (const { topic, partition, end } of await kafka.endOffsets(partitions)) {
          this.triples.get(partition)?.triple.sawEnd(inputTopics.indexOf(topic) as InputIndex, end, at);
        }
        this.wakeUp();
      }
      await clock.sleep(ASK_INTERVAL, this.ended.signal);
    }
  }

  private async commit(triple: PartitionTriple, committer: Committer): Promise<void> {
    while (!this.ended.signal.aborted) {
      await this.commitOnce(triple, committer);
      await this.deps.clock.sleep(COMMIT_INTERVAL, this.ended.signal);
    }
  }

  private async commitOnce(triple: PartitionTriple, committer: Committer): Promise<void> {
    const written = await committer.commit(triple);
    if (written === null) return;
    this.deps.observer.committed();
    if (written.length > 0) this.deps.observer.deadLettersWritten(written.map(({ rejection }) => rejection.reason));
  }

  private applyBackPressure(triple: PartitionTriple): void {
    for (const input of INPUT_INDEXES) {
      const topic = this.settings.inputTopics[input];
      const lane = laneOf(topic, triple.partition);
      if (this.waiting.waits(lane)) continue;
      const { records, bytes } = triple.queued(input);
      if (records >= MAX_QUEUED || bytes >= MAX_QUEUED_BYTES) {
        this.pause(lane);
      } else if (this.paused.has(lane) && records < MAX_QUEUED / 2 && bytes < MAX_QUEUED_BYTES / 2) {
        this.paused.delete(lane);
        this.deps.member.resume(topic, triple.partition);
      }
    }
  }

  private pause(lane: string): void {
    if (this.paused.has(lane)) return;
    this.paused.add(lane);
    this.deps.member.pause(lane.slice(0, lane.lastIndexOf('/')), partitionOf(lane));
  }
}

function laneOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

function partitionOf(lane: string): number {
  return Number(lane.slice(lane.lastIndexOf('/') + 1));
}
