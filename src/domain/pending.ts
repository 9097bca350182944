/**
 * Money that waits for its session, by session id. It leaves when the session is applied, when the effective time
 * passes `dueAt`, or when the wall clock reaches `wallDueAt`.
 */
import type { Pending } from './state.ts';

type PendingBySession = Record<string, Pending[]>;

export function addPending(pending: PendingBySession, money: Pending): void {
  (pending[money.money.userSessionId] ??= []).push(money);
}

export function takeSession(pending: PendingBySession, sessionId: string): Pending[] {
  const taken = pending[sessionId] ?? [];
  delete pending[sessionId];
  return taken;
}

/** Removes and returns what `isDue` says, in the order of deadline, then of application. */
export function takeDue(pending: PendingBySession, isDue: (money: Pending) => boolean): Pending[] {
  const due: Pending[] = [];
  for (const [sessionId, waiting] of Object.entries(pending)) {
    if (!waiting.some(isDue)) continue;
    due.push(...waiting.filter(isDue));
    const rest = waiting.filter((money) => !isDue(money));
    if (rest.length > 0) pending[sessionId] = rest;
    else delete pending[sessionId];
  }
  return due.sort((a, b) => a.dueAt - b.dueAt || a.partition - b.partition || a.offset - b.offset);
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
  return times.reduce((least, time) => (time !== undefined && (least === undefined || time < least) ? time : least), undefined);
}
