/**
 * The headers by which an output says which one it is, and of what: the one place of these names, which never change. Pure:
 * the rules know them too, since no header that is handed on may be named like one of these.
 */

const SOURCE_PARTITION = 'source-partition';
const SOURCE_OFFSET = 'source-offset';

/** The publisher's own; those of the source only where there is one. */
export const PUBLISHER_HEADERS = ['incarnation', 'stream', 'seq', SOURCE_PARTITION, SOURCE_OFFSET] as const;

/** The record that an output is of. */
interface Source {
  readonly partition: number;
  readonly offset: number;
}

export function sourceHeaders({ partition, offset }: Source): Readonly<Record<string, string>> {
  return { [SOURCE_PARTITION]: String(partition), [SOURCE_OFFSET]: String(offset) };
}

/** As text or bytes; undefined where they do not say it. */
export function sourceIn(headers: Readonly<Record<string, unknown>> = {}): Source | undefined {
  const [partition, offset] = [numberOf(headers[SOURCE_PARTITION]), numberOf(headers[SOURCE_OFFSET])];
  return partition === undefined || offset === undefined ? undefined : { partition, offset };
}

function numberOf(value: unknown): number | undefined {
  const text = typeof value === 'string' || value instanceof Uint8Array ? value.toString() : '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
