/**
 * Money that waits for its session, by session id. It leaves when the session is applied, when the effective time
 * passes `dueAt`, when the wall clock reaches `wallDueAt`, or to make room.
 */
import { Oldest } from './oldest.ts';
import type { Pending } from './state.ts';
import { pendingSize } from './stored-size.ts';

type PendingBySession = Record<string, Pending[]>;

/** By deadline, then by place: the order of event time, and for equal times of application. */
function earlier(a: Pending, b: Pending): number {
  return a.dueAt - b.dueAt || a.partition - b.partition || a.offset - b.offset;
}

/** By deadline of the wall clock. */
function wallEarlier(a: Pending, b: Pending): number {
  return a.wallDueAt! - b.wallDueAt!;
}

/** The pending money of a state, with what is derived of it. */
export class PendingMoney {
  /** As stored. */
  bytes = 0;
  readonly #pending: PendingBySession;
  readonly #held = new Set<Pending>();
  #first: Oldest<Pending>;
  /** Of those that have a deadline of the wall clock. */
  #wallFirst: Oldest<Pending>;

  constructor(pending: PendingBySession) {
    this.#pending = pending;
    for (const money of allPending(pending)) {
      this.#held.add(money);
      this.bytes += pendingSize(money);
    }
    this.#first = new Oldest(earlier, this.#held);
    this.#wallFirst = this.#inWallOrder();
  }

  get count(): number {
    return this.#held.size;
  }

  /** At most so many, whichever are at hand. */
  some(most: number): Pending[] {
    const some: Pending[] = [];
    for (const money of this.#held) {
      if (some.length === most) break;
      some.push(money);
    }
    return some;
  }

  /** The earliest deadline in event time; undefined when nothing is pending. */
  get earliestDue(): number | undefined {
    return this.#firstHeld(this.#first)?.dueAt;
  }

  /** The earliest deadline of the wall clock; undefined when there is none. */
  get earliestWallDue(): number | undefined {
    return this.#firstHeld(this.#wallFirst)?.wallDueAt;
  }

  add(money: Pending): void {
    (this.#pending[money.money.userSessionId] ??= []).push(money);
    this.#held.add(money);
    this.bytes += pendingSize(money);
    // What has left stands in it still.
    if (this.#first.size > 2 * this.#held.size + 100) this.#first = new Oldest(earlier, this.#held);
    else this.#first.add(money);
    if (money.wallDueAt === undefined) return;
    if (this.#wallFirst.size > 2 * this.#held.size + 100) this.#wallFirst = this.#inWallOrder();
    else this.#wallFirst.add(money);
  }

  takeSession(sessionId: string): Pending[] {
    const taken = this.#pending[sessionId] ?? [];
    delete this.#pending[sessionId];
    for (const money of taken) this.#leave(money);
    return taken;
  }

  /** Removes and returns what is due before `tau`, in the order of deadline, then of application. */
  takeDueBefore(tau: number): Pending[] {
    const due: Pending[] = [];
    for (
      let money = this.#firstHeld(this.#first);
      money !== undefined && money.dueAt < tau;
      money = this.#firstHeld(this.#first)
    ) {
      due.push(this.#first.take()!);
    }
    this.#remove(due);
    return due;
  }

  /** Removes and returns what the wall clock makes due, in the same order. */
  takeWallDue(now: number): Pending[] {
    const due: Pending[] = [];
    for (
      let money = this.#firstHeld(this.#wallFirst);
      money !== undefined && money.wallDueAt! <= now;
      money = this.#firstHeld(this.#wallFirst)
    ) {
      due.push(this.#wallFirst.take()!);
    }
    this.#remove(due);
    return due.sort(earlier);
  }

  takeAll(): Pending[] {
    return this.takeDueBefore(Infinity);
  }

  /** Removes and returns what would be due first. */
  takeFirst(): Pending | undefined {
    const money = this.#firstHeld(this.#first);
    if (money !== undefined) this.#remove([money]);
    return money;
  }

  #remove(money: readonly Pending[]): void {
    for (const each of money) this.#leave(each);
    for (const sessionId of new Set(money.map((each) => each.money.userSessionId))) {
      const rest = (this.#pending[sessionId] ?? []).filter((each) => this.#held.has(each));
      if (rest.length > 0) this.#pending[sessionId] = rest;
      else delete this.#pending[sessionId];
    }
  }

  /** Of what has left, nothing is in its way any more. */
  #firstHeld(order: Oldest<Pending>): Pending | undefined {
    while (order.first !== undefined && !this.#held.has(order.first)) order.take();
    return order.first;
  }

  #inWallOrder(): Oldest<Pending> {
    return new Oldest(
      wallEarlier,
      [...this.#held].filter(({ wallDueAt }) => wallDueAt !== undefined),
    );
  }

  #leave(money: Pending): void {
    this.#held.delete(money);
    this.bytes -= pendingSize(money);
  }
}

export function allPending(pending: PendingBySession): Pending[] {
  return Object.values(pending).flat();
}
