import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTransactions } from '../../../src/engine/kafka/open-transactions.ts';

test('a transaction of a producer that never ends is named with its partition and offsets, not waited for', async () => {
  const kafka = {
    highWatermarks: async () => [
      { topic: 'money', partition: 0, end: 50 },
      { topic: 'money', partition: 1, end: 70 },
    ],
    endOffsets: async () => [
      { topic: 'money', partition: 0, start: 0, end: 50 },
      { topic: 'money', partition: 1, start: 0, end: 40 },
    ],
  };
  const lines = await openTransactions(kafka, ['money'], 2);
  assert.equal(lines.length, 1);
  assert.match(
    lines[0]!,
    /^money, partition 1: a producer's transaction is open, so its 30 offsets from 40 to before 70 are not read/,
  );
});
