import type { Output } from '../domain/events.ts';
import type { EncodedOutput } from '../../engine/publish/group-commit.ts';
import { encodeEnriched, outputKey } from './enriched.ts';

/** The output record of one money: JSON value, key in double quotes. Headers of the stream are the publisher's. */
export function encodeOutput(output: Output, userId: string): EncodedOutput {
  return { key: outputKey(userId), value: encodeEnriched(output.enriched), ...headersOf(output) };
}

/** What its money record hands on, and whether its lookup was given up. */
export function headersOf({ incomplete, enriched }: Output): Pick<EncodedOutput, 'headers'> {
  const { forwarded } = enriched.money;
  if (forwarded === undefined) return incomplete === true ? { headers: { enrichment: 'incomplete' } } : {};
  const values = new Map<string, Buffer[]>();
  for (const { name, value } of forwarded.headers) {
    values.set(name, [...(values.get(name) ?? []), Buffer.from(value, 'latin1')]);
  }
  const own = Object.fromEntries(values);
  return { headers: incomplete === true ? { enrichment: 'incomplete', ...own } : own };
}
