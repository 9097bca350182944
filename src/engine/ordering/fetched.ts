import { valuesOf } from '../kafka/port.ts';
import type { HeaderValue, InRecord, RecordHeaders } from '../kafka/port.ts';
import type { Decoded } from './decoded.ts';
import type { Fetched } from './merge-queue.ts';
import { printOf } from './record-mark.ts';
import { unusableBytes } from './read-record.ts';

/** What a fetched record says; of one that cannot be used all that its dead letter needs is kept. */
export function fetchedOf<E>(record: InRecord, decoded: Decoded<E>): Fetched<E> {
  const { offset, timestamp, timestampText, key, value, headers } = record;
  const print = printOf(record);
  if (decoded.ok) {
    return { offset, timestamp, print, bytes: (value?.length ?? 0) + (decoded.moreBytes ?? 0), decoded };
  }
  // A copy: the buffers are windows on the whole response of the broker.
  const raw = {
    key: copy(key),
    value: copy(value),
    ...(headers === undefined ? {} : { headers: copyHeaders(headers) }),
    ...(timestampText === undefined ? {} : { timestampText }),
  };
  return { offset, timestamp, print, bytes: unusableBytes(raw), decoded, raw };
}

function copy(buffer: Buffer | null): Buffer | null {
  return buffer === null ? null : Buffer.from(buffer);
}

function copyHeaders(headers: RecordHeaders): RecordHeaders {
  const one = (value: HeaderValue): HeaderValue => (Buffer.isBuffer(value) ? copy(value) : value);
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [
      name,
      Array.isArray(values) ? valuesOf(values).map(one) : one(values as HeaderValue),
    ]),
  );
}
