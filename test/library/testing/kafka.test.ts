/** Kafka in memory keeps the promises of the port, by the suite that a real Kafka is held to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { judge } from '../judge.ts';

test('it passes the conformance suite, but for what breaks connections or waits for a time-out', async () => {
  const { passed, skipped, failed } = await judge(fileURLToPath(new URL('./kafka-suite.ts', import.meta.url)));
  assert.deepEqual(failed, []);
  assert.equal(passed.length, 20);
  assert.deepEqual(
    skipped.map((title) => title.split(' # SKIP ')[1]).sort(),
    [
      ...['kill', 'kill', 'losing', 'losing', 'losing', 'losing', 'restart', 'restart', 'restart'],
      'transactionTimeout',
    ].map((need) => `it needs ${need}`),
  );
});
