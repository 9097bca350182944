import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assignPartitions, commonPartitionCount } from '../../../../src/engine/kafka/kafkajs/assigner.ts';
import { withCode } from '../../../support/publishing.ts';

const assign = (count: number, members: Readonly<Record<string, readonly number[]>>): Record<string, number[]> =>
  Object.fromEntries(
    assignPartitions(
      count,
      Object.entries(members).map(([id, owned]) => ({ id, owned })),
    ),
  );

test('one member gets everything', () => {
  assert.deepEqual(assign(4, { a: [] }), { a: [0, 1, 2, 3] });
});

test('a newcomer gets its share and no other partition moves', () => {
  assert.deepEqual(assign(4, { a: [0, 1, 2, 3], b: [] }), { a: [0, 1], b: [2, 3] });
  assert.deepEqual(assign(5, { a: [0, 2, 4], b: [1, 3], c: [] }), { a: [0, 2], b: [1, 3], c: [4] });
});

test('when a member leaves, the others keep what they have', () => {
  assert.deepEqual(assign(4, { b: [2, 3] }), { b: [0, 1, 2, 3] });
  assert.deepEqual(assign(6, { a: [0, 1], c: [4, 5] }), { a: [0, 1, 2], c: [3, 4, 5] });
});

test('the larger shares stay with those who have them', () => {
  assert.deepEqual(assign(5, { a: [0, 1], b: [2, 3, 4] }), { a: [0, 1], b: [2, 3, 4] });
});

test('more members than partitions: some get none', () => {
  assert.deepEqual(assign(2, { a: [], b: [], c: [] }), { a: [0], b: [1], c: [] });
});

test('a claim on what does not exist, or on what another claims first, is void', () => {
  assert.deepEqual(assign(2, { a: [1, 7, -1, 0.5], b: [1] }), { a: [1], b: [0] });
});

test('always complete, disjoint and balanced; nothing moves without need; the order of members is nothing', () => {
  const generated = fc.record({
    count: fc.integer({ min: 0, max: 40 }),
    members: fc.uniqueArray(
      fc.record({
        id: fc.string({ minLength: 1, maxLength: 4 }),
        owned: fc.array(fc.integer({ min: 0, max: 45 }), { maxLength: 20 }),
      }),
      {
        selector: ({ id }) => id,
        minLength: 1,
        maxLength: 8,
      },
    ),
  });
  fc.assert(
    fc.property(generated, ({ count, members }) => {
      const result = assignPartitions(count, members);
      assert.deepEqual(
        [...result.values()].flat().sort((a, b) => a - b),
        Array.from({ length: count }, (_, p) => p),
      );
      const sizes = [...result.values()].map(({ length }) => length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      assert.deepEqual(assignPartitions(count, [...members].reverse()), result);
      const settled = [...result].map(([id, owned]) => ({ id, owned }));
      assert.deepEqual(assignPartitions(count, settled), result);
    }),
  );
});

test('topics with different partition counts are refused, with the counts', () => {
  assert.equal(
    commonPartitionCount([
      { topic: 'a', partitions: 4 },
      { topic: 'b', partitions: 4 },
    ]),
    4,
  );
  const differing = () =>
    commonPartitionCount([
      { topic: 'a', partitions: 4 },
      { topic: 'b', partitions: 3 },
    ]);
  assert.throws(differing, withCode('TOPIC'));
  assert.throws(differing, /a has 4, b has 3/);
  assert.throws(() => commonPartitionCount([{ topic: 'a', partitions: 0 }]), withCode('TOPIC'));
});
