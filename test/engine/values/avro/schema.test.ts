/** Writer schemas: what is used, and what is said of those that are not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_SCHEMA_DEPTH, parseWriterSchema } from '../../../../src/engine/values/avro/schema.ts';
import { decoded, parsed, varint } from './given.ts';

const why = (schema: unknown): string => {
  const found = parseWriterSchema(typeof schema === 'string' ? schema : JSON.stringify(schema));
  return 'unusable' in found ? found.unusable : 'used';
};
const record = (name: string, ...types: unknown[]) => ({
  type: 'record',
  name,
  fields: types.map((type, index) => ({ name: `f${index}`, type })),
});
const nested = (depth: number): unknown => (depth === 0 ? 'int' : { type: 'array', items: nested(depth - 1) });

describe('a schema cannot be used', () => {
  const cases: [name: string, schema: unknown, why: string][] = [
    ['that is not JSON', '{', 'it is not JSON'],
    ['that is too long', ' '.repeat(262_145), 'it is 262145 characters long, expected at most 262144'],
    ['of a primitive type', '"string"', 'expected a record, or a union of records'],
    ['of an array', { type: 'array', items: 'int' }, 'expected a record, or a union of records'],
    [
      'of a union with something else than records',
      [record('R'), 'string'],
      'expected a record, or a union of records',
    ],
    ['of a number', '5', 'expected a type'],
    ['of null', 'null', 'expected a type'],
    ['of a type that is not there', record('R', 'Other'), 'there is no type "Other" in it'],
    ['of a name that every object has', record('R', 'constructor'), 'there is no type "constructor" in it'],
    ['whose type is such a name', { type: 'toString' }, 'there is no type "toString" in it'],
    ['whose type is __proto__', '{"type":"__proto__"}', 'there is no type "__proto__" in it'],
    ['without a type', {}, 'expected a type'],
    ['of an error', { type: 'error', name: 'R', fields: [] }, 'there is no type "error" in it'],
    ['without fields', { type: 'record', name: 'R' }, '"R" has no fields'],
    ['with fields that are no list', { type: 'record', name: 'R', fields: {} }, '"R" has no fields'],
    ['without a name', { type: 'record', fields: [] }, 'it has a type without a name'],
    [
      'with a field without a name',
      { type: 'record', name: 'R', fields: [{ type: 'int' }] },
      '"R" has a field without a name',
    ],
    ['with a field that is null', { type: 'record', name: 'R', fields: [null] }, '"R" has a field without a name'],
    ['with a field without a type', { type: 'record', name: 'R', fields: [{ name: 'a' }] }, 'expected a type'],
    [
      'with two fields of a name',
      {
        type: 'record',
        name: 'R',
        fields: [
          { name: 'a', type: 'int' },
          { name: 'a', type: 'int' },
        ],
      },
      '"R" has two fields "a"',
    ],
    ['with two types of a name', record('R', record('S'), record('S')), 'it has two types "S"'],
    ['with a union of nothing', record('R', []), 'it has a union of nothing'],
    ['with a union in a union', record('R', ['null', ['int']]), 'it has a union directly in a union'],
    ['with an enum without symbols', record('R', { type: 'enum', name: 'E', symbols: [] }), '"E" has no symbols'],
    ['with an enum of numbers', record('R', { type: 'enum', name: 'E', symbols: [1] }), '"E" has no symbols'],
    ['with a fixed without a size', record('R', { type: 'fixed', name: 'F' }), '"F" has no size'],
    ['with a fixed of a negative size', record('R', { type: 'fixed', name: 'F', size: -1 }), '"F" has no size'],
    ['with a record in itself', record('R', 'R'), 'it has a record that contains itself without end'],
    [
      'with two records in each other',
      record('R', record('S', 'R')),
      'it has a record that contains itself without end',
    ],
    ['with a union of nothing but itself', record('R', ['R']), 'it has a record that contains itself without end'],
    [
      'that is nested too deeply',
      record('R', nested(MAX_SCHEMA_DEPTH)),
      `its types are nested deeper than ${MAX_SCHEMA_DEPTH}`,
    ],
    [
      'that is nested beyond any stack',
      `${'{"type":'.repeat(20_000)}"int"${'}'.repeat(20_000)}`,
      `its types are nested deeper than ${MAX_SCHEMA_DEPTH}`,
    ],
    ['with too many types', record('R', ...Array.from({ length: 5_000 }, () => 'int')), 'it has more than 5000 types'],
  ];
  for (const [name, schema, expected] of cases) test(name, () => assert.equal(why(schema), expected));

  test('within a second, whatever it is', () => {
    const from = performance.now();
    for (const [, schema] of cases) why(schema);
    // Each refers to the one before: sizes have to be found from the far end.
    why(
      record(
        'Top',
        ...Array.from({ length: 1_200 }, (_, n) => record(`C${n}`, n === 0 ? 'int' : `C${n - 1}`, ['null', 'Top'])),
      ),
    );
    assert.ok(performance.now() - from < 1_000);
  });
});

describe('a schema is used', () => {
  test('with what Avro allows', () => {
    assert.equal(why(record('R', ['null', 'R'])), 'used');
    assert.equal(why(record('R', { type: 'array', items: 'R' })), 'used');
    assert.equal(why(record('R', { type: 'map', values: 'R' })), 'used');
    assert.equal(why(record('R', nested(MAX_SCHEMA_DEPTH - 1))), 'used');
    assert.equal(why(record('R', { type: { type: { type: 'int' } } })), 'used');
    assert.equal(why(record('R', { type: 'fixed', name: 'F', size: 0 })), 'used');
  });

  test('whatever its defaults, aliases and unknown attributes are', () => {
    const odd = {
      type: 'record',
      name: 'R',
      aliases: 5,
      doc: {},
      order: 'x',
      fields: [{ name: 'a', type: ['null', 'string'], default: 'not null', aliases: null }],
    };
    assert.equal(why(odd), 'used');
  });

  test('with names in namespaces, found as Avro says', () => {
    const schema = {
      type: 'record',
      name: 'R',
      namespace: 'a.b',
      fields: [
        { name: 'inner', type: { type: 'record', name: 'I', fields: [] } },
        { name: 'other', type: { type: 'record', name: 'c.I', fields: [{ name: 'x', type: 'int' }] } },
        { name: 'bare', type: 'I' },
        { name: 'full', type: 'a.b.I' },
        { name: 'outer', type: 'c.I' },
      ],
    };
    const raw = decoded(schema, Buffer.concat([varint(1), varint(2)]));
    assert.ok(!('malformed' in raw));
    assert.equal(parsed(schema).records[0]!.name, 'R');
  });

  test('and nothing of it becomes code', () => {
    const name = 'f){throw 1}//';
    const schema = {
      type: 'record',
      name,
      fields: [
        { name: 'constructor', type: 'int' },
        { name: 'a b"]', type: 'int' },
      ],
    };
    const raw = decoded(schema, Buffer.concat([varint(1), varint(2)]));
    assert.ok(!('malformed' in raw));
    assert.deepEqual([raw.field('type'), raw.field('constructor'), raw.field('a b"]')], [name, 1, 2]);
  });
});
