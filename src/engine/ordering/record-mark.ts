/**
 * The mark of a record: its offset, and a short print of what it holds. That of the last record read of each input rides in the
 * metadata of its committed offset. A log that was cut or restored, and has grown beyond that place again, has its topic's id and
 * its length; but at that offset is another record, and that is how it is told from the one that was read.
 *
 * Where no record is there any more (expired, deleted, compacted away) nothing is known, and nothing is concluded.
 */
import type { InRecord } from '../kafka/port.ts';

export interface RecordMark {
  readonly offset: number;
  /** See {@link printOf}. */
  readonly print: number;
}

/** By input; null where none is known. */
export type RecordMarks = readonly (RecordMark | null)[];

/** Bytes of a key or value that are looked at: it is done for every record that is read. */
const LOOKED_AT = 256;
const PRIME = 0x01000193;

/** 32 bits. It is part of what is committed: another one than this makes every log look like one that has changed. */
export function printOf({ timestamp, key, value }: Pick<InRecord, 'timestamp' | 'key' | 'value'>): number {
  let print = mixed(0x811c9dc5, Math.floor(timestamp / 2 ** 32));
  print = mixed(print, timestamp % 2 ** 32);
  return ofBytes(ofBytes(print, key), value);
}

function ofBytes(before: number, bytes: Buffer | null): number {
  if (bytes === null) return mixed(before, -1);
  let print = mixed(before, bytes.length);
  const end = Math.min(bytes.length, LOOKED_AT);
  const whole = end - (end % 4);
  for (let at = 0; at < whole; at += 4) print = mixed(print, bytes.readInt32LE(at));
  for (let at = whole; at < end; at += 1) print = mixed(print, bytes[at]!);
  return print;
}

function mixed(print: number, word: number): number {
  const product = Math.imul(print ^ word, PRIME);
  return product ^ (product >>> 15);
}

export function sameMarks(a: RecordMarks | undefined, b: RecordMarks | undefined): boolean {
  const inputs = [...(a ?? b ?? []).keys()];
  return inputs.every((input) => a?.[input]?.offset === b?.[input]?.offset && a?.[input]?.print === b?.[input]?.print);
}

/** As it is committed. */
export function markOf(value: unknown): RecordMark | undefined {
  if (!Array.isArray(value) || value.length !== 2 || !value.every(Number.isSafeInteger)) return undefined;
  const [offset, print] = value as [number, number];
  return { offset, print };
}
