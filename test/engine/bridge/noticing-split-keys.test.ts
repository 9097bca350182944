import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch, Signaller } from '../../../src/engine/bridge/signaller.ts';
import { noticingSplitKeys } from '../../../src/engine/bridge/noticing-split-keys.ts';
import { createLogger } from '../../../src/engine/log.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const [U, V] = ['0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11', '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c12'];
const batch = (partition: number) => ({ partition, lowWater: [0, 0, 0], rules: {}, records: [] }) as never;

test('a key that is signalled from two partitions is counted each time, said once a minute, and signalled all the same', async () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const sent: number[] = [];
  const splits: unknown[] = [];
  const signaller = noticingSplitKeys(
    new (class implements Signaller {
      signal = async (_: string, { partition }: Batch): Promise<void> => void sent.push(partition);
      history = async (): Promise<null> => null;
      workflowIdOf(key: string): string {
        return `app/${key}`;
      }
    })(),
    {
      clock,
      logger: createLogger({ level: 'warn', destination: { write: (line) => lines.push(line) } }),
      onSplit: (key, partitions) => void splits.push([key, ...partitions]),
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
  assert.deepEqual(splits, [
    [U, 1, 3],
    [U, 1, 3],
  ]);
  assert.deepEqual([lines.length, sent], [1, [1, 2, 1, 3, 3]]);
  const { workflowId, partitions } = JSON.parse(lines[0]!) as Record<string, unknown>;
  assert.deepEqual([workflowId, partitions], [`app/${U}`, [1, 3]]);
  clock.advance(60_000);
  await signaller.signal(U, batch(3));
  assert.equal(lines.length, 2);
});
