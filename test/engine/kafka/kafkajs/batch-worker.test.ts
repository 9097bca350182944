import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { batchWorker, type BatchWorker } from '../../../../src/engine/kafka/kafkajs/batch-worker.ts';

type CreateQueue = (options: { workers: readonly BatchWorker<string>[] }) => { push(batch: string): Promise<void> };
const createQueue = createRequire(import.meta.url)('kafkajs/src/consumer/workerQueue') as CreateQueue;

const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve));

test('a batch that comes in any moment around the end of the one before it is handled', async () => {
  for (let steps = 0; steps < 20; steps += 1) {
    let release: () => void = () => undefined;
    const handled: string[] = [];
    const handler = async (batch: string): Promise<void> => {
      handled.push(batch);
      if (batch === 'a') await new Promise<void>((resolve) => (release = resolve));
    };
    const queue = createQueue({ workers: [batchWorker({ handler, workerId: 0 })] });
    const first = queue.push('a');
    await turnOfTheLoop();
    release();
    for (let step = 0; step < steps; step += 1) await undefined;
    const second = queue.push('b');
    await turnOfTheLoop();
    assert.deepEqual(handled, ['a', 'b'], `${steps} steps after the end`);
    await Promise.all([first, second]);
  }
});

test('one batch at a time, in their order, and the failure of one is its own', async () => {
  let under = 0;
  const handled: string[] = [];
  const handler = async (batch: string): Promise<void> => {
    under += 1;
    assert.equal(under, 1);
    await turnOfTheLoop();
    under -= 1;
    handled.push(batch);
    if (batch === 'b') throw new Error('of b');
  };
  const queue = createQueue({ workers: [batchWorker({ handler, workerId: 0 })] });
  const results = await Promise.allSettled(['a', 'b', 'c'].map((batch) => queue.push(batch)));
  assert.deepEqual(handled, ['a', 'b', 'c']);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});
