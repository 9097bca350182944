import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAvroEncoder } from '../../../src/money/codec/avro-output.ts';
import { encodeOutput } from '../../../src/money/codec/output-record.ts';
import type { Output } from '../../../src/money/domain/events.ts';
import { output } from '../../support/publishing.ts';

for (const [format, encode] of [
  ['JSON', encodeOutput],
  ['Avro', createAvroEncoder(1)],
] as const) {
  test(`an output whose lookup was given up says so in its headers, in ${format}`, () => {
    const whole: Output = output('u', 7);
    assert.equal(encode(whole, 'u').headers, undefined);
    assert.deepEqual(encode({ ...whole, incomplete: true }, 'u').headers, { enrichment: 'incomplete' });
  });
}

test('an output has the headers that its money hands on, byte for byte, beside its own', () => {
  const whole: Output = output('u', 7);
  const headers = [
    { name: 'x', value: 'a' },
    { name: 'traceparent', value: '00-ab-cd-01' },
    { name: 'x', value: '\u00ff\0' },
    { name: '__proto__', value: 'p' },
  ];
  const traced: Output = {
    ...whole,
    enriched: { ...whole.enriched, money: { ...whole.enriched.money, forwarded: { headers } } },
  };
  const encoded = encodeOutput(traced, 'u');
  assert.deepEqual(encoded.value, encodeOutput(whole, 'u').value);
  assert.deepEqual(Object.entries(encoded.headers!), [
    ['x', [Buffer.from('a'), Buffer.from([0xff, 0x00])]],
    ['traceparent', [Buffer.from('00-ab-cd-01')]],
    ['__proto__', [Buffer.from('p')]],
  ]);
  assert.deepEqual(Object.keys(encodeOutput({ ...traced, incomplete: true }, 'u').headers!), [
    'enrichment',
    'x',
    'traceparent',
    '__proto__',
  ]);
});
