import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionOf } from '../../src/engine/kafka/partitioner.ts';
import { eventually } from '../../test/support/eventually.ts';
import { INPUTS, moneyTraffic } from './apps/money/traffic.ts';
import { startTraffic } from './traffic.ts';

const plan = { seed: 3, users: 12, partitions: 3, rate: 400, seconds: 30 };

test('a partition that cannot be written holds up no other, and gets its records in their order later', async (t) => {
  const written = new Map<string, number[]>();
  let broken = true;
  const traffic = startTraffic(moneyTraffic(plan), plan.partitions, async (input, records, partition) => {
    if (partition === 1 && broken) throw new Error('no leader');
    for (const { key, timestamp } of records) {
      if (key !== null) assert.equal(partitionOf(key, plan.partitions), partition);
      const log = `${INPUTS[input]} ${partition}`;
      written.set(log, [...(written.get(log) ?? []), timestamp!]);
    }
  });
  t.after(() => traffic.abandon());
  await eventually(
    'several slices of the others',
    () => (written.get('money 0')?.length ?? 0) > 50 && (written.get('money 2')?.length ?? 0) > 50,
  );
  assert.equal(written.get('user 1'), undefined);
  broken = false;
  await traffic.end();
  assert.ok((written.get('money 1')?.length ?? 0) > 50);
  for (const [log, times] of written) {
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
      log,
    );
  }
});
