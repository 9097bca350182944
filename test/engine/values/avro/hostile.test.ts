/** Values made to hurt: refused at once, and without memory. What avsc does with the same bytes is in brackets. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scan } from '../../../../src/engine/values/avro/scan.ts';
import { decoded, parsed, typeOf, varint, wire } from './given.ts';

const record = (...types: unknown[]) => ({
  type: 'record',
  name: 'R',
  fields: types.map((type, index) => ({ name: `f${index}`, type })),
});
const array = (items: unknown) => ({ type: 'array', items });
const bytes = (...parts: (Buffer | number | string)[]) =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? varint(part) : typeof part === 'string' ? Buffer.from(part) : part,
    ),
  );
const EMPTY = { type: 'record', name: 'E', fields: [] };

/** Doubles with each type: 2^40 nothings in a value of no bytes. */
function doubling(): unknown {
  let inner: unknown = { type: 'record', name: 'D0', fields: [{ name: 'a', type: 'null' }] };
  for (let n = 1; n <= 30; n += 1) {
    inner = {
      type: 'record',
      name: `D${n}`,
      fields: [
        { name: 'a', type: inner },
        { name: 'b', type: `D${n - 1}` },
      ],
    };
  }
  return inner;
}

const REFUSED: [name: string, schema: unknown, value: Buffer, why: string][] = [
  [
    'an array of 50,000,000 nulls in 5 bytes [0.8 GB]',
    record(array('null')),
    bytes(50_000_000, 0),
    'expected a block of at most 9999 items at 5',
  ],
  [
    'an array of 50,000,000 empty records [2.1 GB]',
    record(array(EMPTY)),
    bytes(50_000_000, 0),
    'expected a block of at most 9999 items at 5',
  ],
  [
    'an array of 2^62 nulls',
    record(array('null')),
    bytes(varint(2n ** 62n), 0),
    'expected a block of at most 9999 items at 5',
  ],
  [
    'an array of -2^63 nulls',
    record(array('null')),
    bytes(varint(-(2n ** 63n)), 0),
    'expected a block of at most 9999 items at 5',
  ],
  [
    'many blocks of nulls',
    record(array('null')),
    bytes(...Array.from({ length: 200 }, () => 1_000), 0),
    'expected a block of at most 999 items at 23',
  ],
  [
    'an array of arrays of nothing',
    record(array(array('null'))),
    bytes(20_000, Buffer.alloc(20_001)),
    'expected a block of at most 9999 items at 5',
  ],
  [
    '200,000,000 ints in 10 bytes [1.3 GB]',
    record(array('int')),
    bytes(200_000_000, Buffer.alloc(10)),
    'expected a block of at most 10 items at 5',
  ],
  [
    '200,000,000 strings in 10 bytes',
    record(array('string')),
    bytes(200_000_000, Buffer.alloc(10)),
    'expected a block of at most 10 items at 5',
  ],
  [
    'a map of 200,000,000 entries [4.4 s]',
    record({ type: 'map', values: 'int' }),
    bytes(200_000_000, Buffer.alloc(10)),
    'expected a block of at most 5 items at 5',
  ],
  [
    'three doubles in 20 bytes',
    record(array('double')),
    bytes(3, Buffer.alloc(20)),
    'expected a block of at most 2 items at 5',
  ],
  [
    'a string of 2,000,000,000 bytes',
    record('string'),
    bytes(2_000_000_000, 'x'),
    'expected a length from 0 to 1 at 5',
  ],
  ['a string of 2^62 bytes', record('string'), bytes(varint(2n ** 62n), 'x'), 'expected a length from 0 to 1 at 5'],
  ['a string of -5 bytes', record('string'), bytes(-5, 'x'), 'expected a length from 0 to 1 at 5'],
  ['bytes of -1', record('bytes', 'int'), bytes(-1, 3), 'expected a length from 0 to 1 at 5'],
  [
    'a fixed beyond the end',
    record({ type: 'fixed', name: 'F', size: 2_000_000_000 }),
    bytes(1),
    'expected 2000000000 bytes at 5, found 1',
  ],
  [
    '200,000 levels [RangeError]',
    { type: 'record', name: 'N', fields: [{ name: 'n', type: ['null', 'N'] }] },
    bytes(Buffer.alloc(200_000, 2), 0),
    'expected at most 32 levels',
  ],
  [
    'arrays in arrays',
    { type: 'record', name: 'N', fields: [{ name: 'n', type: array('N') }] },
    Buffer.alloc(200_000, 2),
    'expected at most 32 levels',
  ],
  [
    'a value of no bytes that doubles thirty times',
    record(doubling()),
    Buffer.alloc(0),
    'expected at most 10000 values in it',
  ],
  ['a number of 64 bytes [NaN or so]', record('long'), Buffer.alloc(64, 0xff), 'expected a number of 64 bits at 5'],
  [
    'a number of eleven bytes',
    record('long'),
    bytes(Buffer.alloc(10, 0x80), Buffer.from([0])),
    'expected a number of 64 bits at 5',
  ],
  [
    'a number above 64 bits',
    record('long'),
    bytes(Buffer.alloc(9, 0xff), Buffer.from([2])),
    'expected a number of 64 bits at 5',
  ],
  ['a number that does not end', record('long'), Buffer.from([0x80]), 'expected a number at 5, found the end'],
  ['an int above 32 bits', record('int'), bytes(2_147_483_648), 'expected a number of 32 bits at 5'],
  [
    'an int in six bytes',
    record('int'),
    Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0]),
    'expected a number of 32 bits at 5',
  ],
  ['a union of two at index 7', record(['null', 'int']), bytes(7), 'expected an index of the union from 0 to 1 at 5'],
  ['a union at index -1', record(['null', 'int']), bytes(-1), 'expected an index of the union from 0 to 1 at 5'],
  [
    'an enum of one at index 3',
    record({ type: 'enum', name: 'E', symbols: ['A'] }),
    bytes(3),
    'expected an index of the enum from 0 to 0 at 5',
  ],
  [
    'a string that is not UTF-8 [accepted]',
    record('string'),
    bytes(2, Buffer.from([0xff, 0xfe])),
    'expected UTF-8 at 6',
  ],
  ['an encoded surrogate', record('string'), bytes(3, Buffer.from([0xed, 0xa0, 0x80])), 'expected UTF-8 at 6'],
  [
    'a key of a map that is not UTF-8',
    record({ type: 'map', values: 'null' }),
    bytes(1, 1, Buffer.from([0xc0]), 0),
    'expected UTF-8 at 7',
  ],
  ['a boolean of 7 [true]', record('boolean'), Buffer.from([7]), 'expected a boolean at 5'],
  ['a boolean that is not there [false]', record('boolean'), Buffer.alloc(0), 'expected a boolean at 5'],
  ['a double that is cut off', record('double'), Buffer.alloc(7), 'expected 8 bytes at 5, found 7'],
  ['bytes after the end', record('int'), bytes(1, 1), 'expected the end at 6, found 1 bytes more'],
  [
    'a block whose size is not that of its items',
    record(array('int')),
    bytes(-2, 3, 1, 1, 0),
    'expected the block at 5 to end at 10',
  ],
  ['a block of negative size', record(array('int')), bytes(-2, -3, 1, 1, 0), 'expected a length from 0 to 3 at 6'],
  [
    'a union at the top at index 2',
    [EMPTY, { ...EMPTY, name: 'E2' }],
    bytes(2),
    'expected an index of the union from 0 to 1 at 5',
  ],
];

describe('is refused at once', () => {
  for (const [name, schema, value, why] of REFUSED) {
    test(name, () => {
      const writer = parsed(schema);
      const input = wire(value);
      assert.deepEqual(scan(writer, input, 5), { malformed: why });
      const rounds = 200;
      const heap = process.memoryUsage();
      const from = performance.now();
      for (let round = 0; round < rounds; round += 1) scan(writer, input, 5);
      const took = (performance.now() - from) / rounds;
      const { heapTotal, external, arrayBuffers } = process.memoryUsage();
      assert.ok(took < 5, `${took} ms`);
      const grown = heapTotal + external + arrayBuffers - heap.heapTotal - heap.external - heap.arrayBuffers;
      assert.ok(grown < 32_000_000, `${grown} bytes after ${rounds} times`);
    });
  }
});

describe('is read, though other readers stumble over it', () => {
  const read = (schema: unknown, value: Buffer) => {
    const raw = decoded(schema, value);
    assert.ok(!('malformed' in raw), JSON.stringify(raw));
    return raw;
  };

  test('a long above 2^53 [an error]', () => {
    assert.deepEqual(read(record('long'), varint(9_007_199_254_740_993n)).decimalTexts(['f0']), ['9007199254740993']);
  });

  test('a map with the key __proto__, which touches nothing', () => {
    const raw = read(record({ type: 'map', values: EMPTY }, 'int'), bytes(1, 9, '__proto__', 0, 2));
    assert.deepEqual(
      [raw.field('f0'), raw.field('f1'), Object.getPrototypeOf(raw.field('f0'))],
      [{}, 2, Object.prototype],
    );
  });

  test('a double that is not a number: no amount, but no harm in a field that nobody asks for', () => {
    const raw = read(record('double', 'int'), bytes(Buffer.from([0, 0, 0, 0, 0, 0, 0xf8, 0x7f]), 4));
    assert.deepEqual(raw.decimalTexts(['f0', 'f1']), [null, '4']);
  });

  test('a number that is longer than it need be', () => {
    assert.equal(read(record('long'), Buffer.from([0x84, 0x80, 0x80, 0])).field('f0'), 2);
  });

  test('blocks of an array with and without their size', () => {
    assert.equal(read(record(array('int'), 'string'), bytes(-2, 2, 5, 6, 1, 7, 0, 1, 'x')).field('f1'), 'x');
  });

  test('ten thousand values, less the array itself', () => {
    read(record(array('null')), bytes(9_999, 0));
  });

  test('thirty-two levels', () => {
    const nested = { type: 'record', name: 'N', fields: [{ name: 'n', type: ['null', 'N'] }] };
    read(nested, bytes(Buffer.alloc(32, 2), 0));
    assert.ok('malformed' in decoded(nested, bytes(Buffer.alloc(33, 2), 0)));
  });

  test('an array of a megabyte of strings is refused by its number of values, one string of a megabyte is not', () => {
    const long = typeOf(record('string')).toBuffer({ f0: 'é'.repeat(500_000) });
    assert.equal((read(record('string'), long).field('f0') as string).length, 500_000);
  });
});
