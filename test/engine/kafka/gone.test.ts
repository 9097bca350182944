import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchGone, type Awaited } from '../../../src/engine/kafka/gone.ts';

const until = async (check: () => boolean) => {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 1));
};

function watching(start: () => Promise<number>, next: number) {
  const gone: [Awaited, number][] = [];
  const errors: unknown[] = [];
  const kafka = { endOffsets: async () => [{ topic: 't', partition: 2, start: await start(), end: 100 }] };
  const stop = watchGone(kafka, {
    awaited: () => [{ topic: 't', partition: 2, next }],
    onGone: (what, from) => gone.push([what, from]),
    onError: (error) => errors.push(error),
    interval: 1,
  });
  return { gone, errors, stop };
}

const SOON = { timeout: 10_000 };

test(
  'records that are deleted while a reader waits for them are noticed, though no batch ever comes',
  SOON,
  async (t) => {
    let start = 30;
    let asked = 0;
    const { gone, stop } = watching(async () => ((asked += 1), start), 40);
    t.after(stop);
    await until(() => asked > 2);
    assert.deepEqual(gone, []);
    start = 41;
    await until(() => gone.length > 0);
    assert.deepEqual(gone[0], [{ topic: 't', partition: 2, next: 40 }, 41]);
  },
);

test('a Kafka that cannot say it is an error of the reader', SOON, async (t) => {
  const { errors, stop } = watching(() => Promise.reject(new Error('away')), 40);
  t.after(stop);
  await until(() => errors.length > 0);
  assert.match(String(errors[0]), /away/);
});
