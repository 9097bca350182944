/**
 * What the records of the ledger topic say. Key: a user id, value: what was last published for that user. One key is no
 * user: {@link OWNER_KEY}, written by whoever takes the shard. The topic is compacted, the last value of a key counts.
 */
import type { Incarnation } from '../../activities/contract.ts';
import { EnrichmentError } from '../errors.ts';

/** User ids are UUIDs: no user has this one. */
export const OWNER_KEY = '!owner';

/** The last published output of one stream: its sequence number, and the place of its money record. */
export interface Mark {
  readonly seq: number;
  readonly partition: number;
  readonly offset: number;
}

export interface LedgerEntry {
  readonly incarnation: Incarnation;
  /** Absent: nothing was published on that stream in this incarnation. */
  readonly applied?: Mark;
  readonly resolved?: Mark;
}

/** The end of what was written before a shard was taken, and who took it. */
export interface Owner {
  readonly owner: string;
  readonly host: string;
  /** Epoch ms; for people. */
  readonly at: number;
}

/** `{"i":[startedAt,runId],"a":[seq,partition,offset],"r":[...]}`: short, since there is one for every user. */
export function encodeLedgerEntry({ incarnation, applied, resolved }: LedgerEntry): string {
  return JSON.stringify({
    i: [incarnation.startedAt, incarnation.runId],
    ...(applied === undefined ? {} : { a: [applied.seq, applied.partition, applied.offset] }),
    ...(resolved === undefined ? {} : { r: [resolved.seq, resolved.partition, resolved.offset] }),
  });
}

/** Throws EnrichmentError DIVERGENCE: somebody else writes to the ledger, and nothing must be published by guess. */
export function decodeLedgerEntry(value: Buffer, where: string): LedgerEntry {
  const fields = parse(value, where);
  const [startedAt, runId] = Array.isArray(fields['i']) ? (fields['i'] as unknown[]) : [];
  if (typeof startedAt !== 'number' || typeof runId !== 'string') throw foreign(value, where, 'no incarnation');
  const applied = markOf(fields['a'], value, where);
  const resolved = markOf(fields['r'], value, where);
  return {
    incarnation: { startedAt, runId },
    ...(applied === undefined ? {} : { applied }),
    ...(resolved === undefined ? {} : { resolved }),
  };
}

export function encodeOwner(owner: Owner): string {
  return JSON.stringify(owner);
}

/** Throws EnrichmentError DIVERGENCE. */
export function decodeOwner(value: Buffer, where: string): Owner {
  const { owner, host, at } = parse(value, where);
  if (typeof owner !== 'string') throw foreign(value, where, 'no owner');
  return { owner, host: typeof host === 'string' ? host : '', at: typeof at === 'number' ? at : 0 };
}

function markOf(field: unknown, value: Buffer, where: string): Mark | undefined {
  if (field === undefined) return undefined;
  if (!Array.isArray(field) || field.length !== 3 || !field.every(Number.isSafeInteger)) {
    throw foreign(value, where, 'a stream without sequence number, partition and offset');
  }
  const [seq, partition, offset] = field as [number, number, number];
  return { seq, partition, offset };
}

function parse(value: Buffer, where: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(value.toString());
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // The message of the SyntaxError quotes the record, which may be anybody's.
    throw foreign(value, where, 'not JSON');
  }
  throw foreign(value, where, 'not an object');
}

function foreign(value: Buffer, where: string, why: string): EnrichmentError {
  return new EnrichmentError(
    'DIVERGENCE',
    `the ledger record at ${where} is not one of ours (${why}, ${value.length} bytes). ` +
      'Only the publisher may write to the ledger topic: find the other writer, then delete that record by a tombstone',
  );
}
