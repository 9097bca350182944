import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withoutNested } from '../../../src/engine/values/nested-json.ts';
import { jsonDecoder } from '../../../src/engine/values/value.ts';

test('what is nested goes, what is not stays as it is written', () => {
  assert.equal(withoutNested('{"a":[1,{"b":2}],"c":3}'), '{"a":[],"c":3}');
  assert.equal(withoutNested(' { "a" : {"x":[]} , "n":1.50,"t":"[{\\"" }\n'), ' { "a" : {} , "n":1.50,"t":"[{\\"" }\n');
  assert.equal(withoutNested('{}'), '{}');
});

for (const bad of [
  '[1,]',
  '[,1]',
  '[1 2]',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{a:1}',
  '[01]',
  '[1.]',
  '[.5]',
  '[1e]',
  '[-]',
  '[+1]',
  '["\\x"]',
  '["\\u12g4"]',
  '["\t"]',
  '[tru]',
  '[NaN]',
  '[1}',
  '{"a":1]',
  '[',
  '[[]',
  '["',
  '[1',
  '[\u00a0]',
  '[nullx]',
]) {
  test(`nested ${JSON.stringify(bad)} is no JSON`, () => {
    assert.throws(() => JSON.parse(bad));
    assert.equal(withoutNested(`{"x":${bad},"y":1}`), undefined);
  });
}

/** Valid JSON with space and escapes anywhere, and then one character more, less or another: sometimes valid, mostly not. */
const space = fc.constantFrom('', ' ', '\n\t', '\r');
const text = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.constantFrom('-0.5e-7', '1E+2', '"\\u00e9\\n\\/"', '"[\\"{"', '[]', '{}', '[[],[{}]]', 'null'),
);
const broken = fc
  .tuple(
    text,
    fc.nat(),
    fc.constantFrom('', '"', '[', ']', '{', '}', ',', ':', '\\', '0', '-', '.', 'e', 't', ' ', '\u0000'),
    fc.boolean(),
  )
  .map(([json, where, sign, instead]) => {
    const at = where % (json.length + 1);
    return json.slice(0, at) + sign + json.slice(instead ? at + 1 : at);
  });

test('it is JSON without what is nested exactly if it was with it, and says the same of all else', () => {
  const document = fc
    .tuple(space, fc.oneof(text, broken), space, fc.oneof(text, broken))
    .map(([a, x, b, y]) => `{${a}"x":${a}${x}${b},"n":1,"y":${y}${a}}`);
  const parse = (json: string | undefined): Record<string, unknown> | undefined => {
    try {
      return json === undefined ? undefined : (JSON.parse(json) as Record<string, unknown>);
    } catch {
      return undefined;
    }
  };
  const flat = (value: unknown): unknown =>
    Array.isArray(value) ? [] : typeof value === 'object' && value !== null ? {} : value;
  fc.assert(
    fc.property(document, (json) => {
      const before = parse(json);
      const after = parse(withoutNested(json));
      assert.deepEqual(
        after,
        before === undefined
          ? undefined
          : Object.fromEntries(Object.entries(before).map(([name, value]) => [name, flat(value)])),
      );
    }),
    { numRuns: 5_000 },
  );
});

test('a megabyte of nested lists in a field that nobody reads is read past; one bracket less is malformed', () => {
  const value = (x: string) => Buffer.from(`{"x":${x},"amount":1.50,"type":"PaymentEvent"}`);
  for (const x of [`${'['.repeat(500_000)}${']'.repeat(500_000)}`, `[${'[],'.repeat(300_000)}[]]`]) {
    const good = jsonDecoder.decode(value(x));
    assert.ok(!('malformed' in good));
    assert.equal(good.field('type'), 'PaymentEvent');
    assert.deepEqual(good.decimalTexts(['amount', 'x']), ['1.50', null]);
    assert.deepEqual(jsonDecoder.decode(value(x.slice(1))), { malformed: 'value: expected JSON' });
  }
});
