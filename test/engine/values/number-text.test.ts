import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { numberTexts } from '../../../src/engine/values/number-text.ts';

const cases: readonly [json: string, text: string | null][] = [
  ['{"a":1}', '1'],
  ['{"a":0.10}', '0.10'],
  ['{"a":1E+2}', '1E+2'],
  ['{"a":-0}', '-0'],
  ['{"a":1E400}', '1E400'],
  ['{"a":1234567890123456789012345678901234567890.10}', '1234567890123456789012345678901234567890.10'],
  [' {\t"a"\r\n: 1.50 ,"b":2}', '1.50'],
  ['{"b":2,"a":1.50\n}', '1.50'],
  ['{}', null],
  ['{ }', null],
  ['{"b":1}', null],
  ['{"a":"1"}', null],
  ['{"a":null}', null],
  ['{"a":true}', null],
  ['{"a":[1]}', null],
  ['{"a":{"a":1}}', null],
  ['{"b":{"a":1}}', null],
  ['{"b":[{"a":1}],"a":2}', '2'],
  ['{"a":1,"a":2.0}', '2.0'],
  ['{"a":1,"a":"2"}', null],
  ['{"a":"1","a":2}', '2'],
  ['{"\\u0061":3.0}', '3.0'],
  ['{"a":1,"\\u0061":2}', '2'],
  ['{"\\"a":1,"b\\\\":2,"a":4}', '4'],
  ['{"b":"\\"a\\":1","a":5}', '5'],
  ['{"b":"\\\\","a":6}', '6'],
  ['{"b":["}","]","\\"]"],"a":7}', '7'],
  ['{"__proto__":{"a":1}}', null],
  ['{"__proto__":9,"a":8}', '8'],
];

for (const [json, text] of cases) {
  test(`the number a of ${json} reads ${text}`, () => {
    JSON.parse(json);
    assert.deepEqual(numberTexts(json, ['a']), [text]);
  });
}

test('several names are answered in the order asked', () => {
  assert.deepEqual(numberTexts('{"c":3.30,"a":1.10}', ['a', 'b', 'c']), ['1.10', null, '3.30']);
});

test('a megabyte of brackets or of backslashes is one value', () => {
  const nested = `{"b":${'['.repeat(500_000)}${']'.repeat(500_000)},"a":1.0}`;
  assert.deepEqual(numberTexts(nested, ['a']), ['1.0']);
  assert.deepEqual(numberTexts(`{"b":"${'\\\\'.repeat(500_000)}","a":1.0}`, ['a']), ['1.0']);
  assert.deepEqual(numberTexts(`{"b":"${'\\"'.repeat(500_000)}","a":1.0}`, ['a']), ['1.0']);
});

/**
 * An independent reading: a document is made of known pieces, so that the text of its numbers is known without
 * reading it. Keys are written with and without escapes, with space anywhere, and may come twice.
 */
const space = fc.constantFrom('', ' ', '\n', '\t ', '\r\n');
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9][0-9]{0,45}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.[0-9]{1,45}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?[0-9]{1,4}$/)),
  )
  .map((parts) => parts.join(''));
const names = ['a', 'b', 'amount', '__proto__', '"', '\\', 'é€😀', ''];
const escapeAll = (text: string): string =>
  `"${[...Array(text.length).keys()].map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`;
const key = fc
  .tuple(fc.constantFrom(...names), fc.boolean())
  .map(([name, escaped]) => ({ name, text: escaped ? escapeAll(name) : JSON.stringify(name) }));
const other = fc.json().map((text) => ({ text, number: startsNumber(text) }));
const value = fc.oneof(
  { weight: 2, arbitrary: numberText.map((text) => ({ text, number: true })) },
  { weight: 1, arbitrary: other },
);

function startsNumber(text: string): boolean {
  return typeof JSON.parse(text) === 'number';
}

test('property: agrees with how the document was written, and with JSON.parse', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value, space, space, space, space)), space, space, (members, before, after) => {
      const expected = new Map<string, string | null>();
      const json = `${before}{${members
        .map(([{ name, text }, { text: valueText, number }, s1, s2, s3, s4]) => {
          expected.set(name, number ? valueText : null);
          return `${s1}${text}${s2}:${s3}${valueText}${s4}`;
        })
        .join(',')}${members.length === 0 ? after : ''}}${after}`;
      const parsed = JSON.parse(json) as Record<string, unknown>;
      const texts = numberTexts(json, names);
      names.forEach((name, index) => {
        assert.equal(texts[index], expected.get(name) ?? null);
        const native = Object.hasOwn(parsed, name) ? parsed[name] : undefined;
        if (typeof native === 'number') assert.equal(Number(texts[index]), native);
        else assert.equal(texts[index], null);
      });
    }),
    { numRuns: 2000 },
  );
});
