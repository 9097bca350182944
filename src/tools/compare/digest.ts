/** A record as two short digests: which record it is, and what is in it. */
import { sourceIn } from '../../engine/workflow/output-headers.ts';
import { createHash } from 'node:crypto';
import type { InRecord } from '../../engine/kafka/port.ts';

/**
 * `place`: records of this product, told apart by key and place of their money record (headers `source-partition`,
 * `source-offset`). `content`: at least one topic has no such headers; records are a multiset of key, value and mark.
 */
export type Identity = 'place' | 'content';

export type ComparedRecord = Pick<InRecord, 'key' | 'value' | 'headers'>;

export interface Digests {
  /** Equal for records that should be equal. */
  readonly identity: string;
  /** Equal for records that are equal. */
  readonly content: string;
}

/** `partition/offset` of its money record; undefined when it does not say. */
export function placeOf({ headers }: Pick<ComparedRecord, 'headers'>): string | undefined {
  const source = sourceIn(headers);
  return source && `${source.partition}/${source.offset}`;
}

/** The header `enrichment`, the only one besides the place that says anything about the content. */
export function markOf({ headers }: Pick<ComparedRecord, 'headers'>): string {
  return headers?.['enrichment']?.toString() ?? '';
}

export function digestsOf(record: ComparedRecord, by: Identity): Digests {
  const place = by === 'place' ? (placeOf(record) ?? '') : '';
  const content = digest([record.key, place, record.value, markOf(record)]);
  return { identity: by === 'place' ? digest([record.key, place]) : content, content };
}

/** 16 bytes as Latin-1 text: the shortest key for a Map. */
function digest(parts: readonly (Buffer | string | null)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    hash.update(bytes === null ? 'null;' : `${bytes.length};`);
    if (bytes !== null) hash.update(bytes);
  }
  return hash.digest().toString('latin1', 0, 16);
}
