/**
 * The pure core: no clock, no randomness, no I/O, no SDK, nothing of Node. The workflow, the tests and everything that
 * reads history run these same functions. Times are epoch milliseconds, money is decimal text, ids are lower-case UUIDs.
 */

/** The three inputs, in the order in which equal times are applied: user < session < money. */
export const INPUTS = ['user', 'session', 'money'] as const;
export type Input = (typeof INPUTS)[number];

/** Kafka offsets, one for each input, of one partition triple. Indexed like {@link INPUTS}. */
export type Offsets = readonly [user: number, session: number, money: number];

export interface Money {
  readonly id: string;
  readonly userSessionId?: string;
  /** `processedAt`, epoch ms. */
  readonly ts: number;
  /** The very number text of the input, e.g. `0.10` or `1E+2`. Never a float. */
  readonly amount: string;
  readonly currency: string;
  readonly closingBalance: string;
  readonly moneyType: string;
  readonly isOldMoneyEvent: boolean;
}

/** What a usable record says, as far as the state of a user depends on it. `time` only moves the watermark. */
export type Event =
  | { readonly type: 'money'; readonly money: Money }
  | { readonly type: 'birthDate'; readonly birthYear: string }
  | { readonly type: 'address'; readonly residentCountryCode: string }
  | { readonly type: 'session'; readonly sessionId: string; readonly clientCountryCode: string }
  | { readonly type: 'time' };

/** An event that changes the state of a user, with its place in the log and its effective time. */
export interface Applicable {
  readonly offset: number;
  /** Event time (`processedAt`), epoch ms. */
  readonly ts: number;
  /** Present iff the record was late: the watermark at its reading, which is its effective time. Otherwise `ts` is. */
  readonly late?: number;
  readonly event: Exclude<Event, { readonly type: 'time' }>;
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
  readonly incomplete?: true;
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
}

export function inputOf(event: Applicable['event']): Input {
  switch (event.type) {
    case 'money':
      return 'money';
    case 'session':
      return 'session';
    case 'birthDate':
    case 'address':
      return 'user';
    default:
      return event satisfies never;
  }
}

/** Effective time of an application, epoch ms (semantics, section 2). */
export function effectiveTime(record: Applicable): number {
  return record.late ?? record.ts;
}
