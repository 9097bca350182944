import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkflowNotFoundError, type WorkflowClient } from '@temporalio/client';
import { createTemporalSignaller } from '../../../src/money/bridge/temporal-signaller.ts';

/** Whose workflow is in this state. */
function signaller(describe: () => Promise<object>) {
  const client = { getHandle: () => ({ describe }), withDeadline: (_: number, run: () => Promise<unknown>) => run() };
  return createTemporalSignaller(client as unknown as WorkflowClient, { appId: 'app' }, 1);
}

const described = (name: string, raw: object = {}) =>
  signaller(async () => ({ status: { name }, historyLength: 8_001, historySize: 7, raw })).history(
    '00000000-0000-4000-8000-000000000001',
  );

describe('the history of a user', () => {
  for (const name of ['RUNNING', 'PAUSED']) {
    it(`is that of a workflow that is ${name}: it takes signals, and grows`, async () =>
      assert.deepEqual(await described(name), { events: 8_001, bytes: 7, busy: false }));
  }

  it('is that of a busy workflow while a task of it waits or is under way', async () =>
    assert.deepEqual(await described('RUNNING', { pendingWorkflowTask: { state: 1 } }), {
      events: 8_001,
      bytes: 7,
      busy: true,
    }));

  for (const name of ['COMPLETED', 'TERMINATED', 'FAILED']) {
    it(`is none where the workflow is ${name}: the next signal starts another`, async () =>
      assert.equal(await described(name), null));
  }

  it('is none where there is no workflow yet', async () =>
    assert.equal(
      await signaller(() => Promise.reject(new WorkflowNotFoundError('no', 'app/1', undefined))).history(
        '00000000-0000-4000-8000-000000000001',
      ),
      null,
    ));

  it('is not known where Temporal does not answer', () =>
    assert.rejects(
      signaller(() => Promise.reject(new Error('away'))).history('00000000-0000-4000-8000-000000000001'),
      /away/,
    ));
});
