/**
 * The independent model: what the system must put out for given logs, written from the specification alone. It shares
 * no code with src, so that it can judge it; clarity goes before speed. It runs in two steps: read every partition
 * triple to its end, which gives the order and the effective times of all applications; then fold them user by user.
 *
 * Folding afterwards changes nothing: a deadline that a watermark passed is also passed by the `tau` of the user's next
 * application, which is never below a watermark of before, and the last watermark is given to every user at the end.
 */
import { decode } from './decode.ts';
import type { UnusableReason } from './decode.ts';
import { readTriple } from './reading.ts';
import { User } from './user.ts';

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

/** Partition -> the three logs, each in the order of its offsets. */
function logsOf(records: readonly LogRecord[]): Map<number, Record<Topic, LogRecord[]>> {
  const triples = new Map<number, Record<Topic, LogRecord[]>>();
  const seen = new Set<string>();
  for (const record of records) {
    const coordinate = `${record.topic}/${record.partition}/${record.offset}`;
    if (seen.has(coordinate)) continue;
    seen.add(coordinate);
    const triple = triples.get(record.partition) ?? { user: [], session: [], money: [] };
    triples.set(record.partition, triple);
    triple[record.topic].push(record);
  }
  for (const triple of triples.values()) {
    for (const topic of TOPICS) triple[topic].sort((a, b) => a.offset - b.offset);
  }
  return triples;
}

export function model(input: ModelInput): ModelResult {
  const { settings } = input;
  const outputs: ModelOutput[] = [];
  const deadLetters: { topic: Topic; partition: number; offset: number; reason: UnusableReason }[] = [];
  const duplicates: { partition: number; offset: number }[] = [];
  const stillPending: { partition: number; offset: number }[] = [];
  for (const logs of logsOf(input.records).values()) {
    const reading = readTriple(logs, settings.outOfOrderness, (record) => decode(record, settings));
    for (const { record, reason } of reading.deadLetters) {
      deadLetters.push({ topic: record.topic, partition: record.partition, offset: record.offset, reason });
    }
    const users = new Map<string, User>();
    for (const application of reading.applications) {
      const { userId } = application.record;
      const user = users.get(userId) ?? new User(userId, input);
      users.set(userId, user);
      user.apply(application);
    }
    for (const user of users.values()) {
      user.end(reading.watermark, settings.pendingAtEnd);
      outputs.push(...user.outputs);
      duplicates.push(...user.duplicates);
      stillPending.push(...user.pending.map(({ partition, offset }) => ({ partition, offset })));
    }
  }
  return { outputs, deadLetters, duplicates, stillPending };
}
