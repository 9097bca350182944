/**
 * The fields of a value that {@link scan} has accepted, read where they are asked for.
 *
 *   field      Avro                                        is
 *   any        null, or not in the schema                  absent
 *              string, enum                                its text
 *              boolean                                     true or false
 *              long timestamp-millis, -micros, -nanos      the ISO text of its millisecond (finer digits are cut)
 *              fixed(16) uuid                              the text of the UUID
 *              union                                       what it holds
 *              record, array, map, other bytes             nothing that an event has: an invalid field
 *   decimal    string written like a JSON number           that text
 *              bytes or fixed with logicalType decimal     the exact number with `scale` digits after the point
 *              int, long (without a logical type)          its digits
 *              double, float                               the shortest text that reads back as the same
 */
import { isUtf8 } from 'node:buffer';
import { formatTimestamp } from '../timestamp.ts';
import type { DecodedValue } from '../value.ts';
import { Cursor } from './bytes.ts';
import { doubleText, floatText, scaledText, stringText } from './decimal-text.ts';
import type { ReaderSchema } from './reader-schema.ts';
import { resolve, type Resolved } from './resolve.ts';
import type { AvroType, EnumType, FixedType, PrimitiveType } from './types.ts';
import type { Located } from './scan.ts';

export class AvroRecord implements DecodedValue {
  readonly #bytes: Buffer;
  readonly #located: Located;
  readonly #resolved: Resolved | undefined;

  constructor(bytes: Buffer, located: Located, reader?: ReaderSchema) {
    this.#bytes = bytes;
    this.#located = located;
    this.#resolved = reader === undefined ? undefined : resolve(located.record, reader);
  }

  /** `type` is the record's name where it has no field of that name, or null in it. */
  field(name: string): unknown {
    const found = this.#find(name);
    const written = found === undefined ? undefined : read(found.type, found.cursor);
    const value = found?.symbols === undefined ? written : symbolOf(found.symbols, written);
    if (name !== 'type' || (value !== undefined && value !== null)) return value;
    return this.#resolved?.name ?? this.#located.record.name;
  }

  decimalTexts(names: readonly string[]): readonly (string | null)[] {
    return names.map((name) => {
      const found = this.#find(name);
      return found === undefined ? null : decimalText(found.type, found.cursor);
    });
  }

  #find(name: string): Found | undefined {
    const { record, places } = this.#located;
    const source = this.#resolved?.fields.get(name);
    if (source !== undefined && 'fallback' in source) {
      return { type: source.fallback.type, cursor: new Cursor(source.fallback.bytes, 0) };
    }
    const index = source?.index ?? record.indexes.get(name);
    if (index === undefined) return undefined;
    const cursor = new Cursor(this.#bytes, places[index]!);
    return { type: record.fields[index]!.type, ...source, cursor };
  }
}

interface Found {
  readonly type: AvroType;
  readonly cursor: Cursor;
  /** Of the reader's enum. */
  readonly symbols?: EnumType;
}

/** A symbol that the reader does not have and has no default for is no text. */
function symbolOf({ symbols, fallback }: EnumType, value: unknown): unknown {
  return typeof value !== 'string' || symbols.includes(value) ? value : (fallback ?? {});
}

function read(type: AvroType, cursor: Cursor): unknown {
  switch (type.kind) {
    case 'null':
      return null;
    case 'boolean':
      return cursor.bytes[cursor.at] === 1;
    case 'int':
      return cursor.long();
    case 'long':
      return longOf(type, cursor.bigLong());
    case 'float':
      return cursor.bytes.readFloatLE(cursor.at);
    case 'double':
      return cursor.bytes.readDoubleLE(cursor.at);
    case 'string':
      return textOf(cursor);
    case 'bytes':
    case 'fixed':
      if (type.logical?.is === 'text') return utf8Of(bytesOf(type, cursor)) ?? {};
      return type.logical?.is === 'uuid' ? uuidOf(bytesOf(type, cursor)) : {};
    case 'enum':
      return type.symbols[cursor.long()];
    case 'union':
      return read(type.branches[cursor.long()] as AvroType, cursor);
    case 'array':
      return [];
    case 'record':
    case 'map':
      return {};
    default:
      return type satisfies never;
  }
}

function decimalText(type: AvroType, cursor: Cursor): string | null {
  switch (type.kind) {
    case 'int':
    case 'long':
      return type.logical === undefined ? String(cursor.bigLong()) : null;
    case 'float':
      return floatText(cursor.bytes.readFloatLE(cursor.at));
    case 'double':
      return doubleText(cursor.bytes.readDoubleLE(cursor.at));
    case 'string':
      return stringText(textOf(cursor));
    case 'bytes':
    case 'fixed':
      if (type.logical?.is === 'text') return stringText(utf8Of(bytesOf(type, cursor)) ?? '');
      return type.logical?.is === 'decimal' ? scaledText(bytesOf(type, cursor), type.logical) : null;
    case 'union':
      return decimalText(type.branches[cursor.long()] as AvroType, cursor);
    case 'null':
    case 'boolean':
    case 'enum':
    case 'array':
    case 'map':
    case 'record':
      return null;
    default:
      return type satisfies never;
  }
}

/** A timestamp that four digits of year cannot write stays a number, which is no time. */
function longOf({ logical }: PrimitiveType, value: bigint): unknown {
  if (logical?.is === 'timestamp') {
    const before1970 = value % logical.perMs < 0n ? 1n : 0n;
    try {
      return formatTimestamp(Number(value / logical.perMs - before1970));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return BigInt(Number(value)) === value ? Number(value) : value;
}

function textOf(cursor: Cursor): string {
  const length = cursor.long();
  return cursor.bytes.toString('utf8', cursor.at, cursor.at + length);
}

function bytesOf(type: PrimitiveType | FixedType, cursor: Cursor): Buffer {
  const length = type.kind === 'fixed' ? type.size : cursor.long();
  return cursor.bytes.subarray(cursor.at, cursor.at + length);
}

/** Undefined for what is not UTF-8; of bytes, nobody has looked. */
function utf8Of(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
