import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentile, Progress } from './recovery.ts';

test('it works again when every partition has shown something newer than the fault', () => {
  const progress = new Progress(2, 0);
  progress.onOutput(0, 500, 10);
  progress.onOutput(1, 500, 11);
  assert.deepEqual(progress.behind(600), [0, 1]);
  progress.onOutput(1, 601, 12);
  assert.deepEqual(progress.behind(600), [0]);
  progress.onOutput(0, 550, 13); // older than the fault, though it came after it
  progress.onOutput(1, 900, 14);
  assert.deepEqual(progress.behind(600), [0]);
  progress.onOutput(0, 601, 15);
  assert.deepEqual(progress.behind(600), []);
});

test('the longest stall: of everything, and of one partition', () => {
  const progress = new Progress(2, 100);
  progress.onOutput(0, 1, 150);
  progress.onOutput(0, 2, 180);
  progress.onOutput(1, 2, 210);
  progress.onOutput(0, 3, 290);
  assert.equal(progress.longestStall, 80);
  assert.equal(progress.longestStallOfOne, 110);
  assert.equal(progress.outputs, 4);
});

test('while it is watched: for how long each partition stood, from the begin of the watch at the earliest', () => {
  const progress = new Progress(3, 0);
  progress.onOutput(0, 1, 900);
  const stalls = progress.watch(1_000);
  progress.onOutput(0, 2, 1_300);
  progress.onOutput(1, 2, 1_100);
  progress.onOutput(0, 3, 1_400);
  assert.deepEqual(stalls(1_600), [300, 500, 600]);
});

test('percentiles are values that occurred', () => {
  assert.equal(percentile([30, 10, 20], 0.5), 20);
  assert.equal(percentile([30, 10, 20], 0.99), 30);
  assert.equal(percentile([1, 2, 3, 4], 0.5), 2);
  assert.equal(percentile([], 0.5), 0);
});
