/** The default of a field, as JSON writes it, in Avro's binary form. */
import type { AvroType } from './types.ts';

/**
 * Undefined for what is no value of the type, and for arrays, maps and records, which no field is read as. Of a union it
 * may be any branch, the first that takes it. A long has to be one that JSON keeps exactly.
 */
export function encodeDefault(
  type: AvroType,
  value: unknown,
): { readonly type: AvroType; readonly bytes: Buffer } | undefined {
  if (type.kind !== 'union') {
    const bytes = bytesOf(type, value);
    return bytes === undefined ? undefined : { type, bytes };
  }
  for (const branch of type.branches) {
    const found = encodeDefault(branch, value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function bytesOf(type: Exclude<AvroType, { kind: 'union' }>, value: unknown): Buffer | undefined {
  switch (type.kind) {
    case 'null':
      return value === null ? Buffer.alloc(0) : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? Buffer.from([value ? 1 : 0]) : undefined;
    case 'int':
      return Number.isInteger(value) && Math.abs(value as number) < 2 ** 31 ? long(value as number) : undefined;
    case 'long':
      return Number.isSafeInteger(value) ? long(value as number) : undefined;
    case 'float':
      return typeof value === 'number' ? float(value) : undefined;
    case 'double':
      return typeof value === 'number' ? double(value) : undefined;
    case 'string':
      return typeof value === 'string' ? withLength(Buffer.from(value)) : undefined;
    case 'bytes': {
      const bytes = latin1(value);
      return bytes === undefined ? undefined : withLength(bytes);
    }
    case 'fixed': {
      const bytes = latin1(value);
      return bytes?.length === type.size ? bytes : undefined;
    }
    case 'enum': {
      const index = type.symbols.indexOf(value as string);
      return index < 0 ? undefined : long(index);
    }
    case 'array':
    case 'map':
    case 'record':
      return undefined;
    default:
      return type satisfies never;
  }
}

/** Bytes are written as the characters 0 to 255. */
function latin1(value: unknown): Buffer | undefined {
  return typeof value === 'string' && /^[\0-\xff]*$/.test(value) ? Buffer.from(value, 'latin1') : undefined;
}

function withLength(bytes: Buffer): Buffer {
  return Buffer.concat([long(bytes.length), bytes]);
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** Zigzag, in groups of seven bits. */
function long(value: number): Buffer {
  let rest = value < 0 ? BigInt(value) * -2n - 1n : BigInt(value) * 2n;
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}
