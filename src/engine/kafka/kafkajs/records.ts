/**
 * Decoding of fetched records, in the place of two modules of kafkajs that a producer of the inputs could stop a bridge
 * with: headers took time with the square of their number (8,000 in one record: 12 s without a heartbeat), and a batch
 * of more than about 120,000 records overflowed the stack. One batch that cannot be decoded failed the whole fetch, and
 * with it every other partition.
 *
 * Here a batch that cannot be taken is refused by itself: the partition's records end before it, and
 * {@link refusalOf} says why. What one partition may hold of one fetch is bounded, however well it was compressed.
 */
import { CodedError, messageOf } from '../../errors.ts';

/** Above what a topic made by this product takes in one uncompressed batch; some 300 bytes of memory each. */
export const MAX_BATCH_RECORDS = 250_000;
/** Of one partition in one fetch, decompressed: where the next fetch goes on. A batch is never divided. */
const ENOUGH_RECORDS = 20_000;
const ENOUGH_BYTES = 4 * 1024 * 1024;

/** Bytes of the head of a batch (magic 2), and where things are in it. */
const HEAD = 61;
const MAGIC = 2;
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const LAST_DELTA_AT = 23;
const COUNT_AT = 57;
/** bytes of a batch that its length leaves out: first offset and length */
const BEFORE_LENGTH = 12;

/** A batch that is not decoded. */
export interface Refusal {
  /** Of the first record of the batch. */
  readonly offset: number;
  readonly reason: string;
}

/** The decoder of kafkajs, as far as it is used here. */
export interface Decoder {
  buffer: Buffer;
  offset: number;
  canReadBytes(count: number): boolean;
  readVarIntArray<T>(reader: (decoder: Decoder) => T): T[];
}

interface DecodedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  headers?: Headers;
}

type HeaderValue = Buffer | null;
type Headers = Record<string, HeaderValue | HeaderValue[]>;
type Header = { readonly key: string; readonly value: HeaderValue };
type RecordDecoder = (decoder: Decoder, context: unknown) => DecodedRecord;
type BatchDecoder = (decoder: Decoder) => Promise<{ readonly records: readonly DecodedRecord[] }>;
type FetchDecoder = (decoder: Decoder) => Promise<readonly unknown[]>;

const refusals = new WeakMap<readonly unknown[], Refusal>();
const lastOffsets = new WeakMap<readonly unknown[], bigint>();

/** Why the records of a partition end where they do; undefined when nothing was refused. */
export function refusalOf(records: readonly unknown[]): Refusal | undefined {
  return refusals.get(records);
}

/** Where the last batch ends that was decoded, whether or not compaction has left anything of it; undefined for none. */
export function lastOffsetOf(records: readonly unknown[]): bigint | undefined {
  return lastOffsets.get(records);
}

/** `original` reads the headers itself, one by one into ever new objects; it is told that there are none. */
export function recordDecoder(original: RecordDecoder): RecordDecoder {
  return (decoder, context) => {
    let found: readonly Header[] = [];
    decoder.readVarIntArray = <T>(reader: (decoder: Decoder) => T): T[] => {
      found = (Object.getPrototypeOf(decoder) as Decoder).readVarIntArray.call(decoder, reader) as Header[];
      return [];
    };
    const record = original(decoder, context);
    if (found.length > 0) record.headers = headersOf(found);
    return record;
  };
}

/** A header that occurs several times is an array, as kafkajs has it. Any name is a name, `__proto__` too. */
function headersOf(list: readonly Header[]): Headers {
  const values = new Map<string, HeaderValue | HeaderValue[]>();
  for (const { key, value } of list) {
    const before = values.get(key);
    if (before === undefined) values.set(key, value);
    else if (Array.isArray(before)) before.push(value);
    else values.set(key, [before, value]);
  }
  return Object.fromEntries(values);
}

/** Of all batches of one partition in one fetch. `decodeOld`: for the formats before Kafka 0.11. */
export function fetchDecoder(
  Decoder: new (buffer: Buffer) => Decoder,
  decodeBatch: BatchDecoder,
  decodeOld: FetchDecoder,
): FetchDecoder {
  return async (decoder) => {
    const { buffer } = decoder;
    const start = decoder.offset + 4;
    const size = buffer.readInt32BE(decoder.offset);
    if (size <= MAGIC_AT || start + size > buffer.length || buffer.readInt8(start + MAGIC_AT) !== MAGIC) {
      return decodeOld(decoder);
    }
    decoder.offset = start + size;

    const batches = new Decoder(buffer.subarray(start, start + size));
    const records: DecodedRecord[] = [];
    let bytes = 0;
    while (records.length < ENOUGH_RECORDS && bytes < ENOUGH_BYTES && isWhole(batches)) {
      const first = batches.buffer.readBigInt64BE(batches.offset);
      const last = first + BigInt(batches.buffer.readInt32BE(batches.offset + LAST_DELTA_AT));
      try {
        for (const record of await decode(batches, decodeBatch)) {
          records.push(record);
          bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
        }
        lastOffsets.set(records, last);
      } catch (error) {
        refusals.set(records, { offset: Number(first), reason: messageOf(error) });
        break;
      }
    }
    return records;
  };
}

/** The last batch of an answer may be cut off; it comes whole with the next one. */
function isWhole({ buffer, offset }: Decoder): boolean {
  return (
    offset + HEAD <= buffer.length && offset + BEFORE_LENGTH + buffer.readInt32BE(offset + LENGTH_AT) <= buffer.length
  );
}

async function decode(batches: Decoder, decodeBatch: BatchDecoder): Promise<readonly DecodedRecord[]> {
  const count = batches.buffer.readInt32BE(batches.offset + COUNT_AT);
  if (count > MAX_BATCH_RECORDS) {
    throw new CodedError(
      'KAFKA',
      `a batch of ${count} records, expected at most ${MAX_BATCH_RECORDS}: have its producer write smaller batches (batch.size)`,
    );
  }
  const { records } = await decodeBatch(batches);
  return records;
}
