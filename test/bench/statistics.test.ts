import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alternating, median, quantile, ratioOf } from '../../bench/statistics.ts';

test('the sides alternate, so that neither is always the first', () => {
  assert.deepEqual(alternating(['a', 'b'], 3), [
    ['a', 'b'],
    ['b', 'a'],
    ['a', 'b'],
  ]);
});

test('medians and quantiles, of even and odd numbers of values', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(quantile([0, 10], 0.25), 2.5);
  assert.equal(quantile([5], 0.95), 5);
  assert.ok(Number.isNaN(median([])));
});

test('a ratio is that of its pairs: a slow machine counts against both sides', () => {
  const ratio = ratioOf([
    [100, 50],
    [200, 100],
    [1_000, 500],
  ]);
  assert.deepEqual(ratio, { median: 0.5, from: 0.5, to: 0.5, pairs: 3 });
});

test('the interval is as wide as the rounds differ, and the same each time', () => {
  const rounds = [1, 1.02, 0.98, 1.1, 0.9, 1, 1.01].map((to) => [1, to] as const);
  const ratio = ratioOf(rounds);
  assert.equal(ratio.median, 1);
  assert.ok(ratio.from < 1 && ratio.from >= 0.9, String(ratio.from));
  assert.ok(ratio.to > 1 && ratio.to <= 1.1, String(ratio.to));
  assert.deepEqual(ratioOf(rounds), ratio);
});

test('a pair without a figure is no pair', () => {
  assert.equal(
    ratioOf([
      [0, 5],
      [2, 4],
    ]).pairs,
    1,
  );
});
