import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestsOf, type ComparedRecord, type Identity } from '../../../src/tools/compare/digest.ts';
import { Partners, type Side } from '../../../src/tools/compare/partners.ts';

const record = (key: string, value: string, place?: string, mark?: string): ComparedRecord => ({
  key: Buffer.from(key),
  value: Buffer.from(value),
  headers: {
    ...(place === undefined
      ? {}
      : { 'source-partition': place.split('/')[0]!, 'source-offset': Buffer.from(place.split('/')[1]!) }),
    ...(mark === undefined ? {} : { enrichment: mark }),
    seq: String(Math.random()),
  },
});

/** Places are the positions in the lists; read in turn. */
function compared(a: readonly ComparedRecord[], b: readonly ComparedRecord[], by: Identity) {
  const partners = new Partners({ remember: true });
  const add = (side: Side, records: readonly ComparedRecord[], index: number) => {
    const one = records[index];
    if (one !== undefined) partners.add(side, digestsOf(one, by), { partition: 0, offset: index });
  };
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    add('a', a, index);
    add('b', b, index);
  }
  return { found: [...partners.differences()], waiting: partners.waiting };
}

const at = (offset: number) => ({ partition: 0, offset });

test('the same records in another order are equal, whatever their other headers', () => {
  const all = [record('u', '1', '0/1'), record('u', '2', '0/2'), record('v', '1', '1/1')];
  const again = [record('v', '1', '1/1'), record('u', '1', '0/1'), record('u', '2', '0/2')];
  assert.deepEqual(compared(all, again, 'place'), { found: [], waiting: { a: 0, b: 0 } });
});

test('a changed value, a changed mark, a missing record and one too many are told apart', () => {
  const a = [record('u', '1', '0/1'), record('u', '2', '0/2'), record('u', '3', '0/3'), record('u', '4', '0/4')];
  const b = [
    record('u', '1', '0/1'),
    record('u', 'x', '0/2'),
    record('u', '3', '0/3', 'incomplete'),
    record('u', '1', '0/1'),
    record('u', '5', '0/5'),
  ];
  assert.deepEqual(compared(a, b, 'place').found, [
    { type: 'changed', a: at(1), b: at(1) },
    { type: 'changed', a: at(2), b: at(2) },
    { type: 'only', side: 'a', at: at(3) },
    { type: 'again', side: 'b', at: at(3) },
    { type: 'only', side: 'b', at: at(4) },
  ]);
});

test('equal content of two money records is two records', () => {
  assert.equal(
    compared(
      [record('u', '1', '0/1'), record('u', '1', '0/2')],
      [record('u', '1', '0/1'), record('u', '1', '0/1')],
      'place',
    ).found.length,
    2,
  );
});

test('without coordinates the content is counted', () => {
  const a = [record('u', '1'), record('u', '1'), record('v', '1')];
  assert.deepEqual(
    compared(a, [record('u', '1', '0/1'), record('v', '1', '0/2'), record('u', '1', '0/3')], 'content').found,
    [],
  );
  assert.deepEqual(compared(a, [record('u', '1'), record('v', '1')], 'content').found, [
    { type: 'again', side: 'a', at: at(1) },
  ]);
});

test('bytes move between key and value, null and empty: none of it is equal', () => {
  const texts = [
    record('ab', 'c'),
    record('a', 'bc'),
    { key: null, value: Buffer.from('abc') },
    { key: Buffer.alloc(0), value: Buffer.from('abc') },
    { key: Buffer.from('abc'), value: null },
  ];
  assert.equal(new Set(texts.map((one) => digestsOf(one, 'content').content)).size, texts.length);
});
