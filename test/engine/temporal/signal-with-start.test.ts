import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { WorkflowClient } from '@temporalio/client';
import { signalWithStart, type SignalWithStart } from '../../../src/engine/temporal/signal-with-start.ts';
import type { Batch } from '../../../src/engine/bridge/signaller.ts';

const batch: Batch = { partition: 3, lowWater: [7], rules: null, records: [], key: 'a-1' };
const TO: SignalWithStart = {
  workflowType: 'account',
  workflowId: (key) => `account/${key}`,
  taskQueue: 'accounts',
};

/** What Temporal's client is asked for. */
async function askedFor(to: SignalWithStart): Promise<unknown[]> {
  const asked: unknown[] = [];
  const client = {
    signalWithStart: async (...request: unknown[]) => void asked.push(...request),
    withDeadline: (_: number, run: () => Promise<unknown>) => run(),
  };
  await signalWithStart(client as unknown as WorkflowClient, to).signal('a-1', batch);
  return asked;
}

describe('a signal with a start', () => {
  it('brings the batch as `events`, to a workflow that is started without arguments', async () =>
    assert.deepEqual(await askedFor(TO), [
      'account',
      { workflowId: 'account/a-1', taskQueue: 'accounts', args: [], signal: 'events', signalArgs: [batch] },
    ]));

  it('brings what the batch is made into, and starts with what people ask for', async () =>
    assert.deepEqual(
      await askedFor({
        ...TO,
        taskQueue: (key) => `accounts-of-${key}`,
        args: (key) => [{ key }],
        signal: 'paid',
        payload: ({ partition }) => partition,
        staticSummary: 'an account',
      }),
      [
        'account',
        {
          workflowId: 'account/a-1',
          taskQueue: 'accounts-of-a-1',
          staticSummary: 'an account',
          args: [{ key: 'a-1' }],
          signal: 'paid',
          signalArgs: [3],
        },
      ],
    ));
});
