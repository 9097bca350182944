import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Client } from '@temporalio/client';
import type { Clock } from '../../../src/engine/clock.ts';
import { nudge, type Nudged } from '../../../src/tools/nudge/nudge.ts';

/** Time passes by waiting alone. */
function clockOf(): Clock & { readonly passed: () => number } {
  let now = 0;
  return {
    now: () => 1_700_000_000_000 + now,
    elapsed: () => now,
    sleep: async (ms: number) => void (now += ms),
    passed: () => now,
  } as unknown as Clock & { readonly passed: () => number };
}

/** So many workflows, each of which continues as new when it is signalled; those named do not, or their signal is refused. */
function given(workflows: number, { stuck = [], refusing = [] }: Record<string, readonly number[]> = {}) {
  const running = new Map(Array.from({ length: workflows }, (_, n) => [`app/${n}`, `run-${n}`]));
  const signalled: string[] = [];
  const client = {
    workflow: {
      async *list() {
        for (const [workflowId, runId] of [...running]) yield { workflowId, runId, searchAttributes: {} };
      },
      getHandle: (workflowId: string) => ({
        async signal() {
          const n = Number(workflowId.slice('app/'.length));
          if (refusing.includes(n)) {
            throw new Error('Failed to signal Workflow', {
              cause: new Error('exceeded workflow execution limit for signal events'),
            });
          }
          signalled.push(workflowId);
          if (!stuck.includes(n)) running.delete(workflowId);
        },
      }),
    },
  } as unknown as Client;
  const clock = clockOf();
  const run = (options: { rate?: number; patience?: number } = {}): Promise<Nudged> =>
    nudge(
      client,
      { appId: 'app', current: undefined, rate: 50, patience: 60_000, dryRun: false, ...options },
      clock,
      new AbortController().signal,
      () => undefined,
    );
  return { run, signalled, clock };
}

describe('nudge', () => {
  it('waits for workflows that take longer to signal than its patience is', async () => {
    const { run, clock } = given(5_000);
    assert.deepEqual(await run(), { found: 5_000, left: [], refused: new Map() });
    // At 50 a second.
    assert.ok(clock.passed() >= 100_000, `${clock.passed()} ms`);
  });

  it('names those that do not move, after its patience', async () => {
    const { run, clock } = given(20, { stuck: [7, 11] });
    assert.deepEqual((await run()).left, ['app/7', 'app/11']);
    assert.ok(clock.passed() > 60_000 && clock.passed() < 65_000, `${clock.passed()} ms`);
  });

  it('signals all others where one refuses its signal, and says which and why', async () => {
    const { run, signalled } = given(100, { refusing: [40] });
    assert.deepEqual(await run(), {
      found: 100,
      left: ['app/40'],
      refused: new Map([['app/40', 'exceeded workflow execution limit for signal events']]),
    });
    assert.equal(signalled.length, 99);
  });

  it('ends at once where no signal is taken at all', async () => {
    const { run, signalled, clock } = given(100, { refusing: Array.from({ length: 100 }, (_, n) => n) });
    await assert.rejects(run(), /^Error: Failed to signal Workflow/);
    assert.deepEqual(signalled, []);
    assert.ok(clock.passed() < 1_000, `${clock.passed()} ms`);
  });

  it('goes on where the first ten are refused and others are not', async () => {
    const { run } = given(100, { refusing: [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11] });
    assert.equal((await run()).refused.size, 11);
  });
});
