/**
 * Records in batches that their topic takes. A broker limits the batch as it is written: with its framing, compressed.
 * Nothing here asks a broker, see topic-rooms.ts.
 */
import { compressGzip, MAX_BATCH_BYTES } from './kafkajs/compression.ts';
import { bytesOf, valuesOf } from './port.ts';
import type { OutRecord } from './port.ts';

/** What a topic takes in one batch. */
export interface Room {
  /** bytes up to which records are put together */
  readonly together: number;
  /** bytes above which a batch is refused for certain; Infinity when that is not known */
  readonly most: number;
  /** False where the topic is written uncompressed, whatever comes. */
  readonly compressible: boolean;
}

export interface FittingBatch {
  readonly records: readonly OutRecord[];
  readonly compressed: boolean;
  /** As written, or a few more. */
  readonly bytes: number;
}

/** bytes of a batch without records, and some */
export const BATCH_OVERHEAD = 100;
const MAX_RECORDS = 1_000;

export interface FittingOptions {
  /** bytes from which a record is compressed though it would fit; never when absent */
  readonly compressFrom?: number;
  /** Records of different pieces share no batch. */
  readonly pieceOf?: (record: OutRecord) => object | undefined;
}

/**
 * In the order of the records. A record that no batch can carry, compressed or not, has one to itself, with more `bytes` than
 * the room's `most`.
 */
export async function batchesOf(
  records: readonly OutRecord[],
  room: Room,
  options: FittingOptions = {},
): Promise<FittingBatch[]> {
  const { compressFrom = Infinity, pieceOf = () => undefined } = options;
  const batches: FittingBatch[] = [];
  let open: OutRecord[] = [];
  let bytes = BATCH_OVERHEAD;
  const close = (): void => {
    if (open.length > 0) batches.push({ records: open, compressed: false, bytes });
    open = [];
    bytes = BATCH_OVERHEAD;
  };
  for (const record of records) {
    const size = bytesOf(record);
    const whole = BATCH_OVERHEAD + size;
    if (whole > room.together || size >= compressFrom) {
      close();
      batches.push(await smallest(record, whole, room));
      continue;
    }
    const last = open.at(-1);
    if (last !== undefined && pieceOf(last) !== pieceOf(record)) close();
    if (open.length >= MAX_RECORDS || bytes + size > room.together) close();
    open.push(record);
    bytes += size;
  }
  close();
  return batches;
}

/** A record that goes alone: compressed where that makes it smaller. */
async function smallest(record: OutRecord, whole: number, { compressible }: Room): Promise<FittingBatch> {
  // What is larger than a reader of this product takes would be written for nobody.
  if (compressible && whole <= MAX_BATCH_BYTES) {
    const compressed = await compressedBytes([record]);
    if (compressed < whole) return { records: [record], compressed: true, bytes: compressed };
  }
  return { records: [record], compressed: false, bytes: whole };
}

/** bytes of a batch of these records, compressed: about, and never less. */
async function compressedBytes(records: readonly OutRecord[]): Promise<number> {
  const parts = records.flatMap(({ key, value, headers }) => [
    key,
    value,
    ...Object.entries(headers ?? {}).flatMap(([name, values]) => valuesOf(values).flatMap((one) => [name, one])),
  ]);
  const data = Buffer.concat(
    parts.flatMap((part) =>
      part === null || part === undefined ? [] : [Buffer.isBuffer(part) ? part : Buffer.from(part)],
    ),
  );
  const { length } = await compressGzip(data);
  return BATCH_OVERHEAD + 64 * records.length + Math.ceil(length * 1.01);
}
