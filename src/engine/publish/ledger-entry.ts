/**
 * What the records of the ledger topic say. Key: a business key, value: what was last published for it. One is no
 * business key: {@link OWNER_KEY}, written by whoever takes the shard. The topic is compacted, the last value of a key counts.
 */
import { CodedError, messageOf } from '../errors.ts';
import { ledgerFormat, type StoredFormat } from '../stored/format.ts';
import type { LedgerEntry } from '../workflow/ledger-types.ts';

export type { LedgerEntry };

/** No business key is this one. */
export const OWNER_KEY = '!owner';

/** The end of what was written before a shard was taken, and who took it. */
export interface Owner {
  readonly owner: string;
  readonly host: string;
  /** Epoch ms; for people. */
  readonly at: number;
}

/** Avro, by the schema of a LedgerEntry. */
export function encodeLedgerEntry(entry: LedgerEntry): Buffer {
  return ledgerFormat().encode('LedgerEntry', entry);
}

/**
 * Throws CodedError DIVERGENCE: somebody else writes to the ledger, and nothing must be published by guess; NEWER_STATE:
 * a newer version of this product wrote it.
 */
export function decodeLedgerEntry(value: Buffer, where: string): LedgerEntry {
  let decoded: ReturnType<StoredFormat['decode']>;
  try {
    decoded = ledgerFormat().decode(value);
  } catch (error) {
    if (error instanceof CodedError && error.code === 'NEWER_STATE') {
      throw new CodedError('NEWER_STATE', `the ledger record at ${where} was ${error.message}`, { cause: error });
    }
    throw foreign(value, where, messageOf(error));
  }
  if (decoded.name !== 'LedgerEntry') throw foreign(value, where, `a ${decoded.name}`);
  return decoded.value as LedgerEntry;
}

export function encodeOwner(owner: Owner): string {
  return JSON.stringify(owner);
}

/** Throws CodedError DIVERGENCE. */
export function decodeOwner(value: Buffer, where: string): Owner {
  const { owner, host, at } = parse(value, where);
  if (typeof owner !== 'string') throw foreign(value, where, 'no owner');
  return { owner, host: typeof host === 'string' ? host : '', at: typeof at === 'number' ? at : 0 };
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

function foreign(value: Buffer, where: string, why: string): CodedError {
  return new CodedError(
    'DIVERGENCE',
    `the ledger record at ${where} is not one of ours (${why}, ${value.length} bytes). ` +
      'Only the publisher may write to the ledger topic: find the other writer, then delete that record by a tombstone',
  );
}
