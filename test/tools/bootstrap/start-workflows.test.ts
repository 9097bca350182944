import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { WorkflowClient } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import type { Clock } from '../../../src/engine/clock.ts';
import { silentLogger } from '../../../src/engine/log.ts';
import { startWorkflows } from '../../../src/tools/bootstrap/start-workflows.ts';
import type { Snapshot } from '../../../workflows/life.ts';

const USERS = ['0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11', '1b7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11'];
const SNAPSHOTS = USERS.map((userId) => ({ userId, life: {} }) as unknown as Snapshot);

/** Time passes by waiting alone; `start` is what the server does. */
function given(start: (workflowId: string, attempt: number) => void) {
  let now = 0;
  let attempts = 0;
  const clock = {
    now: () => now,
    elapsed: () => now,
    sleep: async (ms: number) => void (now += ms),
  } as unknown as Clock;
  const client = {
    withDeadline: async (_deadline: number, run: () => Promise<unknown>) => run(),
    start: async (_type: string, { workflowId }: { workflowId: string }) => start(workflowId, ++attempts),
  } as unknown as WorkflowClient;
  const reasons: string[] = [];
  const sum = { started: 0, there: 0 };
  const run = () =>
    startWorkflows(
      SNAPSHOTS,
      { config: { appId: 'app' }, shards: 4, rate: 1_000, name: 'mine' },
      { client, clock, logger: silentLogger(), onRetry: (reason) => reasons.push(reason) },
      new AbortController().signal,
      sum,
    );
  return { run, reasons, sum, attempts: () => attempts };
}

describe('workflows that are started with their state', () => {
  it('end with what to do where the namespace does not exist', async () => {
    const { run, attempts } = given(() => {
      throw new NamespaceNotFoundError('money');
    });
    await assert.rejects(run(), {
      code: 'UNREACHABLE',
      message: /^Namespace not found: 'money': name another one \(TEMPORAL_NAMESPACE\), or create it$/,
    });
    assert.ok(attempts() <= USERS.length, `${attempts()}`);
  });

  it('are tried again while the server is away, and it is said why', async () => {
    const { run, reasons, sum } = given((_, attempt) => {
      if (attempt <= 10) throw new Error('14 UNAVAILABLE: no connection');
    });
    await run();
    assert.deepEqual(sum, { started: 2, there: 0 });
    assert.equal(reasons.length, 10);
    assert.equal(reasons[0], 'a workflow could not be started, and is tried again: 14 UNAVAILABLE: no connection');
  });
});
