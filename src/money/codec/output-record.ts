import type { Output } from '../domain/events.ts';
import type { EncodedOutput } from '../../engine/publish/group-commit.ts';
import { encodeEnriched, outputKey } from './enriched.ts';

/** The output record of one money: JSON value, key in double quotes. Headers of the stream are the publisher's. */
export function encodeOutput(output: Output, userId: string): EncodedOutput {
  return { key: outputKey(userId), value: encodeEnriched(output.enriched), ...headersOf(output) };
}

/** Of an output whose lookup was given up. */
export function headersOf({ incomplete }: Pick<Output, 'incomplete'>): Pick<EncodedOutput, 'headers'> {
  return incomplete === true ? { headers: { enrichment: 'incomplete' } } : {};
}
