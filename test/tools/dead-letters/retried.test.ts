import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRetried, encodeRetried } from '../../../src/tools/dead-letters/retried.ts';
import { addOffset, hasOffset } from '../../../src/engine/workflow/offset-ranges.ts';

test('ranges are written as differences in base 36', () => {
  assert.equal(encodeRetried([], 0), '1:');
  assert.equal(encodeRetried([0, 1], 0), '1:0,1');
  assert.equal(encodeRetried([10, 12, 50, 100], 0), '1:a,2,12,1e');
  assert.deepEqual(decodeRetried('1:a,2,12,1e'), [10, 12, 50, 100]);
});

test('no note at all is nothing put back', () => {
  assert.deepEqual(decodeRetried(''), []);
  assert.deepEqual(decodeRetried('1:'), []);
});

test('a note of another version is refused, never taken for nothing', () => {
  for (const text of ['2:a,2', '1:a', '1:a,', '1:A,B', 'x']) {
    assert.throws(() => decodeRetried(text), { code: 'KAFKA' }, text);
  }
});

test('offsets that have left the topic are forgotten', () => {
  assert.equal(encodeRetried([0, 5, 10, 20], 12), '1:c,8');
  assert.equal(encodeRetried([0, 5], 5), '1:');
});

test('property: what is written is read back, and what does not fit is never forgotten', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000_000), { maxLength: 3000 }), (offsets) => {
      const ranges: number[] = [];
      for (const offset of offsets) addOffset(ranges, offset);
      const text = encodeRetried(ranges, 0);
      assert.ok(text.length <= 4_000);
      const back = decodeRetried(text);
      for (const offset of offsets) assert.ok(hasOffset(back, offset));
      if (offsets.length < 300) assert.deepEqual(back, ranges);
    }),
    { numRuns: 100 },
  );
});
