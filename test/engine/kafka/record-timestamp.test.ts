import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timestampOf } from '../../../src/engine/kafka/record-timestamp.ts';

test('a Kafka timestamp in nanoseconds keeps its very number beside the nearest double', () => {
  assert.deepEqual(timestampOf('1769853600123456789'), {
    timestamp: 1769853600123456800,
    timestampText: '1769853600123456789',
  });
  assert.deepEqual(timestampOf('9223372036854775807'), { timestamp: 2 ** 63, timestampText: '9223372036854775807' });
  assert.deepEqual(timestampOf('1769853600123456'), { timestamp: 1769853600123456 });
  assert.deepEqual(timestampOf('-1'), { timestamp: -1 });
});

test('a record of Kafka 0.9 (magic 0), which has no timestamp, is a record without one, not one at NaN', () => {
  assert.deepEqual(timestampOf(undefined), { timestamp: -1 });
});
