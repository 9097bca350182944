/**
 * The log of one partition, as it lies on disk: records and transaction markers at rising offsets, with holes where
 * retention or compaction took something away. The last stable offset stands before the first transaction whose marker
 * is not written here; read_committed readers see what is below it and not aborted.
 */
import { CodedError } from '../../../src/engine/errors.ts';
import { lastOf } from '../../../src/library/testing/kafka/broker-limits.ts';
import type { OutRecord, TopicPartition } from '../../../src/engine/kafka/port.ts';

export interface StoredRecord {
  readonly offset: number;
  /** Epoch ms, the producer's. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a partition has to know of a transaction. */
export interface TransactionOutcome {
  readonly state: 'open' | 'committed' | 'aborted';
}

interface Entry {
  readonly offset: number;
  /** Null: a transaction marker. */
  readonly record: StoredRecord | null;
  readonly transaction: TransactionOutcome | null;
}

export interface Slice {
  readonly records: readonly StoredRecord[];
  /** Where the next one goes on. */
  readonly next: number;
}

export class SimPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly compacted: boolean;
  /** Called when the last stable offset has moved, or the start. */
  readonly watchers = new Set<() => void>();
  /** Bytes of a batch that it takes, as max.message.bytes of its topic. */
  maxBatchBytes = Infinity;
  /** Enough replicas are in sync for a write. */
  writable = true;
  #led = true;
  #entries: Entry[] = [];
  #start = 0;
  #end = 0;
  /** The first offset of each transaction without a marker here, lowest first: they are added at the end of the log. */
  readonly #open = new Map<TransactionOutcome, number>();

  /** All of them went before they were decided. */
  readonly #cutOff = new Set<TransactionOutcome>();

  constructor(topic: string, partition: number, compacted: boolean) {
    this.topic = topic;
    this.partition = partition;
    this.compacted = compacted;
  }

  /** Without a leader nobody reads, writes or learns where it ends. */
  get led(): boolean {
    return this.#led;
  }

  set led(led: boolean) {
    this.#led = led;
    this.#changed();
  }

  /** The broker's answer to whoever wants to write to it; undefined when it takes what is written. */
  get refusal(): string | undefined {
    if (!this.#led) return 'LEADER_NOT_AVAILABLE';
    return this.writable ? undefined : 'NOT_ENOUGH_REPLICAS';
  }

  get start(): number {
    return this.#start;
  }

  /** High watermark. */
  get end(): number {
    return this.#end;
  }

  get lastStable(): number {
    for (const first of this.#open.values()) return first;
    return this.#end;
  }

  append(record: OutRecord, transaction: TransactionOutcome | null, now: number): number {
    const { key, value, headers = {}, timestamp = now } = record;
    if (this.compacted && key === null) {
      throw new CodedError('KAFKA', `a record without a key for the compacted topic ${this.topic}`);
    }
    const offset = this.#end++;
    const texts = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, lastOf(text)]));
    this.#entries.push({
      offset,
      record: { offset, timestamp, key: bytes(key), value: bytes(value), headers: texts },
      transaction,
    });
    if (transaction === null) {
      if (this.#open.size === 0) this.#changed();
    } else if (!this.#open.has(transaction)) this.#open.set(transaction, offset);
    return offset;
  }

  /** Whether the transaction has written here and has no marker yet. */
  isOpen(transaction: TransactionOutcome): boolean {
    return this.#open.has(transaction);
  }

  mark(transaction: TransactionOutcome): void {
    if (this.#cutOff.delete(transaction)) return;
    this.#entries.push({ offset: this.#end++, record: null, transaction: null });
    this.#open.delete(transaction);
    this.#changed();
  }

  /** As read_committed sees it: at most `count` entries of the log, `from` is not below the start. */
  read(from: number, count: number): Slice {
    const stable = this.lastStable;
    const records: StoredRecord[] = [];
    let next = from;
    for (let at = this.#indexOf(from), taken = 0; taken < count; at += 1, taken += 1) {
      const entry = this.#entries[at];
      if (entry === undefined || entry.offset >= stable) {
        next = Math.max(next, stable);
        break;
      }
      next = entry.offset + 1;
      if (entry.record !== null && entry.transaction?.state !== 'aborted') records.push(entry.record);
    }
    return { records, next };
  }

  /** Null: a transaction marker; undefined: nothing is there. */
  recordAt(offset: number): StoredRecord | null | undefined {
    const entry = this.#entries[this.#indexOf(offset)];
    return entry?.offset === offset ? entry.record : undefined;
  }

  /** All that a read_committed reader sees from an offset on. */
  committed(from = this.#start): readonly StoredRecord[] {
    return this.read(Math.max(from, this.#start), Infinity).records;
  }

  /** How many records a read_uncommitted reader sees in addition: of open and of aborted transactions. */
  uncommitted(): number {
    const records = this.#entries.reduce((sum, { record }) => sum + (record === null ? 0 : 1), 0);
    return records - this.committed().length;
  }

  /** Retention: nothing before `offset`, as far as it is stable, is left. */
  deleteBefore(offset: number): void {
    const start = Math.min(offset, this.lastStable);
    if (start <= this.#start) return;
    this.#entries.splice(0, this.#indexOf(start));
    this.#start = start;
    this.#changed();
  }

  /** Nothing from `offset` on was ever there. */
  cut(offset: number): void {
    this.#entries.splice(this.#indexOf(offset));
    this.#end = offset;
    this.#start = Math.min(this.#start, offset);
    for (const [transaction, first] of this.#open) {
      if (first < offset) continue;
      this.#open.delete(transaction);
      this.#cutOff.add(transaction);
    }
    this.#changed();
  }

  /** As if compaction had found newer values for every other record below `offset`. */
  punch(offset: number): void {
    const upTo = this.#indexOf(Math.min(offset, this.lastStable));
    this.#entries = this.#entries.filter((entry, at) => at >= upTo || entry.record === null || at % 2 === 0);
  }

  /** Below the last stable offset only the last committed record of each key is left, and the last entry. */
  compact(): void {
    const stable = this.lastStable;
    const upTo = this.#indexOf(stable);
    const last = new Map<string, Entry>();
    for (const entry of this.#entries.slice(0, upTo)) {
      if (entry.record === null || entry.transaction?.state === 'aborted') continue;
      last.set(entry.record.key?.toString('latin1') ?? `no key ${entry.offset}`, entry);
    }
    const kept = new Set(last.values());
    this.#entries = this.#entries.filter((entry, at) => at >= upTo - 1 || kept.has(entry));
  }

  /** Index of the first entry at or after `offset`. */
  #indexOf(offset: number): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle]!.offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #changed(): void {
    for (const told of this.watchers) told();
  }
}

function bytes(data: Buffer | string | null): Buffer | null {
  return typeof data === 'string' ? Buffer.from(data) : data;
}
