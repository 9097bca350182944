/**
 * Random schemas, values and mutations of their bytes. Nothing throws or takes long; what the scan accepts, avsc, which
 * shares no code with it, reads as the same in bounded time; and what was not mutated is always accepted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Type } from 'avsc';
import { decodeRecord } from '../../../../src/money/codec/decode.ts';
import { avroDecoder } from '../../../../src/engine/values/avro/decoder.ts';
import { decodable, parsed, typeOf, varint, wire } from './given.ts';

const INPUTS = Number(process.env['FUZZ_AVRO'] ?? 100_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const PER_SCHEMA = 200;
/** ms for one value, read by both; a pause for garbage included. */
const MOST = 1_000;
const LIMITS = { maxRecordBytes: 1_048_576, maxFutureSkew: 3_600_000 };

/** mulberry32 */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
type Random = ReturnType<typeof random>;

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'];
interface Names {
  next: number;
}

function anySchema(r: Random, names: Names, depth: number, inUnion = false): unknown {
  const kind = r(depth > 3 ? 9 : 14);
  if (kind < 8) return PRIMITIVES[kind];
  if (kind === 8) return { type: 'fixed', name: `F${names.next++}`, size: r(20) };
  if (kind === 9) {
    return { type: 'enum', name: `E${names.next++}`, symbols: Array.from({ length: 1 + r(4) }, (_, n) => `S${n}`) };
  }
  if (kind === 10) return { type: 'array', items: anySchema(r, names, depth + 1) };
  if (kind === 11) return { type: 'map', values: anySchema(r, names, depth + 1) };
  if (kind === 12 && !inUnion) {
    const branches: unknown[] = [];
    const seen = new Set<unknown>();
    for (let n = 1 + r(4); n > 0; n -= 1) {
      const branch = anySchema(r, names, depth + 1, true);
      const name =
        typeof branch === 'string'
          ? branch
          : ((branch as { name?: string; type: string }).name ?? (branch as { type: string }).type);
      if (!seen.has(name)) branches.push(branch);
      seen.add(name);
    }
    return branches;
  }
  return anyRecord(r, names, depth);
}

function anyRecord(r: Random, names: Names, depth: number): object {
  const name = `R${names.next++}`;
  const fields = Array.from({ length: r(6) + (depth === 0 ? 1 : 0) }, (_, n) => ({
    name: `f${n}`,
    type: anySchema(r, names, depth + 1),
  }));
  // It may contain itself.
  if (r(4) === 0) fields.push({ name: 'again', type: r(2) === 0 ? ['null', name] : { type: 'array', items: name } });
  return { type: 'record', name, fields };
}

const LONGS = [0n, 1n, -1n, 63n, 64n, 2n ** 31n, -(2n ** 31n), 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];

function anyValue(r: Random, type: Type, depth = 0): unknown {
  const t = type as unknown as Record<string, never> & {
    typeName: string;
    types: Type[];
    fields: { name: string; type: Type }[];
    itemsType: Type;
    valuesType: Type;
    symbols: string[];
    size: number;
  };
  switch (t.typeName) {
    case 'null':
      return null;
    case 'boolean':
      return r(2) === 1;
    case 'int':
      return [0, -1, 64, 2 ** 31 - 1, -(2 ** 31)][r(5)];
    case 'abstract:long':
      return LONGS[r(LONGS.length)];
    case 'float':
      return Math.fround([0, 1.5, 0.1, -3e10][r(4)]!);
    case 'double':
      return [0, 1.5, 0.1, -3e100, Number.MAX_VALUE][r(5)];
    case 'bytes':
      return Buffer.from(Array.from({ length: r(20) }, () => r(256)));
    case 'fixed':
      return Buffer.from(Array.from({ length: t.size }, () => r(256)));
    case 'string':
      return ['', 'abc', 'Peñarol', '€😀', '12.50', 'x'.repeat(r(200))][r(6)];
    case 'enum':
      return t.symbols[r(t.symbols.length)];
    case 'array':
      return Array.from({ length: depth > 6 ? 0 : r(4) }, () => anyValue(r, t.itemsType, depth + 1));
    case 'map':
      return Object.fromEntries(
        Array.from({ length: depth > 6 ? 0 : r(3) }, (_, n) => [`k${n}`, anyValue(r, t.valuesType, depth + 1)]),
      );
    case 'union:wrapped': {
      const branch = t.types[depth > 6 ? 0 : r(t.types.length)] as Type & { branchName: string };
      const value = anyValue(r, branch, depth + 1);
      return branch.branchName === 'null' ? null : { [branch.branchName]: value };
    }
    default:
      return Object.fromEntries(t.fields.map(({ name, type: inner }) => [name, anyValue(r, inner, depth + 1)]));
  }
}

/** Numbers that hurt where a length, a count or an index is expected. */
const NUMBERS = [0n, -1n, 1n, 9_999n, 10_001n, 50_000_000n, 2n ** 31n, 2n ** 53n, 2n ** 62n, -(2n ** 63n)];

function mutated(r: Random, bytes: Buffer): Buffer {
  let result = bytes;
  for (let times = r(2); times >= 0; times -= 1) {
    const at = r(result.length + 1);
    const [head, tail] = [result.subarray(0, at), result.subarray(at)];
    switch (r(7)) {
      case 0:
        result = Buffer.concat([head, Buffer.from([r(256)]), tail.subarray(1)]);
        break;
      case 1:
        result = Buffer.concat([head, varint(NUMBERS[r(NUMBERS.length)]!), tail.subarray(r(3))]);
        break;
      case 2:
        result = Buffer.from(head);
        break;
      case 3:
        result = Buffer.concat([head, head, tail]);
        break;
      case 4:
        result = Buffer.concat([head, tail.subarray(r(8))]);
        break;
      case 5:
        result = Buffer.concat([head, Buffer.from(Array.from({ length: r(16) }, () => r(256))), tail]);
        break;
      default:
        result = Buffer.concat([head, Buffer.alloc(r(12), [0, 2, 0x80, 0xff][r(4)]), tail]);
    }
  }
  return result;
}

/** What avsc made of a field, as the product sees it; undefined where that is a matter of its own. */
function seen(type: Type, value: unknown): unknown {
  const t = type as unknown as { typeName: string; types: (Type & { branchName: string })[] };
  switch (t.typeName) {
    case 'union:wrapped': {
      if (value === null) return null;
      const [[name, inner]] = Object.entries(value as object) as [[string, unknown]];
      return seen(
        t.types.find(({ branchName }) => branchName === name)!,
        inner,
      );
    }
    case 'abstract:long':
      return BigInt(Number(value)) === value ? Number(value) : value;
    case 'array':
      return [];
    case 'null':
    case 'boolean':
    case 'int':
    case 'float':
    case 'double':
    case 'string':
    case 'enum':
      return value;
    default:
      return {};
  }
}

test(
  `${INPUTS} values: accepted or refused in bounded time, and avsc agrees with what is accepted`,
  { timeout: 300_000 },
  () => {
    const r = random(SEED);
    const counts = { schemas: 0, accepted: 0, mutatedAccepted: 0, refused: 0, slowest: 0 };
    for (let done = 0; done < INPUTS;) {
      const schema = anyRecord(r, { next: 0 }, 0);
      if (!decodable(schema)) continue; // a record in itself
      counts.schemas += 1;
      const type = typeOf(schema) as Type & { fields: { name: string; type: Type }[] };
      const decoder = avroDecoder(new Map([[7, parsed(schema)]]));
      for (let n = 0; n < PER_SCHEMA && done < INPUTS; n += 1, done += 1) {
        const written = type.toBuffer(anyValue(r, type));
        const bytes = n % 10 === 0 ? written : mutated(r, written);
        const from = performance.now();
        const raw = decoder.decode(wire(bytes));
        decodeRecord('money', { key: null, value: wire(bytes), timestamp: 0 }, LIMITS, decoder);
        if ('malformed' in raw) {
          counts.refused += 1;
          assert.notEqual(
            n % 10,
            0,
            `what was written is accepted: ${raw.malformed} ${JSON.stringify(schema)} ${bytes.toString('hex')}`,
          );
        } else {
          counts.accepted += 1;
          if (n % 10 !== 0) counts.mutatedAccepted += 1;
          const value = type.fromBuffer(bytes) as Record<string, unknown>;
          for (const { name, type: fieldType } of type.fields) {
            assert.deepEqual(
              raw.field(name),
              seen(fieldType, value[name]),
              `${name} of ${JSON.stringify(schema)} ${bytes.toString('hex')}`,
            );
          }
          raw.decimalTexts(type.fields.map(({ name }) => name));
        }
        counts.slowest = Math.max(counts.slowest, performance.now() - from);
      }
    }
    assert.ok(counts.slowest < MOST, `${counts.slowest} ms`);
    // Both have to happen often, or nothing was tried.
    assert.ok(counts.mutatedAccepted > INPUTS / 20 && counts.refused > INPUTS / 5, JSON.stringify(counts));
    console.error(JSON.stringify({ ...counts, rssMb: Math.round(process.memoryUsage().rss / 1e6) }));
  },
);
