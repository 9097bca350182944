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
