/**
 * Headers that a money record hands on to its output: chosen by name, bounded, and otherwise as they are. Nothing is decided by
 * them. Their bytes stand in Latin-1 text, which carries any byte.
 */
import { PUBLISHER_HEADERS } from '../../engine/workflow/output-headers.ts';
import type { Forwarded, Header } from './types.ts';

/** Values, and bytes of names and values, of one record. */
export const MAX_FORWARDED = { headers: 16, bytes: 2_048 } as const;
/** Characters of a name. */
const MAX_HEADER_NAME = 100;

/** What the output says of itself. */
const OURS: ReadonlySet<string> = new Set([...PUBLISHER_HEADERS, 'enrichment']);

const NAME = /^[\x21-\x2b\x2d-\x7e]+$/;

/** Whether headers of this name can be handed on. */
export function isForwardable(name: string): boolean {
  return name.length <= MAX_HEADER_NAME && NAME.test(name) && !OURS.has(name);
}

/** All values of a name, or none of them: `dropped` has the names that found no room. */
export function forward(found: Iterable<readonly [name: string, values: readonly string[]]>): {
  readonly forwarded?: Forwarded;
  readonly bytes: number;
  readonly dropped: number;
} {
  const headers: Header[] = [];
  let bytes = 0;
  let dropped = 0;
  for (const [name, values] of found) {
    const more = values.reduce((sum, value) => sum + name.length + value.length, 0);
    if (headers.length + values.length > MAX_FORWARDED.headers || bytes + more > MAX_FORWARDED.bytes) {
      dropped += 1;
      continue;
    }
    for (const value of values) headers.push({ name, value });
    bytes += more;
  }
  return headers.length === 0 ? { bytes, dropped } : { forwarded: { headers }, bytes, dropped };
}

/** Whether this is what {@link forward} may have made. */
export function isForwarded(value: unknown): value is Forwarded {
  const headers = (value as { headers?: unknown } | null | undefined)?.headers;
  return Array.isArray(headers) && headers.length <= MAX_FORWARDED.headers && headers.every(isHeader);
}

function isHeader(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, value: text } = value as Readonly<Record<string, unknown>>;
  return (
    typeof name === 'string' &&
    isForwardable(name) &&
    typeof text === 'string' &&
    text.length <= MAX_FORWARDED.bytes &&
    !/[^\0-\xff]/.test(text)
  );
}
