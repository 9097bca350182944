import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunksOf, firstChunkOf, isLarge } from '../../../src/engine/workflow/chunks.ts';

/** An output of so many characters as JSON. */
const ofLength = (characters: number) => ({ t: 'x'.repeat(characters - '{"t":""}'.length) });
const lengths = (chunks: readonly unknown[][]): number[] => chunks.map(({ length }) => length);

test('a chunk has 500 outputs at most', () => {
  const outputs = Array.from({ length: 1_001 }, (_, n) => ({ n }));
  assert.deepEqual(lengths(chunksOf(outputs)), [500, 500, 1]);
  assert.deepEqual(chunksOf(outputs).flat(), outputs);
  assert.deepEqual(firstChunkOf(outputs), outputs.slice(0, 500));
});

test('a chunk has 400,000 characters at most, but for an output that is larger alone', () => {
  assert.deepEqual(lengths(chunksOf([ofLength(200_000), ofLength(200_000)])), [2]);
  assert.deepEqual(lengths(chunksOf([ofLength(200_000), ofLength(200_001)])), [1, 1]);
  assert.deepEqual(lengths(chunksOf([ofLength(10), ofLength(500_000), ofLength(10)])), [1, 1, 1]);
  assert.deepEqual(lengths(chunksOf([ofLength(500_000)])), [1]);
  // What is in the chunk before counts no more.
  assert.deepEqual(lengths(chunksOf([ofLength(300_000), ofLength(300_000), ofLength(100_000)])), [1, 2]);
});

test('of nothing there is no chunk, and an empty first one', () => {
  assert.deepEqual([chunksOf([]), firstChunkOf([])], [[], []]);
});

test('a single output is large from 400,001 characters of the chunk on', () => {
  // Two of them are the brackets.
  assert.equal(isLarge([ofLength(399_998)]), false);
  assert.equal(isLarge([ofLength(399_999)]), true);
  assert.equal(isLarge([ofLength(300_000), ofLength(300_000)]), false);
  assert.equal(isLarge([]), false);
});
