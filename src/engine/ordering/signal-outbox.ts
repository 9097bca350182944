/**
 * What is on its way to the workflows, of one partition triple. At most one signal of a workflow is unacknowledged;
 * what follows waits and makes the next batch larger. What is urgent waits for company for the flush delay, unless the partition
 * is quiet; other events ride with the workflow's next urgent one for a longer, bounded time. A workflow is signalled once in
 * `spacing` in the long run, with bursts of a few signals, unless a batch is full.
 */
import { Heap } from 'heap-js';
import type { InputOffsets } from './decoded.ts';
import type { ReadRecord } from './read-record.ts';

export interface OutboxLimits {
  /** ms between two signals to one workflow, in the long run. */
  readonly spacing: number;
  /** Signals to one workflow that may go without spacing, after a time without any. */
  readonly burst: number;
  /** ms that an urgent event waits for company. */
  readonly flushDelay: number;
  /** Urgent events of the partition that go without that delay, after a time without any: who has few waits for nobody. */
  readonly prompt: number;
  /** ms that events that are not urgent wait for an urgent one. */
  readonly linger: number;
  readonly maxEvents: number;
  /** Sum of the record values in one signal. */
  readonly maxBytes: number;
}

/** Those of a bridge, by how long an urgent event may wait for company, ms. What is not urgent brings forth nothing: it may ride longer. */
export function outboxLimits(flushDelay: number): OutboxLimits {
  const linger = Math.min(10_000, Math.max(1_000, 5 * flushDelay));
  return { spacing: 500, burst: 5, flushDelay, prompt: 5, linger, maxEvents: 500, maxBytes: 200_000 };
}

/** Batches of one workflow that count as going: what it has beyond them stands behind itself, and holds up nobody else. */
const GOING_BATCHES = 2;
/** bytes of memory that a record takes besides its value, about. */
const RECORD_OVERHEAD = 1_000;

/** Of some records: how many, and about the bytes of memory that they take. */
export interface Amount {
  readonly records: number;
  readonly bytes: number;
}

interface Recipient<E> {
  readonly key: string;
  /** Read and not acknowledged, in reading order. */
  readonly outstanding: Set<ReadRecord<E>>;
  /** Released and not yet sent, in the order of application. */
  queue: ReadRecord<E>[];
  bytes: number;
  /** Since when its oldest waits there. */
  queuedAt: number;
  /** When its oldest that is urgent is to go; Infinity without one. */
  urgentDueAt: number;
  /** The time up to which its signals have used up its spacing: {@link OutboxLimits.burst} of them may be ahead of the clock. */
  spacedUntil: number;
  /** When the last one was added: a batch that is full is ready since then. */
  addedAt: number;
  inFlight: boolean;
  /** Its signals wait for something that concerns nobody else. */
  waiting: boolean;
  /** Released and not acknowledged: queued or in flight. */
  readonly released: { records: number; bytes: number };
  /** Its valid entry in the schedule; all others are void. */
  slot: Slot<E> | undefined;
}

interface Slot<E> {
  readonly at: number;
  readonly recipient: Recipient<E>;
}

/** One signal. */
export interface Flight<E = unknown> {
  readonly key: string;
  readonly records: readonly ReadRecord<E>[];
  /** Everything of this key below was acknowledged. */
  readonly lowWater: InputOffsets;
}

export class SignalOutbox<E = unknown> {
  readonly #limits: OutboxLimits;
  readonly #recipients = new Map<string, Recipient<E>>();
  readonly #schedule = new Heap<Slot<E>>((a, b) => a.at - b.at);
  #draining = false;
  /** The time up to which urgent events have used up the quiet: {@link OutboxLimits.prompt} of them may be ahead of the clock. */
  #promptUsed = -Infinity;
  /** Released and not acknowledged. */
  readonly #sums = { going: 0, waiting: 0, standing: { records: 0, bytes: 0 } };

  constructor(limits: OutboxLimits = outboxLimits(0)) {
    this.#limits = limits;
  }

  /** Records released and not acknowledged. */
  get length(): number {
    return this.#sums.going + this.#sums.standing.records;
  }

  /** The same, without what stands. */
  get going(): number {
    return this.#sums.going;
  }

  /** What waits for one workflow alone: all of a recipient that waits, and of any other what is beyond its next batches. */
  get standing(): Amount {
    return { ...this.#sums.standing };
  }

  /** Records of recipients that wait. */
  get waiting(): number {
    return this.#sums.waiting;
  }

  /** Signals that are under way, of recipients that do not wait. */
  get flying(): number {
    let flying = 0;
    for (const { inFlight, waiting } of this.#recipients.values()) if (inFlight && !waiting) flying += 1;
    return flying;
  }

  isWaiting(key: string): boolean {
    return this.#recipients.get(key)?.waiting === true;
  }

  setWaiting(key: string, waiting: boolean): void {
    const recipient = this.#recipients.get(key);
    if (recipient === undefined || recipient.waiting === waiting) return;
    this.#sum(recipient, -1);
    recipient.waiting = waiting;
    this.#sum(recipient, 1);
  }

  /** Must be called for every record that will be added, in reading order. */
  noteRead(record: ReadRecord<E>): void {
    const recipient = this.#recipients.get(record.key);
    if (recipient !== undefined) {
      recipient.outstanding.add(record);
      return;
    }
    this.#recipients.set(record.key, {
      key: record.key,
      outstanding: new Set([record]),
      queue: [],
      bytes: 0,
      queuedAt: 0,
      urgentDueAt: Infinity,
      spacedUntil: -Infinity,
      addedAt: 0,
      inFlight: false,
      waiting: false,
      released: { records: 0, bytes: 0 },
      slot: undefined,
    });
  }

  add(record: ReadRecord<E>, now: number): void {
    const recipient = this.#recipients.get(record.key)!;
    if (recipient.queue.length === 0) recipient.queuedAt = now;
    recipient.queue.push(record);
    recipient.bytes += record.bytes;
    if (record.urgent && recipient.urgentDueAt === Infinity) recipient.urgentDueAt = this.#urgentDueAt(now);
    recipient.addedAt = now;
    this.#count(recipient, 1, record.bytes);
    this.#reschedule(recipient);
  }

  /** From now on nothing waits for company or for its turn. */
  drain(): void {
    this.#draining = true;
    for (const recipient of this.#recipients.values()) this.#reschedule(recipient);
  }

  /** When {@link take} will have something, ms; undefined when only acknowledgements can bring it. */
  nextReadyAt(): number | undefined {
    this.#dropVoid();
    return this.#schedule.peek()?.at;
  }

  /** The next signal that is ready at `now`. */
  take(now: number): Flight<E> | undefined {
    this.#dropVoid();
    const slot = this.#schedule.peek();
    if (slot === undefined || slot.at > now) return undefined;
    this.#schedule.pop();
    const { recipient } = slot;
    const records = this.#cut(recipient);
    recipient.inFlight = true;
    recipient.spacedUntil = Math.max(now, recipient.spacedUntil) + this.#limits.spacing;
    recipient.slot = undefined;
    const [first] = recipient.outstanding;
    return { key: recipient.key, records, lowWater: first!.before.next };
  }

  acknowledged(flight: Flight<E>): void {
    const recipient = this.#recipients.get(flight.key)!;
    for (const record of flight.records) recipient.outstanding.delete(record);
    this.#count(recipient, -flight.records.length, -flight.records.reduce((sum, { bytes }) => sum + bytes, 0));
    recipient.inFlight = false;
    // The spacing is forgotten with the recipient; one with steady traffic always has records that are held.
    if (recipient.outstanding.size === 0) this.#recipients.delete(recipient.key);
    else this.#reschedule(recipient);
  }

  #count(recipient: Recipient<E>, records: number, bytes: number): void {
    this.#sum(recipient, -1);
    recipient.released.records += records;
    recipient.released.bytes += bytes;
    this.#sum(recipient, 1);
  }

  /** Puts a recipient's share into the sums, or takes it out. */
  #sum({ released, waiting }: Recipient<E>, sign: 1 | -1): void {
    const { records, bytes } = released;
    const going = waiting ? 0 : Math.min(records, GOING_BATCHES * this.#limits.maxEvents);
    const standing = records - going;
    const sums = this.#sums;
    sums.going += sign * going;
    if (waiting) sums.waiting += sign * records;
    if (standing === 0) return;
    sums.standing.records += sign * standing;
    sums.standing.bytes += sign * (bytes + standing * RECORD_OVERHEAD);
  }

  #cut(recipient: Recipient<E>): ReadRecord<E>[] {
    let bytes = 0;
    let count = 0;
    for (const record of recipient.queue) {
      if (count > 0 && (count >= this.#limits.maxEvents || bytes + record.bytes > this.#limits.maxBytes)) break;
      bytes += record.bytes;
      count += 1;
    }
    const records = recipient.queue.slice(0, count);
    recipient.queue = recipient.queue.slice(count);
    recipient.bytes -= bytes;
    if (!recipient.queue.some((record) => record.urgent)) recipient.urgentDueAt = Infinity;
    return records;
  }

  /** With less than one of them in a flush delay, an urgent event goes at once: no company would come. */
  #urgentDueAt(now: number): number {
    const { flushDelay, prompt } = this.#limits;
    const used = Math.max(now, this.#promptUsed) + flushDelay;
    const most = now + prompt * flushDelay;
    this.#promptUsed = Math.min(used, most);
    return used > most ? now + flushDelay : now;
  }

  #reschedule(recipient: Recipient<E>): void {
    if (recipient.inFlight || recipient.queue.length === 0) return;
    const at = this.#readyAt(recipient);
    if (recipient.slot !== undefined && recipient.slot.at <= at) return;
    recipient.slot = { at, recipient };
    this.#schedule.push(recipient.slot);
  }

  #readyAt(recipient: Recipient<E>): number {
    const { spacing, burst, flushDelay, linger, maxEvents, maxBytes } = this.#limits;
    if (this.#draining) return -Infinity;
    // Not before all others: those who always have a full batch would leave them no place.
    if (recipient.queue.length >= maxEvents || recipient.bytes >= maxBytes) return recipient.addedAt;
    const dueAt = Math.min(recipient.urgentDueAt, recipient.queuedAt + Math.max(linger, flushDelay));
    return Math.max(recipient.spacedUntil - (burst - 1) * spacing, dueAt);
  }

  #dropVoid(): void {
    for (
      let slot = this.#schedule.peek();
      slot !== undefined && slot !== slot.recipient.slot;
      slot = this.#schedule.peek()
    ) {
      this.#schedule.pop();
    }
  }
}
