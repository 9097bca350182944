/**
 * One partition of all inputs: from fetched records to records in the order of application (semantics, section 2),
 * and back to the place up to which everything is acknowledged. Pure: it is told the time and what was fetched.
 *
 * A record is: queued (fetched, not read) -> held (on time) -> released (to the outbox) -> acknowledged. Late records
 * are released when they are read. The checkpoint is the place just before the first record, in reading order, that is
 * not acknowledged, with the watermark as it was there: from it a restart classifies every record the same way.
 */
import { MAX_EXCEPT, shortName, type Ahead } from './ahead.ts';
import type { Brake, Stop } from './brake.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { InputOffsets } from './decoded.ts';
import type { KnownLogs, LogNames } from './log-identity.ts';
import { MergeQueue, type Fetched } from './merge-queue.ts';
import { OrderingBuffer } from './ordering-buffer.ts';
import { SignalOutbox, type Flight, type OutboxLimits } from './signal-outbox.ts';
import { unusableBytes, type ReadRecord, type UnusableRecord } from './read-record.ts';
import type { RecordMark, RecordMarks } from './record-mark.ts';
import { Watermark, type InputIndex } from './watermark.ts';

/**
 * How far the reading of a triple may run ahead: records that are held, and bytes of their values. The same for every
 * triple everywhere, whatever else a process does: the merged order, and with it what is late, depends on it.
 */
export const TRIPLE_BUDGET = { maxHeld: 20_000, maxHeldBytes: 16_000_000 } as const;

export interface TripleOptions {
  readonly partition: number;
  readonly start: Checkpoint;
  /** By input: dead letters below these offsets were written before. */
  readonly deadLettersBelow: InputOffsets;
  /** How far the bridge that read it before had come, but for keys that waited. */
  readonly ahead?: Ahead | undefined;
  /** As they were committed. */
  readonly marks?: RecordMarks | undefined;
  /** For the names in {@link ahead}; the key itself when absent. */
  readonly workflowIdOf?: (key: string) => string;
  /** ms */
  readonly outOfOrderness: number;
  /** Which logs it is read from; absent when that is not known. */
  readonly logs?: KnownLogs;
  /** ms */
  readonly idleTimeout: number;
  /** Above either, only the inputs that hold the watermark back are read; {@link TRIPLE_BUDGET} when absent. */
  readonly maxHeld?: number;
  readonly maxHeldBytes?: number;
  readonly outboxLimits?: OutboxLimits;
  /** Nothing stops it when absent. */
  readonly brake?: Brake | undefined;
}

export interface TripleDescription {
  readonly watermark: number;
  readonly held: number;
  readonly released: number;
  readonly idle: readonly InputIndex[];
  /** By input: offsets from the place that would be committed now to the end of the log, as last seen. */
  readonly lag: readonly number[];
  /** Kafka timestamp of the first record that is not acknowledged, epoch ms; undefined when none is fetched. */
  readonly waitingSince: number | undefined;
}

export class PartitionTriple<E = unknown> {
  readonly partition: number;
  readonly outbox: SignalOutbox<E>;
  readonly #options: TripleOptions;
  readonly #watermark: Watermark;
  readonly #queue: MergeQueue<E>;
  readonly #held = new OrderingBuffer<E>();
  readonly #outstanding = new Set<ReadRecord<E>>();
  readonly #next: number[];
  /** The mark of the record that was read last, by this bridge or one before it. */
  readonly #last: (RecordMark | null)[];
  #unusable: UnusableRecord[] = [];
  #unusableBytes = 0;
  #stopped: Stop | undefined;
  /** When its end was first seen after its last usable record, ms; silence counts from there. */
  readonly #silentSince: (number | undefined)[];
  readonly #lastUsableAt: number[];
  /** All of them, in their order. */
  readonly inputs: readonly InputIndex[];

  constructor(options: TripleOptions) {
    const { start } = options;
    this.#options = options;
    this.partition = options.partition;
    this.#next = [...start.next];
    this.#last = start.next.map((_, input) => options.marks?.[input] ?? null);
    this.#silentSince = start.next.map(() => undefined);
    this.#lastUsableAt = start.next.map(() => -Infinity);
    this.inputs = [...start.next.keys()];
    this.#queue = new MergeQueue<E>(this.#next);
    this.#watermark = new Watermark(options.outOfOrderness, start.maxTs, start.watermark);
    this.outbox = new SignalOutbox<E>(options.outboxLimits);
  }

  /** What is read next of this input, if it is fetched. */
  head(input: InputIndex): Fetched<E> | undefined {
    return this.#queue.head(input);
  }

  /** It is read to its end and silent. Also for who reads history, and knows that it was at the time that is read now. */
  beSilent(input: InputIndex): void {
    if (this.#watermark.isIdle(input)) return;
    this.#watermark.setIdle(input);
    if (!this.#watermark.allIdle) return;
    // At once: one of them may be active again when the next records are read.
    const largest = this.#held.largestTs();
    if (largest !== undefined) this.#watermark.passHeld(largest);
  }

  /** The same: something of it has come by the time that is read now. */
  beActive(input: InputIndex): void {
    this.#watermark.setActive(input);
  }

  /** Names of the logs, for those who apply its records; undefined when none is known. */
  get logs(): LogNames | undefined {
    const names = this.#options.logs?.names ?? [];
    return names.every((name) => name === '') ? undefined : names;
  }

  offer(input: InputIndex, records: readonly Fetched<E>[], next: number, now: number): void {
    this.#queue.offer(input, records, next, now);
    if (records.some((record) => record.decoded.ok)) {
      this.#silentSince[input] = undefined;
      this.#lastUsableAt[input] = now;
      // It is not read to its end.
      this.#watermark.setActive(input);
    }
  }

  /**
   * The log of `input` ended at `offset`, as the answer to a question put at `at` ms. False when it ends before what was
   * fetched of it earlier.
   */
  sawEnd(input: InputIndex, offset: number, at: number): boolean {
    const fits = this.#queue.sawEnd(input, offset, at);
    if (this.#queue.atEnd(input)) this.#noteSilence(input, at);
    return fits;
  }

  /** What would be fetched next of this input is gone from its log, up to `offset`. */
  skipTo(input: InputIndex, offset: number): void {
    this.#queue.skipTo(input, offset);
    if (this.#queue.size(input).records === 0) this.#next[input] = offset;
  }

  #noteSilence(input: InputIndex, at: number): void {
    const since = (this.#silentSince[input] ??= Math.max(at, this.#lastUsableAt[input]!));
    if (at - since >= this.#options.idleTimeout) this.beSilent(input);
  }

  /** Reads up to `budget` records; returns how many it read. Releases what the watermark has passed. */
  read(budget: number, now: number): number {
    let count = 0;
    // An input that has become silent may have let the watermark pass some: they come before what is read now.
    this.#releaseHeld(now);
    for (; count < budget; count += 1) {
      const input = this.#nextInput();
      if (input === undefined || input === 'blocked' || this.#stops(input)) break;
      this.#readOne(input, now);
    }
    this.#releaseHeld(now);
    return count;
  }

  /** Before which record the brake has stopped the reading, for good. */
  get stopped(): Stop | undefined {
    return this.#stopped;
  }

  #stops(input: InputIndex): boolean {
    const { brake, deadLettersBelow } = this.#options;
    const head = this.#queue.head(input);
    // What was read before counted then.
    if (brake === undefined || head === undefined || head.offset < deadLettersBelow[input]!) return false;
    this.#stopped ??= brake.stopBefore(input, head.offset, head.decoded.ok);
    return this.#stopped !== undefined;
  }

  /** Something is fetched that cannot be read before the ends of the logs are seen. */
  get blocked(): boolean {
    return this.#nextInput() === 'blocked';
  }

  #nextInput(): InputIndex | 'blocked' | undefined {
    const { maxHeld = TRIPLE_BUDGET.maxHeld, maxHeldBytes = TRIPLE_BUDGET.maxHeldBytes } = this.#options;
    const full = this.#held.length >= maxHeld || this.#held.bytes >= maxHeldBytes;
    return this.#queue.next(full ? this.#watermark.holdingBack : this.inputs);
  }

  #readOne(input: InputIndex, now: number): void {
    const before: Checkpoint = {
      next: [...this.#next],
      maxTs: this.#watermark.maxTs,
      watermark: this.#watermark.current,
    };
    const { offset, timestamp, print, bytes, decoded, raw } = this.#queue.take(input);
    this.#next[input] = offset + 1;
    if (print !== undefined && offset > (this.#last[input]?.offset ?? -1)) this.#last[input] = { offset, print };
    if (!decoded.ok) {
      if (offset < this.#options.deadLettersBelow[input]!) return;
      const unusable: UnusableRecord = { input, offset, timestamp, key: null, value: null, ...raw, rejection: decoded };
      this.#unusable.push(unusable);
      this.#unusableBytes += unusableBytes(unusable);
      return;
    }
    const { ts, key, event, urgent } = decoded;
    const late = ts < before.watermark;
    const applicable =
      event === undefined ? undefined : { input, offset, ts, event, ...(late ? { late: before.watermark } : {}) };
    const record: ReadRecord<E> = { input, offset, ts, timestamp, key, applicable, urgent, bytes, before };
    this.#watermark.read(input, ts);
    this.#outstanding.add(record);
    if (this.#isToSend(record)) this.outbox.noteRead(record);
    if (late) {
      this.#release(record, now);
    } else {
      this.#held.hold(record);
      this.#releaseHeld(now);
    }
  }

  #releaseHeld(now: number): void {
    for (const record of this.#held.release(this.#watermark.current)) this.#release(record, now);
  }

  #release(record: ReadRecord<E>, now: number): void {
    if (this.#isToSend(record)) this.outbox.add(record, now);
    else this.#outstanding.delete(record);
  }

  /** Not what only moves time, nor what a bridge before this one has sent. */
  #isToSend({ input, offset, key, applicable }: ReadRecord<E>): boolean {
    const { ahead } = this.#options;
    if (applicable === undefined) return false;
    return ahead === undefined || offset >= ahead.next[input]! || ahead.except.includes(this.#nameOf(key));
  }

  acknowledged(flight: Flight<E>): void {
    this.outbox.acknowledged(flight);
    for (const record of flight.records) this.#outstanding.delete(record);
  }

  checkpoint(): Checkpoint {
    const [first] = this.#outstanding;
    return first?.before ?? { next: [...this.#next], maxTs: this.#watermark.maxTs, watermark: this.#watermark.current };
  }

  /** Of the last record read of each input; undefined when none is known. It is never of one before those that it began with. */
  marks(): RecordMarks | undefined {
    return this.#last.every((mark) => mark === null) ? undefined : [...this.#last];
  }

  /** The mark of the record that was fetched last, by this bridge or one before it; undefined when none is known. */
  lastFetched(input: InputIndex): RecordMark | undefined {
    return this.#queue.lastFetched(input) ?? this.#last[input] ?? undefined;
  }

  #nameOf(key: string): string {
    return shortName(this.#options.workflowIdOf?.(key) ?? key);
  }

  /** How far it has come but for workflows whose signals wait; undefined: as far as the checkpoint. */
  ahead(): Ahead | undefined {
    const { ahead: before } = this.#options;
    // Before all is read again nothing more is known than then.
    if (before !== undefined && this.inputs.some((input) => this.#next[input]! < before.next[input]!)) return before;
    const except = new Set<string>();
    const at = (place: Pick<Checkpoint, 'next' | 'watermark'>): Ahead | undefined =>
      except.size === 0 || !Number.isFinite(place.watermark)
        ? undefined
        : { next: place.next, watermark: place.watermark, except: [...except] };
    for (const record of this.#outstanding) {
      if (!this.#isToSend(record)) continue;
      const name = this.#nameOf(record.key);
      if (!this.outbox.isWaiting(record.key) && before?.except.includes(name) !== true) return at(record.before);
      except.add(name);
      if (except.size > MAX_EXCEPT) return undefined;
    }
    return at({ next: [...this.#next], watermark: this.#watermark.current });
  }

  /**
   * The unusable records read so far, and how far all of them are in it or written before; dropped by
   * {@link deadLettersWritten}.
   */
  deadLetters(): { readonly records: readonly UnusableRecord[]; readonly below: InputOffsets } {
    // Not only how far it read: a commit before all is read again must not forget what was written.
    const below = this.#next.map((next, input) => Math.max(next, this.#options.deadLettersBelow[input]!));
    return { records: [...this.#unusable], below };
  }

  deadLettersWritten(count: number): void {
    for (const record of this.#unusable.splice(0, count)) this.#unusableBytes -= unusableBytes(record);
  }

  get deadLetterBytes(): number {
    return this.#unusableBytes;
  }

  /** The offset at which the next fetch of this input has to start. */
  nextFetch(input: InputIndex): number {
    return this.#queue.nextFetch(input);
  }

  queued(input: InputIndex): { readonly records: number; readonly bytes: number } {
    return this.#queue.size(input);
  }

  /** Kafka timestamp of the oldest record that is fetched and not read, epoch ms; Infinity when none is. */
  get oldestTimestamp(): number {
    return this.#queue.oldestTimestamp;
  }

  /** Nothing is queued, held or on its way. */
  get settled(): boolean {
    return this.#outstanding.size === 0 && this.inputs.every((input) => this.#queue.size(input).records === 0);
  }

  /** For logs and metrics. */
  describe(): TripleDescription {
    const { next } = this.checkpoint();
    return {
      watermark: this.#watermark.current,
      held: this.#held.length,
      released: this.outbox.length,
      idle: this.inputs.filter((input) => this.#watermark.isIdle(input)),
      lag: this.inputs.map((input) => this.#lagOf(input, next[input]!)),
      waitingSince: this.#waitingSince(),
    };
  }

  #lagOf(input: InputIndex, next: number): number {
    // A log may end in the marker of a transaction, which is no record.
    if (this.#outstanding.size === 0 && this.#queue.atEnd(input)) return 0;
    return Math.max(0, (this.#queue.endOf(input) ?? 0) - next);
  }

  #waitingSince(): number | undefined {
    const [first] = this.#outstanding;
    const timestamp = first?.timestamp ?? this.#queue.oldestTimestamp;
    return timestamp > 0 && Number.isFinite(timestamp) ? timestamp : undefined;
  }
}
