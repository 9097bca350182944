import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldQueries } from '../../../../src/engine/workflow/entity/held-queries.ts';

test('queries are held until all are answered, each once', () => {
  const held = new HeldQueries();
  const answered: string[] = [];
  assert.equal(held.some, false);
  held.hold('a', () => answered.push('a'));
  held.hold('b', () => {
    answered.push('b');
    // Asked again meanwhile: that is for the next time.
    held.hold('c', () => answered.push('c'));
  });
  assert.deepEqual([held.some, answered], [true, []]);
  held.answer();
  assert.deepEqual([held.some, answered], [true, ['a', 'b']]);
  held.answer();
  held.answer();
  assert.deepEqual([held.some, answered], [false, ['a', 'b', 'c']]);
});

test('a query that comes by itself is never held', () => {
  assert.deepEqual([HeldQueries.mayWait('legacy_query'), HeldQueries.mayWait('7')], [false, true]);
});
