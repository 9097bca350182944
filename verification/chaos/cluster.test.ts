import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coordinatorPartition } from './cluster.ts';

// By Java: Math.abs("...".hashCode()) % n.
test('the coordinator of a group is found as Kafka finds it', () => {
  assert.equal(coordinatorPartition('a', 3), 97 % 3);
  assert.equal(coordinatorPartition('ab', 3), (97 * 31 + 98) % 3);
  assert.equal(coordinatorPartition('polygenelubricants', 3), 0); // its hash is the least int, which has no absolute value
});
