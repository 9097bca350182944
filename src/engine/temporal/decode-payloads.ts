/** Recorded payloads as values, without a worker. */
import type { Client } from '@temporalio/client';
import type { Payload, PayloadCodec } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';

/** The values as the workflow saw them. Errors: CodedError NEWER_STATE, DIVERGENCE, UNDECIPHERABLE. */
export type Decode = <T>(payloads: readonly Payload[] | null | undefined) => Promise<T[]>;

/** With the codecs of the client. */
export function decoderOf({ workflow }: Pick<Client, 'workflow'>): Decode {
  return decoderFor(workflow.options.loadedDataConverter.payloadCodecs);
}

/** `codecs`: in the order in which they encode. */
export function decoderFor(codecs: readonly PayloadCodec[]): Decode {
  return async <T>(payloads: readonly Payload[] | null | undefined): Promise<T[]> => {
    let decoded = [...(payloads ?? [])];
    for (const codec of [...codecs].reverse()) decoded = await codec.decode(decoded);
    return decoded.map(({ data }) =>
      data && data.length > 0 ? (JSON.parse(Buffer.from(data).toString()) as T) : (null as T),
    );
  };
}

/** What a failure says, itself and not its causes: of one whose words are a payload, these. Undefined: nothing. */
export async function messageOfFailure(
  failure: Pick<temporal.api.failure.v1.IFailure, 'message' | 'encodedAttributes'> | null | undefined,
  decode: Decode,
): Promise<string | undefined> {
  const encoded = failure?.encodedAttributes;
  const [attributes] = encoded ? await decode<{ readonly message?: unknown } | null>([encoded]) : [];
  const message = attributes?.message;
  return (typeof message === 'string' ? message : failure?.message) || undefined;
}
