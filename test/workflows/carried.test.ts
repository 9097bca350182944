import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canBeCarried, evictOldestDuplicates, MAX_DEDUP_ENTRIES } from '../../workflows/carried.ts';
import { newLife, type Life } from '../../workflows/life.ts';
import { defaultPayloadConverter } from '@temporalio/common';
import { stored } from '../../workflows/messages.ts';
import { dataConverter } from '../../src/payload-codec.ts';
import { randomUUID } from 'node:crypto';

function lifeWithDedup(count: number): Life {
  const life = newLife({ startedAt: 1, runId: 'run' });
  for (let n = 0; n < count; n += 1) life.user.dedup[randomUUID()] = 1_769_853_600_000 + n;
  return life;
}

test('the largest set of ids that is kept can be carried, and fits Temporal when it is compressed', async () => {
  const life = lifeWithDedup(MAX_DEDUP_ENTRIES);
  assert.ok(canBeCarried(life));
  let payloads = [defaultPayloadConverter.toPayload(stored('Start', { userId: randomUUID(), life }))!];
  for (const codec of dataConverter.payloadCodecs!) payloads = await codec.encode(payloads);
  const bytes = payloads[0]!.data!.length;
  assert.ok(bytes < 2_000_000, `${bytes} bytes`);
});

test('a state that is too large is not carried', () => {
  assert.ok(!canBeCarried(lifeWithDedup(80_000)));
  const life = newLife({ startedAt: 1, runId: 'run' });
  life.user.moneyTypes = ['x'.repeat(2_500_000)];
  assert.ok(!canBeCarried(life));
});

test('of too many ids the oldest are forgotten', () => {
  const dedup: Record<string, number> = { c: 3, a: 1, d: 4, b: 2 };
  assert.equal(evictOldestDuplicates(dedup, 2), 2);
  assert.deepEqual(dedup, { c: 3, d: 4 });
  assert.equal(evictOldestDuplicates(dedup, 2), 0);
});
