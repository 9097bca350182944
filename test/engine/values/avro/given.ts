/** Avro values for tests, encoded by avsc, which shares no code with what reads them. */
import avsc from 'avsc';
import { avroDecoder, type KnownSchema } from '../../../../src/engine/values/avro/decoder.ts';
import { parseWriterSchema } from '../../../../src/engine/values/avro/schema.ts';
import type { WriterSchema } from '../../../../src/engine/values/avro/types.ts';
import type { DecodedValue } from '../../../../src/engine/values/value.ts';

export const ID = 7;

/** avsc's own long type refuses what is above 2^53; this one takes BigInts. */
const bigLongs = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

/** A writer's view: unions are written as `{branch: value}`, longs as BigInt. */
export function typeOf(schema: unknown): avsc.Type {
  // A registry would catch "long" only, and not {"type": "long"}.
  const isLong = (one: unknown): boolean => one === 'long' || (one as { type?: unknown } | null)?.type === 'long';
  return avsc.Type.forSchema(schema as avsc.Schema, {
    wrapUnions: true,
    typeHook: (one) => (isLong(one) ? bigLongs : undefined) as avsc.Type,
  });
}

export function parsed(schema: unknown): WriterSchema {
  const found = parseWriterSchema(JSON.stringify(schema));
  if ('unusable' in found) throw new Error(found.unusable);
  return found;
}

/** In the Confluent wire format. */
export function wire(bytes: Buffer, id = ID): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(id, 1);
  return Buffer.concat([prefix, bytes]);
}

export function decoderOf(schema: unknown): ReturnType<typeof avroDecoder> {
  return avroDecoder(new Map<number, KnownSchema>([[ID, parseWriterSchema(JSON.stringify(schema))]]));
}

/** The record that these bytes are, or what is said of them. */
export function decoded(schema: unknown, bytes: Buffer): DecodedValue | { readonly malformed: string } {
  return decoderOf(schema).decode(wire(bytes));
}

/** What a field of this type reads as, and its decimal text. */
export function fieldOf(type: unknown, value: unknown): { readonly field: unknown; readonly decimal: string | null } {
  const schema = { type: 'record', name: 'R', fields: [{ name: 'f', type }] };
  const raw = decoded(schema, typeOf(schema).toBuffer({ f: value }));
  if ('malformed' in raw) throw new Error(raw.malformed);
  return { field: raw.field('f'), decimal: raw.decimalTexts(['f'])[0]! };
}

/** A zigzag number. */
export function varint(value: number | bigint): Buffer {
  let rest = BigInt(value) < 0n ? -BigInt(value) * 2n - 1n : BigInt(value) * 2n;
  const bytes: number[] = [];
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

export function decodable(schema: unknown): boolean {
  return !('unusable' in parseWriterSchema(JSON.stringify(schema)));
}
