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

/** The pending money of a state, with what is derived of it. */
export class PendingMoney {
  /** As stored. */
  bytes = 0;
  readonly #pending: PendingBySession;
  readonly #held = new Set<Pending>();
  #first: Oldest<Pending>;

  constructor(pending: PendingBySession) {
    this.#pending = pending;
    for (const money of allPending(pending)) {
      this.#held.add(money);
      this.bytes += pendingSize(money);
    }
    this.#first = new Oldest(earlier, this.#held);
  }

  get count(): number {
    return this.#held.size;
  }

  add(money: Pending): void {
    (this.#pending[money.money.userSessionId] ??= []).push(money);
    this.#held.add(money);
    this.bytes += pendingSize(money);
    // What has left stands in it still.
    if (this.#first.size > 2 * this.#held.size + 100) this.#first = new Oldest(earlier, this.#held);
    else this.#first.add(money);
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
    for (let money = this.#first.first; money !== undefined && money.dueAt < tau; money = this.#first.first) {
      this.#first.take();
      if (this.#held.has(money)) due.push(money);
    }
    this.#remove(due);
    return due;
  }

  /** Removes and returns what the wall clock makes due, in the same order. */
  takeWallDue(now: number): Pending[] {
    const due = allPending(this.#pending).filter(({ wallDueAt }) => wallDueAt !== undefined && wallDueAt <= now);
    this.#remove(due);
    return due.sort(earlier);
  }

  takeAll(): Pending[] {
    return this.takeDueBefore(Infinity);
  }

  /** Removes and returns what would be due first. */
  takeFirst(): Pending | undefined {
    for (let money = this.#first.take(); money !== undefined; money = this.#first.take()) {
      if (!this.#held.has(money)) continue;
      this.#remove([money]);
      return money;
    }
    return undefined;
  }

  #remove(money: readonly Pending[]): void {
    for (const each of money) this.#leave(each);
    for (const sessionId of new Set(money.map((each) => each.money.userSessionId))) {
      const rest = (this.#pending[sessionId] ?? []).filter((each) => this.#held.has(each));
      if (rest.length > 0) this.#pending[sessionId] = rest;
      else delete this.#pending[sessionId];
    }
  }

  #leave(money: Pending): void {
    this.#held.delete(money);
    this.bytes -= pendingSize(money);
  }
}

export function allPending(pending: PendingBySession): Pending[] {
  return Object.values(pending).flat();
}

/** The earliest deadline in event time; undefined when nothing is pending. */
export function earliestDue(pending: PendingBySession): number | undefined {
  return earliest(allPending(pending).map((money) => money.dueAt));
}

/** The earliest deadline of the wall clock; undefined when there is none. */
export function earliestWallDue(pending: PendingBySession): number | undefined {
  return earliest(allPending(pending).map((money) => money.wallDueAt));
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce(
    (least, time) => (time !== undefined && (least === undefined || time < least) ? time : least),
    undefined,
  );
}
