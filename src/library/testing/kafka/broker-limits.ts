/** What a broker says of a batch, for the Kafkas in memory: its size as it is written, compressed and framed. */
import { gzipSync } from 'node:zlib';
import { valuesOf } from '../../../engine/kafka/port.ts';
import type { HeaderValue, OutRecord, RecordHeaders, SendOptions } from '../../../engine/kafka/port.ts';

/** bytes of a batch header, format 2 */
const HEADER = 61;

/** bytes; at most a few below what Kafka's own format takes */
export function writtenBytes(records: readonly OutRecord[], { compressed = false }: SendOptions = {}): number {
  const parts = records.flatMap(({ key, value, headers = {} }) => [
    Buffer.alloc(7),
    key,
    value,
    ...Object.entries(headers).flatMap(([name, values]) =>
      valuesOf(values).flatMap((one) => [Buffer.alloc(2), name, one]),
    ),
  ]);
  const data = Buffer.concat(
    parts.flatMap((part) =>
      part === null || part === undefined ? [] : [Buffer.isBuffer(part) ? part : Buffer.from(part)],
    ),
  );
  return HEADER + (compressed ? gzipSync(data).length : data.length);
}

/** The broker's answer to a batch that a topic with these settings does not take; undefined when it does. */
export function refusal(
  settings: Readonly<Record<string, string>> | undefined,
  records: readonly OutRecord[],
  options?: SendOptions,
): 'MESSAGE_TOO_LARGE' | 'INVALID_RECORD' | undefined {
  if (settings?.['cleanup.policy']?.includes('compact') === true && records.some(({ key }) => key === null)) {
    return 'INVALID_RECORD';
  }
  const limit = Number(settings?.['max.message.bytes'] ?? Infinity);
  const asWritten = settings?.['compression.type'] === 'uncompressed' ? undefined : options;
  return Number.isFinite(limit) && writtenBytes(records, asWritten) > limit ? 'MESSAGE_TOO_LARGE' : undefined;
}

/** As the readers of a fake see it: of a header that occurs several times the last one. */
export function lastOf(header: RecordHeaders[string]): string {
  const last: HeaderValue = valuesOf(header).at(-1);
  return last === null || last === undefined ? '' : last.toString();
}
