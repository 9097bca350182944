import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isSameGeneration,
  keptPartitions,
  type HeldGeneration,
} from '../../../../src/engine/kafka/kafkajs/kept-partitions.ts';

const BEFORE: HeldGeneration = {
  memberId: 'm-1',
  generationId: 7,
  partitions: [0, 1, 2],
  kept: new Set([1]),
  open: true,
};
const now = (generationId: number, partitions: readonly number[] = [0, 2, 3], memberId = 'm-1') => ({
  memberId,
  generationId,
  partitions,
});

test('what the next generation leaves to a member is kept, and nothing that is new', () => {
  assert.deepEqual([...keptPartitions(BEFORE, now(8))], [0, 2]);
});

test('what was not taken over yet is begun anew, and what was kept before is kept again', () => {
  assert.deepEqual([...keptPartitions({ ...BEFORE, open: false }, now(8, [0, 1, 2]))], [1]);
});

test('after a generation that was missed, as another member, or at first, nothing is kept', () => {
  assert.deepEqual([...keptPartitions(BEFORE, now(9))], []);
  assert.deepEqual([...keptPartitions(BEFORE, now(8, [0], 'm-2'))], []);
  assert.deepEqual([...keptPartitions(undefined, now(1))], []);
});

test('the same generation joined twice is the same, for the same member only', () => {
  assert.equal(isSameGeneration(BEFORE, now(7)), true);
  assert.equal(isSameGeneration(BEFORE, now(8)), false);
  assert.equal(isSameGeneration(BEFORE, now(7, [], 'm-2')), false);
  assert.equal(isSameGeneration(undefined, now(7)), false);
});
