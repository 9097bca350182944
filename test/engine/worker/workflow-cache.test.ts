import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cachedWorkflows, defaultCacheMb } from '../../../src/engine/worker/workflow-cache.ts';

const GB = 1_000_000_000;

test('workflows take a quarter of the memory, from 50 MB to 4 GB, and 2 GB of it in one thread', () => {
  const ofFour = [0.1 * GB, GB, 4 * GB, 64 * GB].map((memory) => defaultCacheMb(4, memory));
  assert.deepEqual(ofFour, [50, 250, 1_000, 4_000]);
  assert.equal(defaultCacheMb(1, 64 * GB), 2_000);
});

test('workflows of 0.2 MB are divided among all shards, and are 50 of each at least', () => {
  assert.equal(cachedWorkflows(2_000, 4), 2_500);
  assert.equal(cachedWorkflows(50, 4), 62);
  assert.equal(cachedWorkflows(50, 64), 50);
});
