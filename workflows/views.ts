/** What the queries answer: for people and for scripts, so times are ISO text and long lists are cut. */
import type { Life } from './life.ts';
import { sessionStatus } from '../src/domain/sessions.ts';
import type { Pending, Session } from '../src/domain/state.ts';
import type { Counters } from '../src/domain/state.ts';
import type { UserInfo } from '../src/domain/events.ts';
import { userInfoAt } from '../src/domain/user-info.ts';

/** Lists are cut to this length, so that an answer stays far below Temporal's limits. */
export const VIEW_LIMIT = 200;

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

export interface LookupView {
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
  /** By session id. */
  readonly pendingMoney: Readonly<Record<string, readonly PendingView[]>>;
  readonly lookups: readonly LookupView[];
  /** Money types in the order of first occurrence. */
  readonly firstOccurrences: readonly string[];
  readonly counters: Counters & { readonly published: number; readonly unpublished: number };
  /** How many of each are held, also where a list above is cut to {@link VIEW_LIMIT}. */
  readonly sizes: {
    readonly sessions: number;
    readonly pendingMoney: number;
    readonly lookups: number;
    readonly dedupEntries: number;
  };
  readonly partition: number;
  readonly incarnation: { readonly startedAt: string; readonly runId: string };
}

const iso = (ms: number) => new Date(ms).toISOString();

export function stateView(userId: string, life: Life): UserStateView {
  const { user, published, unpublished, incarnation } = life;
  const pending = Object.entries(user.pending);
  return {
    userId,
    effectiveTime: user.tau === null ? null : iso(user.tau),
    userInfo: userInfoView(life),
    sessions: Object.keys(user.sessions).slice(0, VIEW_LIMIT).flatMap((id) => sessionView(life, id) ?? []),
    pendingMoney: Object.fromEntries(pending.slice(0, VIEW_LIMIT).map(([id]) => [id, pendingView(life, id)])),
    lookups: user.lookups.slice(0, VIEW_LIMIT).map(({ money, giveUpAt }) => ({
      moneyId: money.id,
      sessionId: money.userSessionId,
      givenUpAt: giveUpAt === undefined ? null : iso(giveUpAt),
    })),
    firstOccurrences: user.moneyTypes.slice(0, VIEW_LIMIT),
    counters: { ...user.counters, published: published.applied + published.resolved, unpublished: unpublished.length },
    sizes: {
      sessions: Object.keys(user.sessions).length,
      pendingMoney: pending.reduce((sum, [, money]) => sum + money.length, 0),
      lookups: user.lookups.length,
      dedupEntries: Object.keys(user.dedup).length,
    },
    partition: life.partition,
    incarnation: { startedAt: iso(incarnation.startedAt), runId: incarnation.runId },
  };
}

export function userInfoView({ user }: Life): UserInfo | null {
  return (user.tau === null ? undefined : userInfoAt(user, user.tau)) ?? null;
}

export function sessionView({ user, rules }: Life, sessionId: string): SessionView | null {
  const session: Session | undefined = user.sessions[sessionId.toLowerCase()];
  if (session === undefined || rules === null || user.tau === null) return null;
  const status = sessionStatus(session, user.tau, rules.sessionTtl);
  if (status === 'unknown') return null;
  return {
    sessionId: sessionId.toLowerCase(),
    clientCountryCode: session.clientCountryCode,
    createdAt: iso(session.ts),
    expiresAt: iso(session.ts + rules.sessionTtl),
    status,
  };
}

export function pendingView({ user }: Life, sessionId: string): PendingView[] {
  const waiting: readonly Pending[] = user.pending[sessionId.toLowerCase()] ?? [];
  return waiting.slice(0, VIEW_LIMIT).map(({ money, dueAt, wallDueAt }) => ({
    moneyId: money.id,
    processedAt: iso(money.ts),
    moneyType: money.moneyType,
    amount: money.amount,
    currency: money.currency,
    dueAt: iso(dueAt),
    wallClockDueAt: wallDueAt === undefined ? null : iso(wallDueAt),
  }));
}

/** Markdown for the summary in Temporal's UI. */
export function details(life: Life): string {
  const { user } = life;
  const { counters } = user;
  const pending = Object.values(user.pending).reduce((sum, money) => sum + money.length, 0);
  return [
    `Event time **${user.tau === null ? 'none yet' : iso(user.tau)}**, ${Object.keys(user.sessions).length} sessions`,
    `Money: ${counters.moneyApplied} applied, ${life.published.applied + life.published.resolved} published, ${counters.duplicatesDropped} duplicates dropped`,
    `Waiting: ${pending} for a session, ${user.lookups.length} for a lookup`,
  ].join('\n\n');
}
