import assert from 'node:assert/strict';
import { test } from 'node:test';
import { murmur2, partitionOf } from '../../../src/engine/kafka/partitioner.ts';

// From Kafka's own UtilsTest.testMurmur2.
const VECTORS: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

for (const [key, hash] of VECTORS) {
  test(`murmur2 of "${key}" is Kafka's`, () => {
    assert.equal(murmur2(Buffer.from(key)), hash);
  });
}

test('a negative hash is made positive by its sign bit, as in Kafka', () => {
  // -973932308 & 0x7fffffff = 1173551340
  assert.equal(partitionOf('21', 7), 1173551340 % 7);
  assert.equal(partitionOf(Buffer.from('abc'), 4), 479470107 % 4);
});

test('one partition takes all', () => {
  for (const [key] of VECTORS) assert.equal(partitionOf(key, 1), 0);
});

test('bytes above 127 are taken as unsigned', () => {
  assert.equal(partitionOf('ü', 16), partitionOf(Buffer.from([0xc3, 0xbc]), 16));
});
