import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallOptions } from '../../../../src/engine/workflow/entity/port.ts';
import { publishDurably, publishLocally, type Answers } from '../../../../src/engine/workflow/entity/publishing.ts';
import type { PublishRequest } from '../../../../src/engine/workflow/publish-request.ts';

const soon = () => new Promise((resolve) => setImmediate(resolve));
const final = (type: string, details?: unknown[]): Error => Object.assign(new Error('no'), { type, details });

function given(outputs = 2) {
  const request: PublishRequest = {
    key: 'k',
    incarnation: { startedAt: 1, runId: 'r' },
    stream: 'applied',
    first: 4,
    outputs: Array.from({ length: outputs }, (_, n) => ({ partition: 0, offset: n })),
  };
  const calls: {
    name: string;
    input: object;
    options: CallOptions;
    resolve(a?: unknown): void;
    reject(e: unknown): void;
  }[] = [];
  const log: unknown[] = [];
  const port = {
    timer: (ms: number) => {
      log.push(`mark ${ms}`);
      return () => void log.push('unmark');
    },
    call: <T>(name: string, input: object, options: CallOptions) => {
      let settle!: { resolve(value: T): void; reject(error: unknown): void };
      const result = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
      calls.push({ name, input, options, resolve: (a) => settle.resolve(a as T), reject: settle.reject });
      return { result, cancel: () => assert.fail('nothing is cancelled') };
    },
  };
  const answers: Answers = {
    published: (answer) => void log.push(['published', answer]),
    reset: (last) => void log.push(['reset', last]),
    fail: ({ message }) => void log.push(['fail', message]),
  };
  return { port, calls, log, answers, asked: { request, input: { written: true } } };
}

test('it is published by a local activity of some seconds and attempts, which does not repeat what is final', async () => {
  const { port, calls, log, answers, asked } = given();
  publishLocally(port, asked, answers, { marked: false });
  const { name, input, options } = calls[0]!;
  assert.deepEqual([name, input, options.local], ['publish', { written: true }, true]);
  assert.deepEqual([options.startToCloseTimeout, options.scheduleToCloseTimeout], [7_000, 7_000]);
  assert.deepEqual(options.retry, {
    initialInterval: 50,
    maximumInterval: 2_000,
    maximumAttempts: 6,
    nonRetryableErrorTypes: ['ShardNotOwned', 'SequenceGap', 'StaleIncarnation', 'Divergence', 'WorkflowReset'],
  });
  calls[0]!.resolve({ at: 3 });
  await soon();
  assert.deepEqual([log, calls.length], [[['published', { at: 3 }]], 1]);
});

test('a timer stands while it is under way, where it is marked', async () => {
  for (const settle of ['resolve', 'reject'] as const) {
    const { port, calls, log, answers, asked } = given();
    publishLocally(port, asked, answers, { marked: true });
    assert.deepEqual(log, ['mark 86400000']);
    calls[0]![settle](final('SequenceGap'));
    await soon();
    assert.deepEqual([log.length, log[1]], [3, 'unmark']);
  }
});

test('where Kafka takes nothing for some seconds a regular activity goes on', async () => {
  const { port, calls, log, answers, asked } = given();
  publishLocally(port, asked, answers, { marked: false });
  calls[0]!.reject(new Error('timed out'));
  await soon();
  assert.deepEqual(log, []);
  const { name, input, options } = calls[1]!;
  assert.deepEqual([name, input], ['publish', { written: true }]);
  assert.deepEqual(options, {
    startToCloseTimeout: 10_000,
    retry: { initialInterval: 200, maximumInterval: 5_000 },
    summary: 'publish 2 outputs, from number 4 on',
  });
  calls[1]!.resolve();
  await soon();
  assert.deepEqual(log, [['published', undefined]]);
});

test('a single output is called one', () => {
  const { port, calls, answers, asked } = given(1);
  publishDurably(port, asked, answers);
  assert.equal(calls[0]!.options.summary, 'publish 1 output, from number 4 on');
});

for (const publish of [publishDurably, publishLocally]) {
  test(`what is final fails the task, and a reset goes on after its number: ${publish.name}`, async () => {
    const { port, calls, log, answers, asked } = given();
    publish(port, asked, answers, { marked: false });
    calls[0]!.reject(final('StaleIncarnation'));
    publish(port, asked, answers, { marked: false });
    calls[1]!.reject(final('WorkflowReset', [9]));
    await soon();
    assert.deepEqual(log, [
      ['fail', 'Publishing 2 applied outputs from 4 on: no'],
      ['reset', 9],
    ]);
    assert.equal(calls.length, 2);
  });
}
