import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordFound } from '../../../src/engine/kafka/port.ts';
import { EndToEnd } from '../../../src/money/worker/end-to-end.ts';

function given(found: () => RecordFound) {
  const seen: unknown[] = [];
  const asked: string[] = [];
  let elapsed = 0;
  const measured = new EndToEnd({
    topic: 'wallet',
    clock: { now: () => 100_000 + elapsed, elapsed: () => elapsed },
    kafka: {
      recordAt: async ({ topic, partition }, offset) => {
        asked.push(`${topic}/${partition}/${offset}`);
        return found();
      },
    },
    seconds: { observe: ((labels: object, value: number) => seen.push({ ...labels, value })) as never },
  });
  const commit = (offset: number) =>
    measured.committed({
      headers: { stream: 'applied', 'source-partition': '2', 'source-offset': String(offset) },
    });
  return { seen, asked, commit, pass: (ms: number) => (elapsed += ms) };
}

test('one output a second is measured, from the timestamp of its money record', async () => {
  const { seen, asked, commit, pass } = given(() => ({ timestamp: 76_500, key: null, value: null }));
  await commit(7);
  await commit(8);
  pass(1_000);
  await commit(9);
  assert.deepEqual(asked, ['wallet/2/7', 'wallet/2/9']);
  assert.deepEqual(seen, [
    { stream: 'applied', value: 23.5 },
    { stream: 'applied', value: 24.5 },
  ]);
});

test('what may not be read is not asked for again for ten minutes', async () => {
  const { seen, asked, commit, pass } = given(() => undefined);
  await commit(7);
  pass(599_999);
  await commit(8);
  pass(1);
  await commit(9);
  assert.deepEqual([asked, seen], [['wallet/2/7', 'wallet/2/9'], []]);
});
