/**
 * A person pauses a workflow, and lets it go on ("temporal workflow pause", an experiment of Temporal's server that it has switched
 * off by default): its user's money waits, and comes out once.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createTemporalSignaller } from '../../src/money/bridge/temporal-signaller.ts';
import { checkPaused } from '../../src/tools/doctor/paused.ts';
import { WORKFLOW_TYPE } from '../../workflows/messages.ts';
import { money, T0 } from '../money/domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { WorkflowUser } from './harness.ts';

const at = (n: number, id: string, session?: string) =>
  money(n, { id, ts: T0 + n, ...(session === undefined ? {} : { session }) });

test('money of a paused workflow waits, that of others comes out; when it goes on all of it comes out once, in order', async (t) => {
  const [paused, other] = [
    await WorkflowUser.create(t, { server: 'dev' }),
    await WorkflowUser.create(t, { server: 'dev' }),
  ];
  await paused.signal([at(0, 'a')]);
  await other.signal([at(0, 'x')]);
  await eventually(
    'both are there',
    () => paused.fake.outputs('applied').length === 1 && other.fake.outputs('applied').length === 1,
    20_000,
  );

  await paused.pause();
  for (const [n, id] of [
    [1, 'b'],
    [2, 'c'],
    [3, 'd'],
  ] as const) {
    await paused.signal([at(n, id)]);
  }
  await other.signal([at(1, 'y')]);
  await eventually('the other goes on', () => other.fake.outputs('applied').length === 2, 20_000);
  await wait(2_000);
  assert.equal(paused.fake.outputs('applied').length, 1);

  await paused.unpause();
  await eventually('it goes on', () => paused.fake.outputs('applied').length === 4, 20_000);
  assert.deepEqual(
    paused.fake.outputs('applied').map((output) => output.split(' ')[0]),
    ['a', 'b', 'c', 'd'],
  );
  await paused.signal([at(4, 'e')]);
  await eventually('and so does what comes later', () => paused.fake.outputs('applied').length === 5, 20_000);
});

test('a workflow that is paused while it publishes, and while it waits for a session, publishes what it owes once', async (t) => {
  const user = await WorkflowUser.create(t, { server: 'dev' });
  let answer: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    user.fake.onPublish = async () => {
      resolve();
      await new Promise<void>((done) => (answer = done));
    };
  });
  await user.signal([at(0, 'a'), money(1, { id: 'b', ts: T0 + 1, session: 'unknown', old: true })]);
  await asked;
  await user.pause();
  user.fake.onPublish = () => undefined;
  answer();
  await user.signal([at(2, 'c')]);
  await wait(2_000);
  await user.unpause();
  await eventually(
    'all is out',
    () => user.fake.outputs('applied').length === 2 && user.fake.outputs('resolved').length === 1,
    30_000,
  );
  assert.deepEqual(
    user.fake.outputs('applied').map((output) => output.split(' ')[0]),
    ['a', 'c'],
  );
});

test('the history of a paused workflow is looked at like that of one that runs: its signals stop before the limits of Temporal', async (t) => {
  const user = await WorkflowUser.create(t, { server: 'dev' });
  await user.signal([at(0, 'a')]);
  await eventually('it is there', () => user.fake.outputs('applied').length === 1, 20_000);
  await user.pause();
  await user.signal([at(1, 'b')]);
  const signaller = createTemporalSignaller(
    { getHandle: () => user.handle, withDeadline: (_: unknown, work: () => unknown) => work() } as never,
    { appId: 'app' },
    1,
  );
  // The signal is in the history only when the task that published is complete.
  await eventually(
    'its history is told',
    async () => {
      const history = await signaller.history(user.userId);
      return history !== null && history.events >= 5 && history.bytes > 0;
    },
    20_000,
  );
  await user.unpause();
});

test('doctor says how many workflows of its app id are paused', async (t) => {
  const user = await WorkflowUser.create(t, { server: 'dev' });
  await user.signal([at(0, 'a')]);
  const appId: string = `app-${randomUUID().slice(0, 8)}`;
  assert.deepEqual(await checkPaused(user.client.workflow, appId), []);
  const handle = await user.client.workflow.start(WORKFLOW_TYPE, {
    workflowId: `${appId}/somebody`,
    taskQueue: 'nobody',
    args: [],
  });
  t.after(() => handle.terminate());
  await user.pause(handle.workflowId);
  const [finding] = await eventually('it is listed', async () => {
    const findings = await checkPaused(user.client.workflow, appId);
    return findings.length > 0 && findings;
  });
  assert.deepEqual([finding!.level, finding!.subject], ['warning', 'paused workflows']);
  assert.match(
    finding!.message,
    /^1: the money of these users waits until somebody runs "temporal workflow unpause"; they are listed by temporal workflow list --query "/,
  );
  const refused = Object.assign(new Error('3 INVALID_ARGUMENT'), {
    code: 3,
    details: 'invalid ExecutionStatus',
    metadata: {},
  });
  assert.deepEqual(
    await checkPaused({ count: () => Promise.reject(new Error('failed to count', { cause: refused })) }, appId),
    [],
  );
  const [unknown] = await checkPaused({ count: () => Promise.reject(new Error('no answer')) }, appId);
  assert.deepEqual([unknown!.level, unknown!.message], ['warning', 'how many there are is not known: no answer']);
});
