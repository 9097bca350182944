import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordSchema, SchemaFile } from '../../../src/engine/stored/schema.ts';
import { describeVerdict, verdictOf } from '../../../src/engine/stored/compatibility.ts';

const NAMESPACE = 'test';
const box = (fields: RecordSchema['fields'], more: Partial<RecordSchema> = {}): RecordSchema => ({
  type: 'record',
  name: 'Box',
  namespace: NAMESPACE,
  root: true,
  fields,
  ...more,
});
const file = (version: string, ...records: RecordSchema[]): SchemaFile => ({ version, records });
const before = file('1.0.0', box([{ name: 'count', type: 'int' }]));
const compatibilityOf = (today: SchemaFile) => verdictOf(before, today).roots[0]?.compatibility;

describe('the verdict on a change of the schemas', () => {
  it('is "as is" for the same schema, also with other words', () => {
    const verdict = verdictOf(
      before,
      file('today', box([{ name: 'count', type: 'int', doc: 'How many.' }], { doc: 'A box.' })),
    );
    assert.deepEqual(verdict, {
      version: '1.0.0',
      roots: [{ name: 'Box', compatibility: 'as is' }],
      refused: [],
      changes: [],
    });
  });

  it('is "after migration" for a field with a default, a wider number and a field that is dropped', () => {
    const added = verdictOf(
      before,
      file(
        'today',
        box([
          { name: 'count', type: 'int' },
          { name: 'tags', type: { type: 'array', items: 'string' }, default: [] },
        ]),
      ),
    );
    assert.equal(added.roots[0]?.compatibility, 'after migration');
    assert.deepEqual(added.changes, ['Box.tags is new: old values get []']);
    assert.equal(compatibilityOf(file('today', box([{ name: 'count', type: 'long' }]))), 'after migration');
    const dropped = verdictOf(before, file('today', box([])));
    assert.equal(dropped.roots[0]?.compatibility, 'after migration');
    assert.deepEqual(dropped.refused, []);
    assert.deepEqual(dropped.changes, ['Box.count is gone: what old values have there is forgotten']);
  });

  const REFUSED: readonly (readonly [string, SchemaFile, RegExp])[] = [
    [
      'a new field without a default',
      file(
        'today',
        box([
          { name: 'count', type: 'int' },
          { name: 'size', type: 'string' },
        ]),
      ),
      /Box\.size is new and has no default/,
    ],
    ['another type', file('today', box([{ name: 'count', type: 'string' }])), /Box: /],
    ['a narrower number', file('today', box([{ name: 'count', type: 'boolean' }])), /Box: /],
    [
      'a renamed field',
      file('today', box([{ name: 'number', type: 'int', default: 0 }])),
      /count is gone and number of the same type is new/,
    ],
    ['a root that is gone', file('today', { ...box([]), name: 'Other' }), /Box: missing/],
  ];
  for (const [what, today, words] of REFUSED) {
    it(`refuses ${what}`, () => {
      const verdict = verdictOf(before, today);
      assert.match(verdict.refused.join('\n'), words);
      assert.match(describeVerdict(verdict), /^1\.0\.0: Box refused\n {2}refused: /);
    });
  }

  it('refuses a tuple of another length, which Avro would read', () => {
    const pair = (...tuple: string[]) => box([{ name: 'at', type: { type: 'array', items: 'long', tuple } }]);
    assert.match(
      verdictOf(file('1.0.0', pair('x', 'y')), file('today', pair('x', 'y', 'z'))).refused.join(),
      /tuple of x, y and is one of x, y, z/,
    );
  });
});
