/** What the generated traffic is like, and how much event time it takes. */

/** Fractions are between 0 and 1, durations in ms. */
export interface TrafficOptions {
  readonly users: number;
  /** Number of records, of all topics and kinds together. */
  readonly events: number;
  readonly seed: number;
  /** Event time of the first event, epoch ms. */
  readonly start: number;
  /** Event time from the first to the last event, without the day of yesterday's sessions. */
  readonly span: number;
  /** Of the money events: sent a second time under the same id. */
  readonly duplicates: number;
  readonly disorder: number;
  /** Of the money events: come later than `outOfOrderness`. */
  readonly late: number;
  /** Of the money events: `isOldMoneyEvent`. */
  readonly old: number;
  /** Of the money events: before their session, which may never come. */
  readonly pending: number;
  /**
   * Of the money events: refer to an expired session. Above 0, the traffic begins with sessions of a `sessionTtl`
   * earlier than the rest.
   */
  readonly expiredSessions: number;
  /** Of all records: cannot be used, every kind in turn. */
  readonly malformed: number;
  /** With records over `maxRecordBytes` among the malformed; a broker may refuse them. */
  readonly tooLarge: boolean;
  /** Number of different money types. */
  readonly moneyTypes: number;
  readonly outOfOrderness: number;
  readonly sessionTtl: number;
  readonly dedupTtl: number;
  readonly pendingTimeout: number;
  readonly maxFutureSkew: number;
  readonly maxRecordBytes: number;
}

const MS_PER_EVENT = 25;
/** ms between yesterday's sessions */
export const YESTERDAY_STEP = 7;

/** Plain traffic: `users`, `events`, `seed` and `start` given, nothing unusual but 5 % duplicates and 5 s of disorder. */
export function trafficOptions(
  given: Pick<TrafficOptions, 'users' | 'events' | 'seed' | 'start'> & Partial<TrafficOptions>,
): TrafficOptions {
  return {
    span: given.events * MS_PER_EVENT,
    duplicates: 0.05,
    disorder: 5000,
    late: 0,
    old: 0,
    pending: 0,
    expiredSessions: 0,
    malformed: 0,
    tooLarge: true,
    moneyTypes: 6,
    outOfOrderness: 20_000,
    sessionTtl: 86_400_000,
    dedupTtl: 60_000,
    pendingTimeout: 3_600_000,
    maxFutureSkew: 3_600_000,
    maxRecordBytes: 1_048_576,
    ...given,
  };
}

/** ms of event time from `start` to the begin of the main part: 0 without expired sessions. */
export function preludeLength(options: TrafficOptions): number {
  if (options.expiredSessions === 0) return 0;
  return yesterdayCount(options) * YESTERDAY_STEP + options.sessionTtl + 1;
}

/** Users that have a session of yesterday. */
export function yesterdayCount({ users, events }: TrafficOptions): number {
  return Math.min(users, Math.floor(events / 10));
}

/** ms of event time from the first to about the last event. */
export function trafficLength(options: TrafficOptions): number {
  return preludeLength(options) + options.span;
}
