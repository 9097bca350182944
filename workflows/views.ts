/**
 * What the queries answer: for people and for scripts, so times are ISO text. An answer stays below a few hundred kilobytes
 * (Temporal takes 2 MB) whatever the events hold: lists are cut to {@link VIEW_LIMIT}, and so are texts that came from
 * outside, to {@link TEXT_LIMIT}.
 */
import { carriedBytes } from './carried.ts';
import { isoOf } from '../src/engine/workflow/iso.ts';
import type { Life } from './life.ts';
import { keptOf } from '../src/money/domain/kept.ts';
import { sessionStatus } from '../src/money/domain/sessions.ts';
import type { Pending, Session, Counters } from '../src/money/domain/state.ts';
import type { UserInfo } from '../src/money/domain/events.ts';
import { partitionsOf } from '../src/engine/workflow/redelivery.ts';
import { userInfoAt } from '../src/money/domain/user-info.ts';

/** Entries of a list; pending money is counted over all sessions. */
const VIEW_LIMIT = 100;
/** Characters of a text; a longer one ends in an ellipsis. */
const TEXT_LIMIT = 100;

export interface SessionView {
  readonly sessionId: string;
  readonly clientCountryCode: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly status: 'visible' | 'expired';
}

export interface PendingView {
  readonly moneyId: string;
  readonly processedAt: string;
  readonly moneyType: string;
  readonly amount: string;
  readonly currency: string;
  /** Looked up when event time passes this. */
  readonly dueAt: string;
  /** Looked up when the wall clock reaches this. */
  readonly wallClockDueAt: string | null;
}

interface LookupView {
  readonly moneyId: string;
  readonly sessionId: string;
  readonly givenUpAt: string | null;
}

export interface UserStateView {
  readonly userId: string;
  /** Event time reached; null before the first event. */
  readonly effectiveTime: string | null;
  readonly userInfo: UserInfo | null;
  readonly sessions: readonly SessionView[];
  /** By session id; each in the order of application. */
  readonly pendingMoney: Readonly<Record<string, readonly PendingView[]>>;
  readonly lookups: readonly LookupView[];
  /** Money types in the order of first occurrence; one of more than 64 characters is its digest (src/money/domain/first-occurrence.ts). */
  readonly firstOccurrences: readonly string[];
  readonly counters: Counters & { readonly published: number; readonly unpublished: number };
  /** How many of each are held, also where a list above is cut to {@link VIEW_LIMIT}. */
  readonly sizes: {
    readonly sessions: number;
    readonly pendingMoney: number;
    readonly lookups: number;
    readonly firstOccurrences: number;
    readonly dedupEntries: number;
    /** Of all that is carried, as it is stored; at most MAX_BYTES of src/engine/workflow/entity/room.ts but for what is owed. */
    readonly bytes: number;
  };
  /** Signals are not applied until some of what is owed (lookups, outputs) is published: it takes all the room. */
  readonly waitsForRoom: boolean;
  /** Partitions that this user's records came from; more than one is a fault of the producers. */
  readonly partitions: readonly number[];
  readonly partition: number;
  readonly incarnation: { readonly startedAt: string; readonly runId: string };
}

export const cut = (text: string, limit = TEXT_LIMIT) => (text.length <= limit ? text : `${text.slice(0, limit - 1)}…`);

export function stateView(userId: string, life: Life, waitsForRoom = false): UserStateView {
  const { user, published, unpublished, incarnation } = life;
  const sessionIds = Object.keys(user.sessions);
  return {
    userId,
    effectiveTime: user.tau === null ? null : isoOf(user.tau),
    userInfo: userInfoView(life),
    sessions: sessionIds.slice(0, VIEW_LIMIT).flatMap((id) => sessionView(life, id) ?? []),
    pendingMoney: allPendingView(user.pending),
    lookups: user.lookups.slice(0, VIEW_LIMIT).map(({ money, giveUpAt }) => ({
      moneyId: money.id,
      sessionId: money.userSessionId,
      givenUpAt: giveUpAt === undefined ? null : isoOf(giveUpAt),
    })),
    firstOccurrences: user.moneyTypes.slice(0, VIEW_LIMIT).map((type) => cut(type)),
    counters: { ...user.counters, published: published.applied + published.resolved, unpublished: unpublished.length },
    sizes: {
      sessions: sessionIds.length,
      pendingMoney: keptOf(user).pending.count,
      lookups: user.lookups.length,
      firstOccurrences: user.moneyTypes.length,
      dedupEntries: Object.keys(user.dedup).length,
      bytes: carriedBytes(life),
    },
    waitsForRoom,
    partitions: partitionsOf(user.redelivery),
    partition: life.partition,
    incarnation: { startedAt: isoOf(incarnation.startedAt), runId: incarnation.runId },
  };
}

export function userInfoView({ user }: Life): UserInfo | null {
  const info = user.tau === null ? undefined : userInfoAt(user, user.tau);
  return info === undefined
    ? null
    : Object.fromEntries(Object.entries(info).map(([name, value]) => [name, cut(value)]));
}

export function sessionView({ user, rules }: Life, sessionId: string): SessionView | null {
  const session: Session | undefined = user.sessions[sessionId.toLowerCase()];
  if (session === undefined || rules === null || user.tau === null) return null;
  const status = sessionStatus(session, user.tau, rules.sessionTtl);
  if (status === 'unknown') return null;
  return {
    sessionId: sessionId.toLowerCase(),
    clientCountryCode: cut(session.clientCountryCode),
    createdAt: isoOf(session.ts),
    expiresAt: isoOf(session.ts + rules.sessionTtl),
    status,
  };
}

export function pendingView({ user }: Life, sessionId: string): PendingView[] {
  return pendingViews(user.pending[sessionId.toLowerCase()] ?? [], VIEW_LIMIT);
}

function allPendingView(pending: Readonly<Record<string, readonly Pending[]>>): Record<string, PendingView[]> {
  const views: Record<string, PendingView[]> = {};
  let room = VIEW_LIMIT;
  for (const [sessionId, waiting] of Object.entries(pending)) {
    if (room === 0) break;
    const shown = pendingViews(waiting, room);
    views[sessionId] = shown;
    room -= shown.length;
  }
  return views;
}

function pendingViews(waiting: readonly Pending[], limit: number): PendingView[] {
  return waiting.slice(0, limit).map(({ money, dueAt, wallDueAt }) => ({
    moneyId: money.id,
    processedAt: isoOf(money.ts),
    moneyType: cut(money.moneyType),
    amount: cut(money.amount),
    currency: money.currency,
    dueAt: isoOf(dueAt),
    wallClockDueAt: wallDueAt === undefined ? null : isoOf(wallDueAt),
  }));
}
