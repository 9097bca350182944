import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { questionActivity } from '../../../src/engine/worker/question-activity.ts';

test('the answer, and null for none', async () => {
  const environment = new MockActivityEnvironment();
  const ask = questionActivity((question: never) => Promise.resolve(question === 'a' ? 'b' : undefined));
  assert.equal(await environment.run(ask, { question: 'a' }), 'b');
  assert.equal(await environment.run(ask, { question: 'c' }), null);
});

test('what is thrown is no answer, and asked again', async () => {
  const ask = questionActivity(() => Promise.reject(new Error('away')));
  await assert.rejects(
    new MockActivityEnvironment().run(ask, { question: 'a' }),
    (error: unknown) =>
      error instanceof ApplicationFailure &&
      error.type === 'NoAnswer' &&
      error.nonRetryable !== true &&
      error.message === 'No answer: away',
  );
});

test('an attempt that nobody waits for any more ends, also where the question never does', async () => {
  const environment = new MockActivityEnvironment();
  let told: AbortSignal | undefined;
  const ask = questionActivity((_: never, signal) => {
    told = signal;
    return new Promise(() => undefined);
  });
  const ended = environment.run(ask, { question: 'a' });
  environment.cancel();
  await assert.rejects(ended, CancelledFailure);
  assert.equal(told?.aborted, true);
});
