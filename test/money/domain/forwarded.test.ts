import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forward, isForwardable, isForwarded } from '../../../src/money/domain/forwarded.ts';

test('headers are handed on in the order of their names, each with all its values', () => {
  assert.deepEqual(
    forward([
      ['b', ['1', '2']],
      ['a', ['']],
    ]),
    {
      forwarded: {
        headers: [
          { name: 'b', value: '1' },
          { name: 'b', value: '2' },
          { name: 'a', value: '' },
        ],
      },
      bytes: 5,
      dropped: 0,
    },
  );
  assert.deepEqual(forward([]), { bytes: 0, dropped: 0 });
});

test('a name that finds no room is left out with all its values, and those after it have their chance', () => {
  const long = 'x'.repeat(1_500);
  assert.deepEqual(
    forward([
      ['a', [long]],
      ['b', ['1', long]],
      ['c', ['2']],
    ]),
    {
      forwarded: {
        headers: [
          { name: 'a', value: long },
          { name: 'c', value: '2' },
        ],
      },
      bytes: 1_503,
      dropped: 1,
    },
  );
  // Exactly 2,048 bytes of name and value, and one more; 16 values, and one more.
  assert.equal(forward([['a', ['x'.repeat(2_047)]]]).dropped, 0);
  assert.deepEqual(forward([['a', ['x'.repeat(2_048)]]]), { bytes: 0, dropped: 1 });
  assert.equal(forward([['a', Array.from({ length: 16 }, () => 'x')]]).dropped, 0);
  assert.equal(forward([['a', Array.from({ length: 17 }, () => 'x')]]).dropped, 1);
});

test('what outputs say of themselves is no header to be handed on', () => {
  for (const name of ['traceparent', 'X-Request-Id', 'ce_id', '__proto__']) assert.ok(isForwardable(name), name);
  for (const name of ['seq', 'stream', 'incarnation', 'source-partition', 'source-offset', 'enrichment']) {
    assert.ok(!isForwardable(name), name);
  }
  for (const name of ['', 'a,b', 'a b', 'ä', 'x'.repeat(101)]) assert.ok(!isForwardable(name), name);
});

test('what a stranger signals in the place of headers is seen', () => {
  const header = { name: 'a', value: '1' };
  assert.ok(isForwarded({ headers: [header] }));
  for (const wrong of [
    null,
    [],
    {},
    { headers: 'a' },
    { headers: [null] },
    { headers: [{ name: 'seq', value: '1' }] },
    { headers: [{ name: 'a', value: 1 }] },
    { headers: [{ name: 'a', value: '\u0100' }] },
    { headers: [{ name: 'a', value: 'x'.repeat(2_049) }] },
    { headers: Array.from({ length: 17 }, () => header) },
  ]) {
    assert.ok(!isForwarded(wrong), JSON.stringify(wrong));
  }
});

test('the bounds of what may be handed on are just these', () => {
  assert.deepEqual([isForwardable('n'.repeat(100)), isForwardable('n'.repeat(101))], [true, false]);
  const headers = (count: number) => ({ headers: Array.from({ length: count }, () => ({ name: 'n', value: 'v' })) });
  assert.deepEqual([isForwarded(headers(16)), isForwarded(headers(17))], [true, false]);
  const one = (header: unknown) => isForwarded({ headers: [{ name: 'n', value: 'v' }, header] });
  assert.deepEqual(
    [one({ name: 'n', value: 'v'.repeat(2_048) }), one({ name: 'n', value: 'v'.repeat(2_049) })],
    [true, false],
  );
  for (const wrong of [7, undefined, { name: ['n'], value: 'v' }, { name: 'n', value: ['v'] }, {}]) {
    assert.equal(one(wrong), false, JSON.stringify(wrong));
  }
});
