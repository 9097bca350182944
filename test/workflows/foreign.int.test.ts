/** What people and tools send to a user's workflow: later money comes out all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineSignal, defineUpdate } from '@temporalio/workflow';
import { money, session, T0 } from '../money/domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { WorkflowUser } from './harness.ts';

test('signals with any payload, signals and updates of any name, and a cancellation are dropped and counted', async (t) => {
  const user = await WorkflowUser.create(t, { server: 'dev' });
  await user.signal([money(0, { id: 'a', ts: T0 })]);
  await user.hasPublished('applied', 'a first');
  const { handle } = user;
  for (const argument of [undefined, null, 'x', 7, [], {}, { partition: -1 }, 'x'.repeat(100_000)]) {
    await handle.signal('events', argument);
  }
  await handle.signal('events');
  await handle.signal(defineSignal('unknown'));
  await handle.signal(defineSignal('__temporal_unknown'));
  await handle.cancel();
  await assert.rejects(handle.executeUpdate(defineUpdate('unknown')), /./);
  await user.signal([money(1, { id: 'b', ts: T0 + 1 })]);
  await user.hasPublished('applied', 'a first', 'b');
  await eventually('all are counted', async () => (await user.state()).counters.notOurs === 13);
});

test('a silent user that somebody signals without end continues as new all the same, and its money comes out', async (t) => {
  const user = await WorkflowUser.create(t, { server: 'dev' });
  await user.signal([session(0, 's', T0, 'SE'), money(0, { id: 'a', ts: T0, session: 's' })]);
  await user.hasPublished('applied', 'a =SE first');
  const firstRun = await user.runId();
  for (let n = 0; n < 150; n += 1) await user.handle.signal(defineSignal('unknown'));
  await eventually('it has continued', async () => (await user.runId()) !== firstRun);
  await user.signal([money(1, { id: 'b', ts: T0 + 1, session: 's' })]);
  await user.hasPublished('applied', 'a =SE first', 'b =SE');
  await eventually('all are counted', async () => (await user.state()).counters.notOurs === 150);
});
