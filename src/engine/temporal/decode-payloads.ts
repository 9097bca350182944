import type { Payload } from '@temporalio/common';
import { dataConverter } from './payload-codec.ts';

/** The values as the workflow saw them. Errors: CodedError NEWER_STATE, DIVERGENCE. */
export async function decodePayloads<T>(payloads: readonly Payload[] | null | undefined): Promise<T[]> {
  let decoded = [...(payloads ?? [])];
  for (const codec of [...(dataConverter.payloadCodecs ?? [])].reverse()) decoded = await codec.decode(decoded);
  return decoded.map(({ data }) =>
    data && data.length > 0 ? (JSON.parse(Buffer.from(data).toString()) as T) : (null as T),
  );
}
