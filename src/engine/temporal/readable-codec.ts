/**
 * For workflows whose payloads are those of Temporal's default converter. The SDK fails a workflow's task, for ever, for a payload that it
 * cannot read: a signal by somebody whose program sends protobuf, or bytes that are no JSON. None of it can be a record of the bridge, so the
 * workflow gets something to drop instead.
 *
 * Any other encoding that is not known still fails the task: a record of the bridge looks like that where its client encrypts and the
 * worker has no such codec, and nothing of it is lost until the worker has it.
 */
import type { Payload, PayloadCodec } from '@temporalio/common';
import { encodingOf, JSON_PLAIN, readableJson, unreadable } from './payloads.ts';

const PROTOBUF: ReadonlySet<string> = new Set(['json/protobuf', 'binary/protobuf']);

/** Comes before all other codecs: what is decoded comes here last. */
export class ReadableCodec implements PayloadCodec {
  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads);
  }

  decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads.map(readable));
  }
}

function readable(payload: Payload): Payload {
  const encoding = encodingOf(payload);
  if (PROTOBUF.has(encoding)) return unreadable(`${encoding}, which is not known here`);
  return encoding === JSON_PLAIN ? readableJson(payload) : payload;
}
