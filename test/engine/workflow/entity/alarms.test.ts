/** Which timers an entity starts: each is an action of Temporal's, and a task when it rings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainEntity, type PlainEntity } from '../../../../src/engine/workflow/entity/plain.ts';
import { runEntity } from '../../../../src/engine/workflow/entity/run-entity.ts';
import { WorkflowInMemory } from '../../../../src/library/testing/workflow.ts';

const HOUR = 3_600_000;
const AT = 1_700_000_000_000;

type Wake = { readonly eventTime?: number; readonly wallClock?: number };

/** Waits from its first record on for what `wake` says. */
const waiting = (wake: Wake): PlainEntity<{ begun: boolean }, number, { readonly says: string }, never, never> => ({
  initial: () => ({ begun: false }),
  apply: (state) => void (state.begun = true),
  wakeAt: ({ begun }) => (begun ? wake : {}),
});

async function commandsOf(wake: Wake) {
  const start = { workflowId: 'app/k', runId: 'r', incarnation: { startedAt: AT, runId: 'r' }, taskQueue: 'q' };
  const workflow = new WorkflowInMemory({ ...start, continued: false, argument: '{"key":"k"}' }, (port, argument) =>
    runEntity(port, plainEntity(waiting(wake)), argument),
  );
  const record = { input: 0, offset: 0, ts: AT, event: 1 };
  const batch = JSON.stringify({ key: 'k', partition: 0, lowWater: [0], rules: {}, records: [record] });
  return workflow.perform({ at: AT, jobs: [{ type: 'signal', batch }] }, () => ({ ok: true, value: 'null' }));
}

test('what waits for the wall clock alone sleeps until then', async () => {
  const timers = (await commandsOf({ wallClock: AT + HOUR })).filter(({ type }) => type === 'startTimer');
  assert.deepEqual(
    timers.map((timer) => 'ms' in timer && timer.ms),
    [HOUR],
  );
});

test('what waits for event time has its watermark watched after 3 s, whatever it waits for besides', async () => {
  for (const wake of [{ eventTime: AT + HOUR }, { eventTime: AT + HOUR, wallClock: AT + 2 * HOUR }]) {
    const timers = (await commandsOf(wake)).filter(({ type }) => type === 'startTimer');
    assert.deepEqual(
      timers.map((timer) => 'ms' in timer && timer.ms),
      [3_000],
    );
  }
});
