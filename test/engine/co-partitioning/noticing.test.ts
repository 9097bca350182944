import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noticingSplitKeys } from '../../../src/engine/co-partitioning/noticing.ts';
import { createLogger } from '../../../src/engine/log.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const [U, V] = ['0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11', '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c12'];
const batch = (partition: number) => ({ partition, lowWater: [0, 0, 0], rules: {}, records: [] }) as never;

test('a user that is signalled from two partitions is counted each time, said once a minute, and signalled all the same', async () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const sent: number[] = [];
  let splits = 0;
  const signaller = noticingSplitKeys(
    { signal: async (_, { partition }) => void sent.push(partition), history: async () => null },
    {
      clock,
      logger: createLogger({ level: 'warn', destination: { write: (line) => lines.push(line) } }),
      workflowId: (userId) => `app/${userId}`,
      onSplit: () => (splits += 1),
    },
  );
  for (const [user, partition] of [
    [U, 1],
    [V, 2],
    [U, 1],
    [U, 3],
    [U, 3],
  ] as const) {
    await signaller.signal(user, batch(partition));
  }
  assert.deepEqual([splits, lines.length, sent], [2, 1, [1, 2, 1, 3, 3]]);
  const { workflowId, partitions } = JSON.parse(lines[0]!) as Record<string, unknown>;
  assert.deepEqual([workflowId, partitions], [`app/${U}`, [1, 3]]);
  clock.advance(60_000);
  await signaller.signal(U, batch(3));
  assert.equal(lines.length, 2);
});
