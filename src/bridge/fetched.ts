import { decodeRecord, type Limits } from '../codec/decode.ts';
import type { ValueDecoder } from '../codec/value.ts';
import { INPUTS } from '../domain/events.ts';
import type { InRecord } from '../kafka/port.ts';
import type { Fetched } from './merge-queue.ts';
import { unusableBytes } from './read-record.ts';
import type { InputIndex } from './watermark.ts';

/** What a fetched record says; of one that cannot be used all that its dead letter needs is kept. */
export function fetchedOf(input: InputIndex, record: InRecord, limits: Limits, decoder: ValueDecoder): Fetched {
  const { offset, timestamp, timestampText, key, value } = record;
  const decoded = decodeRecord(INPUTS[input]!, { key, value, timestamp }, limits, decoder);
  if (decoded.ok) return { offset, timestamp, bytes: value?.length ?? 0, decoded };
  // A copy: the buffers are windows on the whole response of the broker.
  const raw = { key: copy(key), value: copy(value), ...(timestampText === undefined ? {} : { timestampText }) };
  return { offset, timestamp, bytes: unusableBytes(raw), decoded, raw };
}

function copy(buffer: Buffer | null): Buffer | null {
  return buffer === null ? null : Buffer.from(buffer);
}
