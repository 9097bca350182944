/**
 * Everything that is remembered of one user: plain JSON, owned by its holder, changed in place by the rules of this
 * folder. What each part is bounded by stands beside it; `tau` is the effective time reached.
 */
import type { Money, UserInfo } from './events.ts';
import type { Redelivery } from './redelivery.ts';

/** One value of one field of the user info, ordered by (ts, offset). */
export interface Change {
  readonly ts: number;
  readonly offset: number;
  readonly value: string;
}

export interface Session {
  readonly ts: number;
  readonly offset: number;
  readonly clientCountryCode: string;
}

/** A money event that was applied and lacks only its session. */
export interface Waiting {
  readonly partition: number;
  readonly offset: number;
  readonly money: Money & { readonly userSessionId: string };
  /** As known when the money was applied. */
  readonly userInfo?: UserInfo;
  readonly firstOccurrence: boolean;
}

export interface Pending extends Waiting {
  /** Looked up when the effective time is greater than this, epoch ms. */
  readonly dueAt: number;
  /** Looked up when the wall clock reaches this, epoch ms; absent in a backfill, which has no wall clock. */
  readonly wallDueAt?: number;
}

export interface Lookup extends Waiting {
  /** Given up when a lookup fails after this, epoch ms of the wall clock; absent in a backfill. */
  readonly giveUpAt?: number;
}

export interface Counters {
  moneyApplied: number;
  /** Same money id within the dedup TTL. */
  duplicatesDropped: number;
  /** Same coordinate again: a redelivery by the bridge. */
  redeliveriesDropped: number;
  late: number;
  joined: number;
  lookedUp: number;
  incomplete: number;
}

export interface UserState {
  /** Effective time reached, epoch ms; null before the first application. */
  tau: number | null;
  /** Bounded by what the bridge has in flight of this user: see redelivery.ts. */
  redelivery: Redelivery;
  /** Bounded by the changes within a session TTL, plus one. */
  birthYear: Change[];
  residentCountryCode: Change[];
  /** By session id; forgotten after two session TTLs. */
  sessions: Record<string, Session>;
  /** Money id to the `ts` of the money that made the entry; gone after the dedup TTL. */
  dedup: Record<string, number>;
  /**
   * In the order of first occurrence; kept for ever, bounded by the number of money types, each of at most 71 characters:
   * a long one is its digest (first-occurrence.ts).
   */
  moneyTypes: string[];
  /** By session id, each in the order of application; gone after the pending timeout. */
  pending: Record<string, Pending[]>;
  /** In the order in which they were asked for; gone after the give-up time. */
  lookups: Lookup[];
  counters: Counters;
}

export function initialState(): UserState {
  return {
    tau: null,
    redelivery: {},
    birthYear: [],
    residentCountryCode: [],
    sessions: {},
    dedup: {},
    moneyTypes: [],
    pending: {},
    lookups: [],
    counters: {
      moneyApplied: 0,
      duplicatesDropped: 0,
      redeliveriesDropped: 0,
      late: 0,
      joined: 0,
      lookedUp: 0,
      incomplete: 0,
    },
  };
}
