/** Made of schemas/state.avsc by `npm run schemas:types`. Change the schema, not this file. */
import type { Incarnation } from '../../engine/workflow/ledger-types.ts';

/** Of a Kafka record; one that has several values stands several times. */
export interface Header {
  readonly name: string;
  /** Its bytes as Latin-1. */
  readonly value: string;
}

/** What a money record hands on to its output as it is. */
export interface Forwarded {
  readonly headers: readonly Header[];
}

/** A money event, as far as anything depends on it. */
export interface Money {
  /** UUID, lower case. */
  readonly id: string;
  /** UUID, lower case. */
  readonly userSessionId?: string;
  /** `processedAt`, epoch ms. */
  readonly ts: number;
  /** The very number text of the input, e.g. `0.10` or `1E+2`. Never a float. */
  readonly amount: string;
  /** Code of ISO 4217. */
  readonly currency: string;
  /** Number text, like `amount`. */
  readonly closingBalance: string;
  readonly moneyType: string;
  readonly isOldMoneyEvent: boolean;
  /** Absent where the record has none of the headers that are chosen. */
  readonly forwarded?: Forwarded;
}

export interface MoneyEvent {
  readonly type: 'money';
  readonly money: Money;
}

export interface BirthDateEvent {
  readonly type: 'birthDate';
  readonly birthYear: string;
}

export interface AddressEvent {
  readonly type: 'address';
  readonly residentCountryCode: string;
}

export interface SessionEvent {
  readonly type: 'session';
  /** UUID, lower case. */
  readonly sessionId: string;
  readonly clientCountryCode: string;
}

/** An event that changes the state of a user, with its place in the log and its effective time. */
export interface Applicable {
  readonly offset: number;
  /** Event time (`processedAt`), epoch ms. */
  readonly ts: number;
  /**
   * Present iff the record was late: the watermark at its reading, which is its effective time. Otherwise `ts` is.
   */
  readonly late?: number;
  readonly event: MoneyEvent | BirthDateEvent | AddressEvent | SessionEvent;
}

/** How much is kept of one user at most; see src/money/domain/bounds.ts. */
export interface Bounds {
  readonly dedupEntries: number;
  readonly sessions: number;
  readonly pending: number;
  /** Of each field. */
  readonly changes: number;
  readonly moneyTypes: number;
  /** Of all that is kept, as it is stored. */
  readonly bytes: number;
}

/**
 * The part of the configuration that decides what comes out, in ms. It travels with every signal, so that a workflow
 * needs no configuration of its own and replays with the values that were in force.
 */
export interface Rules {
  readonly sessionTtl: number;
  readonly dedupTtl: number;
  readonly pendingTimeout: number;
  readonly lookupGiveUpAfter: number;
  /** Absent in what releases before 0.3.0 sent: nothing is bounded then while it is applied. */
  readonly bounds?: Bounds;
}

export interface UserInfo {
  readonly birthYear?: string;
  readonly residentCountryCode?: string;
}

export interface SessionInfo {
  readonly clientCountryCode: string;
}

/** The value of an output record, before it is encoded. */
export interface Enriched {
  readonly userId: string;
  readonly money: Money;
  readonly userInfo?: UserInfo;
  readonly sessionInfo?: SessionInfo;
  readonly firstOccurrence: boolean;
}

/** One output with the place of its money record, which identifies it in the ledger. */
export interface Output {
  readonly partition: number;
  readonly offset: number;
  readonly enriched: Enriched;
  /** The lookup was given up: the record gets the header `enrichment: incomplete`. */
  readonly incomplete?: boolean;
}

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

/** A money event that has a session: see Money. */
export interface SessionMoney {
  readonly id: string;
  readonly userSessionId: string;
  readonly ts: number;
  readonly amount: string;
  readonly currency: string;
  readonly closingBalance: string;
  readonly moneyType: string;
  readonly isOldMoneyEvent: boolean;
  /** Absent where the record has none of the headers that are chosen. */
  readonly forwarded?: Forwarded;
}

/** A money event that was applied and waits for its session. */
export interface Pending {
  readonly partition: number;
  readonly offset: number;
  readonly money: SessionMoney;
  /** As known when the money was applied. */
  readonly userInfo?: UserInfo;
  readonly firstOccurrence: boolean;
  /** Looked up when the effective time is greater than this, epoch ms. */
  readonly dueAt: number;
  /** Looked up when the wall clock reaches this, epoch ms; absent in a backfill, which has no wall clock. */
  readonly wallDueAt?: number;
}

/** A money event that was applied and whose session is asked for. */
export interface Lookup {
  readonly partition: number;
  readonly offset: number;
  readonly money: SessionMoney;
  /** As known when the money was applied. */
  readonly userInfo?: UserInfo;
  readonly firstOccurrence: boolean;
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
  /**
   * Money applied, by currency; at most as many as ISO 4217 has codes. What was applied before 0.2.0 is not in it.
   */
  moneyByCurrency: Record<string, number>;
  /** Dedup entries that made room, still within the dedup TTL. */
  duplicatesForgotten: number;
  /** Sessions that made room, before two session TTLs were over. */
  sessionsForgotten: number;
  /** Pending money that made room: it was looked up before its time. */
  pendingHurried: number;
  /** Changes of the user info that made room, still within the session TTL or the last before it. */
  changesForgotten: number;
  /** Money types that made room: their next money is a first occurrence again. */
  moneyTypesForgotten: number;
  /** Signals, updates, cancellations and starts that are none of the product's, and were dropped. */
  notOurs: number;
  /** Times that the workflow was reset to an earlier event. */
  resets: number;
}

/** Which log each input of a partition triple is, by name; empty for one that is not known. */
export interface Logs {
  user: string;
  session: string;
  money: string;
}

/** What was applied of one partition: everything below the low water, and ranges above it, by input. */
export interface PartitionRedelivery {
  lowWater: [user: number, session: number, money: number];
  /** Sorted, disjoint, half-open ranges: [from, to, from, to, ...]. */
  above: [user: number[], session: number[], money: number[]];
  /**
   * The logs that these offsets belong to; absent when none is known. Those of a later log under the same partition
   * have an entry of their own.
   */
  logs?: Logs;
}

/**
 * Everything that is remembered of one user: plain JSON, owned by its holder, changed in place by the rules of
 * src/money/domain. `tau` is the effective time reached.
 */
export interface UserState {
  /** Effective time reached, epoch ms; null before the first application. */
  tau: null | number;
  /** By partition number. Bounded by what the bridge has in flight of this user: see redelivery.ts. */
  redelivery: Record<string, PartitionRedelivery>;
  /** Bounded by the changes within a session TTL, plus one, and by `Bounds`, as all that follows. */
  birthYear: Change[];
  residentCountryCode: Change[];
  /** By session id; forgotten after two session TTLs. */
  sessions: Record<string, Session>;
  /** Money id to the `ts` of the money that made the entry; gone after the dedup TTL. */
  dedup: Record<string, number>;
  /**
   * In the order of first occurrence; kept for ever, bounded by the number of money types, each of at most 71
   * characters: a long one is its digest (first-occurrence.ts).
   */
  moneyTypes: string[];
  /** By session id, each in the order of application; gone after the pending timeout. */
  pending: Record<string, Pending[]>;
  /** In the order in which they were asked for; gone after the give-up time. */
  lookups: Lookup[];
  counters: Counters;
}

/** Sequence number of the last output published, by stream. */
export interface Published {
  applied: number;
  resolved: number;
}

/** What a user's workflow is between two steps, and carries through continue-as-new. */
export interface Life {
  incarnation: Incarnation;
  /** Of the last batch; null before the first. */
  rules: null | Rules;
  /** The partition triple that this user's records come from. */
  partition: number;
  published: Published;
  /** Outputs of the resolved stream from `published.resolved + 1` on, not acknowledged yet. */
  unpublished: Output[];
  user: UserState;
  /** Times that this life was continued as new. Absent in what releases before 0.3.0 carried. */
  runs?: number;
}

/** The argument of the workflow. */
export interface Start {
  /** UUID, lower case. */
  readonly userId: string;
  /** Absent in a new one. */
  readonly life?: Life;
}

/** What the bridge sends: records of one user from one partition triple, in the order of application. */
export interface EventBatch {
  readonly partition: number;
  /** Everything of this user below these offsets of the triple was acknowledged before this batch was sent. */
  readonly lowWater: readonly [user: number, session: number, money: number];
  /** The logs that the records come from: a topic that was made anew is another one. Absent when none is known. */
  readonly logs?: Logs;
  readonly rules: Rules;
  readonly records: readonly Applicable[];
  /** Whose records they are. Absent in what releases before 0.3.0 sent. */
  readonly userId?: string;
}
