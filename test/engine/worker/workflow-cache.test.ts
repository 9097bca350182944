import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cachedWorkflows, defaultCacheMb } from '../../../src/engine/worker/workflow-cache.ts';

const GB = 1_000_000_000;

test('workflows take a quarter of the memory, from 50 MB to 2 GB', () => {
  assert.deepEqual([0.1 * GB, GB, 4 * GB, 64 * GB].map(defaultCacheMb), [50, 250, 1_000, 2_000]);
});

test('workflows of 0.2 MB are divided among all shards, and are 50 of each at least', () => {
  assert.equal(cachedWorkflows(2_000, 4), 2_500);
  assert.equal(cachedWorkflows(50, 4), 62);
  assert.equal(cachedWorkflows(50, 64), 50);
});
