/**
 * Checks a value against its writer schema without building anything of it, and finds where the fields of its record
 * begin. What it accepts can be read by any decoder in time and memory in proportion to its bytes: a count of items is
 * compared with the bytes that are left, or with how many values are still allowed, before the first item is looked at.
 */
import { isUtf8 } from 'node:buffer';
import { Cursor, Malformed } from './bytes.ts';
import type { AvroType, RecordType, WriterSchema } from './types.ts';

/** Of records, arrays and maps in each other. */
const MAX_DEPTH = 32;
/** Values of any type in a record, those of its arrays, maps and inner records included. */
const MAX_VALUES = 10_000;

export interface Located {
  readonly record: RecordType;
  /** Where each field begins. */
  readonly places: readonly number[];
}

/** The value goes from `from` to the end of `bytes`. Never throws. */
export function scan(
  { records, union }: WriterSchema,
  bytes: Buffer,
  from: number,
): Located | { readonly malformed: string } {
  const scanner = new Scanner(bytes, from);
  try {
    const record = records[union ? scanner.index(records.length, 'union') : 0] as RecordType;
    const places = scanner.record(record, 0);
    if (scanner.cursor.left > 0) {
      return { malformed: `expected the end at ${scanner.cursor.at}, found ${scanner.cursor.left} bytes more` };
    }
    return { record, places };
  } catch (error) {
    if (error instanceof Malformed) return { malformed: error.what };
    throw error;
  }
}

class Scanner {
  readonly cursor: Cursor;
  #allowed = MAX_VALUES;

  constructor(bytes: Buffer, from: number) {
    this.cursor = new Cursor(bytes, from);
  }

  record({ fields }: RecordType, depth: number): number[] {
    const places: number[] = [];
    for (const { type } of fields) {
      places.push(this.cursor.at);
      this.#value(type, depth);
    }
    return places;
  }

  /** Of a union or an enum. */
  index(count: number, what: string): number {
    const { at } = this.cursor;
    const index = this.cursor.long();
    if (index >= 0 && index < count) return index;
    throw new Malformed(`expected an index of the ${what} from 0 to ${count - 1} at ${at}`);
  }

  /** `depth`: of the record, array or map that it is in. */
  #value(type: AvroType, depth: number): void {
    this.#allowed -= 1;
    if (this.#allowed < 0) throw new Malformed(`expected at most ${MAX_VALUES} values in it`);
    const { cursor } = this;
    switch (type.kind) {
      case 'null':
        return;
      case 'boolean':
        if ((cursor.bytes[cursor.at] ?? 2) > 1) throw new Malformed(`expected a boolean at ${cursor.at}`);
        cursor.at += 1;
        return;
      case 'int':
        cursor.int();
        return;
      case 'long':
        cursor.long();
        return;
      case 'float':
        return cursor.skip(4);
      case 'double':
        return cursor.skip(8);
      case 'fixed':
        return cursor.skip(type.size);
      case 'bytes':
        return cursor.skip(this.#length());
      case 'string':
        return this.#string();
      case 'enum':
        this.index(type.symbols.length, 'enum');
        return;
      case 'union':
        return this.#value(type.branches[this.index(type.branches.length, 'union')] as AvroType, depth);
      case 'record':
        this.record(type, deeper(depth));
        return;
      case 'array':
      case 'map':
        return this.#blocks(type, deeper(depth));
      default:
        return type satisfies never;
    }
  }

  #length(): number {
    const { at } = this.cursor;
    const length = this.cursor.long();
    if (length >= 0 && length <= this.cursor.left) return length;
    throw new Malformed(`expected a length from 0 to ${this.cursor.left} at ${at}`);
  }

  #string(): void {
    const { cursor } = this;
    const length = this.#length();
    const start = cursor.at;
    cursor.at += length;
    for (let at = start; at < cursor.at; at += 1) {
      if ((cursor.bytes[at] as number) < 0x80) continue;
      if (!isUtf8(cursor.bytes.subarray(start, cursor.at))) throw new Malformed(`expected UTF-8 at ${start}`);
      return;
    }
  }

  #blocks(type: Extract<AvroType, { kind: 'array' | 'map' }>, depth: number): void {
    const { cursor } = this;
    for (;;) {
      const at = cursor.at;
      let count = cursor.long();
      if (count === 0) return;
      let end: number | undefined;
      if (count < 0) {
        count = -count;
        end = this.#length() + cursor.at;
      }
      const most = type.minItem === 0 ? this.#allowed : Math.min(this.#allowed, Math.floor(cursor.left / type.minItem));
      if (count > most) throw new Malformed(`expected a block of at most ${most} items at ${at}`);
      for (; count > 0; count -= 1) {
        if (type.kind === 'map') this.#string();
        this.#value(type.kind === 'map' ? type.values : type.items, depth);
      }
      // Some readers go by the size and some by the count.
      if (end !== undefined && cursor.at !== end) throw new Malformed(`expected the block at ${at} to end at ${end}`);
    }
  }
}

function deeper(depth: number): number {
  if (depth >= MAX_DEPTH) throw new Malformed(`expected at most ${MAX_DEPTH} levels`);
  return depth + 1;
}
