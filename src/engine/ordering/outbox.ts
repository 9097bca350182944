/**
 * What is on its way to the users' workflows, of one partition triple. At most one signal of a user is unacknowledged;
 * what follows waits and makes the next batch larger. What is urgent goes at once, other events ride with the user's next
 * urgent one for a bounded time, and a user is signalled at most once in `spacing` unless a batch is full.
 */
import { Heap } from 'heap-js';
import type { Offsets } from './decoded.ts';
import type { ReadRecord } from './read-record.ts';

export interface OutboxLimits {
  /** ms between two signals to one user. */
  readonly spacing: number;
  /** ms that events that are not urgent wait for company. */
  readonly linger: number;
  readonly maxEvents: number;
  /** Sum of the record values in one signal. */
  readonly maxBytes: number;
}

export const OUTBOX_LIMITS: OutboxLimits = { spacing: 500, linger: 1_000, maxEvents: 500, maxBytes: 200_000 };

interface User<E> {
  readonly userId: string;
  /** Read and not acknowledged, in reading order. */
  readonly outstanding: Set<ReadRecord<E>>;
  /** Released and not yet sent, in the order of application. */
  queue: ReadRecord<E>[];
  bytes: number;
  queuedAt: number;
  urgent: boolean;
  sentAt: number;
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
  readonly user: User<E>;
}

/** One signal. */
export interface Flight<E = unknown> {
  readonly userId: string;
  readonly records: readonly ReadRecord<E>[];
  /** Everything of this user below was acknowledged. */
  readonly lowWater: Offsets;
}

export class Outbox<E = unknown> {
  private readonly limits: OutboxLimits;
  private readonly users = new Map<string, User<E>>();
  private readonly schedule = new Heap<Slot<E>>((a, b) => a.at - b.at);
  private draining = false;
  /** Released and not acknowledged, of users that do not wait, and of those that do. */
  private readonly going = { records: 0, bytes: 0 };
  private readonly standing = { records: 0, bytes: 0 };

  constructor(limits: OutboxLimits = OUTBOX_LIMITS) {
    this.limits = limits;
  }

  /** Records released and not acknowledged. */
  get length(): number {
    return this.going.records + this.standing.records;
  }

  /** The same, without those of users that wait. */
  get moving(): number {
    return this.going.records;
  }

  /** Of users that wait. */
  get waiting(): { readonly records: number; readonly bytes: number } {
    return { ...this.standing };
  }

  isWaiting(userId: string): boolean {
    return this.users.get(userId)?.waiting === true;
  }

  /** What a user that waits has here counts by itself: it holds up nobody else. */
  setWaiting(userId: string, waiting: boolean): void {
    const user = this.users.get(userId);
    if (user === undefined || user.waiting === waiting) return;
    const [from, to] = waiting ? [this.going, this.standing] : [this.standing, this.going];
    user.waiting = waiting;
    add(from, -user.released.records, -user.released.bytes);
    add(to, user.released.records, user.released.bytes);
  }

  /** Must be called for every record that will be added, in reading order. */
  noteRead(record: ReadRecord<E>): void {
    const user = this.users.get(record.userId);
    if (user !== undefined) {
      user.outstanding.add(record);
      return;
    }
    this.users.set(record.userId, {
      userId: record.userId, outstanding: new Set([record]), queue: [], bytes: 0, queuedAt: 0, urgent: false, sentAt: -Infinity,
      addedAt: 0, inFlight: false, waiting: false, released: { records: 0, bytes: 0 }, slot: undefined,
    });
  }

  add(record: ReadRecord<E>, now: number): void {
    const user = this.users.get(record.userId)!;
    if (user.queue.length === 0) user.queuedAt = now;
    user.queue.push(record);
    user.bytes += record.bytes;
    user.urgent ||= record.urgent;
    user.addedAt = now;
    this.count(user, 1, record.bytes);
    this.reschedule(user);
  }

  /** From now on nothing waits for company or for its turn. */
  drain(): void {
    this.draining = true;
    for (const user of this.users.values()) this.reschedule(user);
  }

  /** When {@link take} will have something, ms; undefined when only acknowledgements can bring it. */
  nextReadyAt(): number | undefined {
    this.dropVoid();
    return this.schedule.peek()?.at;
  }

  /** The next signal that is ready at `now`. */
  take(now: number): Flight<E> | undefined {
    this.dropVoid();
    const slot = this.schedule.peek();
    if (slot === undefined || slot.at > now) return undefined;
    this.schedule.pop();
    const { user } = slot;
    const records = this.cut(user);
    user.inFlight = true;
    user.sentAt = now;
    user.slot = undefined;
    const [first] = user.outstanding;
    return { userId: user.userId, records, lowWater: first!.before.next };
  }

  acknowledged(flight: Flight<E>): void {
    const user = this.users.get(flight.userId)!;
    for (const record of flight.records) user.outstanding.delete(record);
    this.count(user, -flight.records.length, -flight.records.reduce((sum, { bytes }) => sum + bytes, 0));
    user.inFlight = false;
    // The spacing is forgotten with the user; one with steady traffic always has records that are held.
    if (user.outstanding.size === 0) this.users.delete(user.userId);
    else this.reschedule(user);
  }

  private count(user: User<E>, records: number, bytes: number): void {
    add(user.released, records, bytes);
    add(user.waiting ? this.standing : this.going, records, bytes);
  }

  private cut(user: User<E>): ReadRecord<E>[] {
    let bytes = 0;
    let count = 0;
    for (const record of user.queue) {
      if (count > 0 && (count >= this.limits.maxEvents || bytes + record.bytes > this.limits.maxBytes)) break;
      bytes += record.bytes;
      count += 1;
    }
    const records = user.queue.slice(0, count);
    user.queue = user.queue.slice(count);
    user.bytes -= bytes;
    user.urgent = user.queue.some((record) => record.urgent);
    return records;
  }

  private reschedule(user: User<E>): void {
    if (user.inFlight || user.queue.length === 0) return;
    const at = this.readyAt(user);
    if (user.slot !== undefined && user.slot.at <= at) return;
    user.slot = { at, user };
    this.schedule.push(user.slot);
  }

  private readyAt(user: User<E>): number {
    const { spacing, linger, maxEvents, maxBytes } = this.limits;
    if (this.draining) return -Infinity;
    // Not before all others: those who always have a full batch would leave them no place.
    if (user.queue.length >= maxEvents || user.bytes >= maxBytes) return user.addedAt;
    const spaced = user.sentAt + spacing;
    return user.urgent ? Math.max(spaced, user.queuedAt) : Math.max(spaced, user.queuedAt + linger);
  }

  private dropVoid(): void {
    for (let slot = this.schedule.peek(); slot !== undefined && slot !== slot.user.slot; slot = this.schedule.peek()) {
      this.schedule.pop();
    }
  }
}

function add(sum: { records: number; bytes: number }, records: number, bytes: number): void {
  sum.records += records;
  sum.bytes += bytes;
}
