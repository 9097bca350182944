import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emitted } from '../../../src/engine/workflow/emitted.ts';

test('what is emitted is of no record, and has the FNV-1a print of its JSON in the place of an offset', () => {
  // (0x811c9dc5 xor the code of '1') times 0x01000193, its lower 32 bits.
  assert.deepEqual(emitted(1), { partition: -1, offset: 0x340ca71c, record: 1 });
  assert.notEqual(emitted({ a: 1 }).offset, emitted({ a: 2 }).offset);
  assert.notEqual(emitted([1, 2]).offset, emitted([2, 1]).offset);
  assert.equal(emitted({ a: 1 }).offset, emitted({ a: 1 }).offset);
});
