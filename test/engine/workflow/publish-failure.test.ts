import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finalFailureOf, lastBeforeReset, taskFailure } from '../../../src/engine/workflow/publish-failure.ts';

const failure = (type: string, details?: unknown[]): Error => Object.assign(new Error(type), { type, details });
const within = (cause: unknown): Error => new Error('activity', { cause: new Error('task', { cause }) });

test('what no repetition by the same process mends is found among the causes', () => {
  for (const type of ['ShardNotOwned', 'SequenceGap', 'StaleIncarnation', 'Divergence', 'WorkflowReset']) {
    const final = failure(type);
    assert.equal(finalFailureOf(final), final);
    assert.equal(finalFailureOf(within(final)), final);
  }
});

test('what a repetition mends, and what is no failure of publishing, is none', () => {
  for (const error of [failure('OutputRefused'), failure('PublishFailed'), within(new Error('x')), 'text', undefined]) {
    assert.equal(finalFailureOf(error), undefined);
    assert.equal(lastBeforeReset(error), undefined);
  }
  assert.equal(finalFailureOf({ type: 'ShardNotOwned' }), undefined);
});

test('a reset says after which number the workflow goes on', () => {
  assert.equal(lastBeforeReset(within(failure('WorkflowReset', [7]))), 7);
  assert.equal(lastBeforeReset(failure('WorkflowReset', ['7'])), undefined);
  assert.equal(lastBeforeReset(failure('WorkflowReset', [])), undefined);
  assert.equal(lastBeforeReset(failure('WorkflowReset')), undefined);
  assert.equal(lastBeforeReset(failure('SequenceGap', [7])), undefined);
});

test('a task fails with what was done, why, and the cause', () => {
  const cause = new Error('no broker');
  const error = taskFailure('Publishing', cause);
  assert.deepEqual([error.message, error.cause], ['Publishing: no broker', cause]);
  assert.equal(taskFailure('Publishing', 'text').message, 'Publishing: text');
});
