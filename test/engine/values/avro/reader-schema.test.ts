import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseReaderSchema, type ReaderSchema } from '../../../../src/engine/values/avro/reader-schema.ts';
import type { DecodedValue } from '../../../../src/engine/values/value.ts';
import { decoderOf, typeOf, wire } from './given.ts';

const record = (name: string, fields: object[], more: object = {}) => ({ type: 'record', name, ...more, fields });
const field = (name: string, type: unknown, more: object = {}) => ({ name, type, ...more });

function reader(schema: unknown): ReaderSchema {
  const found = parseReaderSchema(JSON.stringify(schema));
  if ('unusable' in found) throw new Error(found.unusable);
  return found;
}

/** A value of a writer's schema, as the reader has it. */
function read(writer: unknown, value: unknown, readerSchema: unknown): DecodedValue {
  const raw = decoderOf(writer).decode(wire(typeOf(writer).toBuffer(value)), reader(readerSchema));
  if ('malformed' in raw) throw new Error(raw.malformed);
  return raw;
}

describe('a reader schema', () => {
  test('finds fields and records by their aliases, the own name first', () => {
    const ours = record(
      'Now',
      [field('a', 'string', { aliases: ['was', 'older'] }), field('b', 'string', { aliases: ['a'] })],
      {
        namespace: 'x',
        aliases: ['y.Then'],
      },
    );
    const then = read(record('Then', [field('older', 'string')]), { older: '1' }, ours);
    assert.deepEqual([then.field('a'), then.field('b'), then.field('type')], ['1', undefined, 'Now']);
    const now = read(record('z.Now', [field('was', 'string'), field('a', 'string')]), { was: '1', a: '2' }, ours);
    assert.deepEqual([now.field('a'), now.field('b'), now.field('type')], ['2', '2', 'Now']);
  });

  test('of a union is that of the record by its name, or else by an alias', () => {
    const ours = [
      record('A', [field('f', 'int', { default: 1 })], { aliases: ['B'] }),
      record('B', [field('f', 'int', { default: 2 })]),
    ];
    assert.equal(read(record('B', []), {}, ours).field('f'), 2);
    assert.equal(read([record('B', []), record('A', [])], { A: {} }, ours).field('f'), 1);
    const other = read(record('C', [field('f', 'int')]), { f: 3 }, ours);
    assert.deepEqual([other.field('f'), other.field('type')], [3, 'C']);
  });

  test('gives defaults to what the writer does not have, of every type, and not to null', () => {
    const of = (type: unknown, value: unknown) => {
      const raw = read(record('R', []), {}, record('R', [field('f', type, { default: value })]));
      return [raw.field('f'), raw.decimalTexts(['f'])[0]];
    };
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 };
    assert.deepEqual(of(['null', 'string'], null), [null, null]);
    assert.deepEqual(of(['null', 'string'], 'x'), ['x', null]);
    assert.deepEqual(of('boolean', true), [true, null]);
    assert.deepEqual(of('string', '0.10'), ['0.10', '0.10']);
    assert.deepEqual(of('string', ''), ['', null]);
    assert.deepEqual(of('int', -7), [-7, '-7']);
    assert.deepEqual(of('long', 9_007_199_254_740_991), [9_007_199_254_740_991, '9007199254740991']);
    assert.deepEqual(of('double', 1.5), [1.5, '1.5']);
    assert.deepEqual(of('float', 0.1)[1], '0.1');
    assert.deepEqual(of(decimal, '\u0004\u001a')[1], '10.50');
    assert.deepEqual(of(decimal, '\u00ff')[1], '-0.01');
    assert.deepEqual(
      of({ type: 'fixed', name: 'F', size: 2, logicalType: 'decimal', precision: 4 }, '\u0001\u0000')[1],
      '256',
    );
    assert.deepEqual(of({ type: 'enum', name: 'E', symbols: ['A', 'B'] }, 'B')[0], 'B');
    assert.deepEqual(of({ type: 'long', logicalType: 'timestamp-millis' }, 0)[0], '1970-01-01T00:00:00.000Z');
    const asNull = read(
      record('R', [field('f', ['null', 'int'])]),
      { f: null },
      record('R', [field('f', ['int', 'null'], { default: 5 })]),
    );
    assert.equal(asNull.field('f'), null);
  });

  test('takes symbols that it does not have for the default of its enum', () => {
    const writer = record('R', [field('f', { type: 'enum', name: 'E', symbols: ['A', 'NEW'] })]);
    const ours = (more: object) =>
      record('R', [field('f', ['null', { type: 'enum', name: 'E', symbols: ['A', 'OTHER'], ...more }])]);
    assert.equal(read(writer, { f: 'NEW' }, ours({ default: 'OTHER' })).field('f'), 'OTHER');
    assert.equal(read(writer, { f: 'A' }, ours({ default: 'OTHER' })).field('f'), 'A');
    assert.deepEqual(read(writer, { f: 'NEW' }, ours({})).field('f'), {});
    assert.equal(read(writer, { f: 'NEW' }, record('R', [field('f', 'string')])).field('f'), 'NEW');
  });

  test('keeps the digits of numbers, whatever number it has, and reads bytes as a string', () => {
    const exact = read(
      record('R', [field('f', 'long')]),
      { f: 9_007_199_254_740_993n },
      record('R', [field('f', 'double')]),
    );
    assert.deepEqual(exact.decimalTexts(['f']), ['9007199254740993']);
    const bytes = record('R', [field('f', ['null', 'bytes'])]);
    const text = (hex: string) =>
      read(bytes, { f: { bytes: Buffer.from(hex, 'hex') } }, record('R', [field('f', 'string')]));
    assert.equal(text('312e3530').field('f'), '1.50');
    assert.deepEqual(text('312e3530').decimalTexts(['f']), ['1.50']);
    assert.deepEqual([text('ff').field('f'), text('ff').decimalTexts(['f'])[0]], [{}, null]);
  });

  test('leaves fields that it does not name to the names of the writer', () => {
    const raw = read(
      record('R', [field('a', 'int'), field('b', 'int')]),
      { a: 1, b: 2 },
      record('R', [field('a', 'int')]),
    );
    assert.deepEqual([raw.field('a'), raw.field('b')], [1, 2]);
  });

  test('is refused where it says nothing that can be meant, by the field', () => {
    const why = (schema: unknown) => {
      const found = parseReaderSchema(JSON.stringify(schema));
      return 'unusable' in found ? found.unusable : undefined;
    };
    const bad = (type: unknown, value: unknown) => why(record('R', [field('f', type, { default: value })]));
    const wrong = 'R.f: its default is no value of its type';
    assert.deepEqual(
      [
        bad('int', 'x'),
        bad('int', 2 ** 31),
        bad('long', 2 ** 53),
        bad(['null', 'string'], 1),
        bad({ type: 'enum', name: 'E', symbols: ['A'] }, 'B'),
        bad('bytes', '\u0100'),
        bad({ type: 'array', items: 'int' }, []),
      ],
      Array(7).fill(wrong),
    );
    assert.equal(why(record('R', [field('f', 'int', { aliases: 'x' })])), 'R.f: "aliases" is not a list of names');
    assert.equal(why(record('R', [], { aliases: [1] })), 'R: "aliases" is not a list of names');
    assert.equal(why('string'), 'expected a record, or a union of records');
  });
});
