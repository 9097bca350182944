/** What goes into the model and comes out of it. */

export type UnusableReason = 'too-large' | 'malformed' | 'unknown-type' | 'invalid' | 'key-mismatch' | 'future';

/** In the order in which equal times are applied. */
export const TOPICS = ['user', 'session', 'money'] as const;
export type Topic = (typeof TOPICS)[number];

export interface LogRecord {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
  /** Kafka record timestamp, epoch ms. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** All durations in ms. */
export interface ModelSettings {
  readonly outOfOrderness: number;
  readonly sessionTtl: number;
  readonly dedupTtl: number;
  readonly pendingTimeout: number;
  readonly maxFutureSkew: number;
  readonly maxRecordBytes: number;
  /** What is pending when all has been read: a backfill looks it up, a live system leaves it pending. */
  readonly pendingAtEnd: 'lookup' | 'leave';
  /** Section 3, Bounds: how many of each are kept of one user. */
  readonly bounds: ModelBounds;
}

interface ModelBounds {
  readonly dedupEntries: number;
  readonly sessions: number;
  readonly pending: number;
  /** Of each field. */
  readonly changes: number;
  readonly moneyTypes: number;
}

export const DEFAULT_SETTINGS: ModelSettings = {
  outOfOrderness: 20_000,
  sessionTtl: 86_400_000,
  dedupTtl: 60_000,
  pendingTimeout: 3_600_000,
  maxFutureSkew: 3_600_000,
  maxRecordBytes: 1_048_576,
  pendingAtEnd: 'lookup',
  bounds: { dedupEntries: 60_000, sessions: 20_000, pending: 10_000, changes: 1_000, moneyTypes: 10_000 },
};

export interface ModelInput {
  /** In any order; a coordinate that is there twice counts once. */
  readonly records: readonly LogRecord[];
  readonly settings: ModelSettings;
  /** Country; null: not found (404); undefined: unavailable until the lookup was given up. */
  sessionService(sessionId: string): string | null | undefined;
}

export interface ModelOutput {
  /** Place of the money record. */
  readonly partition: number;
  readonly offset: number;
  readonly userId: string;
  /** The user id in double quotes. */
  readonly key: string;
  /** Exact JSON text, fields in the order of section 1. */
  readonly value: string;
  /** The lookup was given up. */
  readonly incomplete: boolean;
  /** `applied`: decided at once without a lookup; `session`: pending until its session came; `lookup`: asked. */
  readonly path: 'applied' | 'session' | 'lookup';
  /** It was pending for a time, whatever ended that. */
  readonly waited: boolean;
}

export interface ModelResult {
  readonly outputs: readonly ModelOutput[];
  readonly deadLetters: readonly { topic: Topic; partition: number; offset: number; reason: UnusableReason }[];
  readonly duplicates: readonly { partition: number; offset: number }[];
  readonly stillPending: readonly { partition: number; offset: number }[];
}
