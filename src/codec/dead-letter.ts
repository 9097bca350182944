/** The records of the dead-letter topic (semantics, section 6): raw key and value, and headers that say why and whence. */
import type { OutRecord, RecordHeaders } from '../kafka/port.ts';

/** In the order of precedence: where several fit, the first is the reason. */
export const DEAD_LETTER_REASONS = [
  'too-large',
  'malformed',
  'unknown-type',
  'invalid',
  'key-mismatch',
  'future',
] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

/** Why a record cannot be used. `detail` names fields and expectations and carries no personal data. */
export interface Rejection {
  readonly reason: DeadLetterReason;
  readonly detail: string;
}

/** Where a record was read. */
export interface Source {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Kafka record timestamp, epoch ms. */
  readonly timestamp: number;
}

export type DeadLetterHeaders = Readonly<
  Record<
    'reason' | 'detail' | 'source-topic' | 'source-partition' | 'source-offset' | 'source-timestamp',
    string
  >
>;

export function deadLetterHeaders(source: Source, rejection: Rejection): DeadLetterHeaders {
  return {
    reason: rejection.reason,
    detail: rejection.detail,
    'source-topic': source.topic,
    'source-partition': String(source.partition),
    'source-offset': String(source.offset),
    'source-timestamp': String(source.timestamp),
  };
}

/** The record to write; a null key or value stays null. */
export function deadLetter(
  source: Source,
  record: { readonly key: Buffer | null; readonly value: Buffer | null },
  rejection: Rejection,
): OutRecord {
  return { key: record.key, value: record.value, headers: deadLetterHeaders(source, rejection) };
}

/** What the headers of a dead letter say, or null for a record that this product did not write. */
export function readDeadLetterHeaders(headers: RecordHeaders): (Rejection & { readonly source: Source }) | null {
  const text = (name: keyof DeadLetterHeaders): string => {
    const value = headers[name];
    return typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : '';
  };
  const reason = DEAD_LETTER_REASONS.find((known) => known === text('reason'));
  const topic = text('source-topic');
  const numbers = [text('source-partition'), text('source-offset'), text('source-timestamp')];
  if (reason === undefined || topic === '' || !numbers.every((number) => /^-?\d{1,16}$/.test(number))) return null;
  const [partition = 0, offset = 0, timestamp = 0] = numbers.map(Number);
  return { reason, detail: text('detail'), source: { topic, partition, offset, timestamp } };
}
