/** Lookups whose give-up time passes, on a real server: it ends the call with a time-out, and tells what the last attempt had said. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import proto from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { dataConverter } from '../../src/engine/temporal/payload-codec.ts';
import { money, SECOND, T0, USER } from '../money/domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { noAnswer, WorkflowUser } from './harness.ts';

const { History } = proto.temporal.api.history.v1;
const RECORDED = new URL('histories/given-up-before-0.3.history', import.meta.url);

test('who was asked for in time is not asked for again after it', { timeout: 60_000 }, async (t) => {
  const user = await WorkflowUser.create(t, { server: 'dev', rules: { lookupGiveUpAfter: 3 * SECOND } });
  user.fake.onLookup = noAnswer;
  await user.signal([money(0, { id: 'm', ts: T0, session: 's', old: true })]);
  await eventually('it was asked for', () => user.fake.lookups.length > 0);
  // The end of the call is heard of a second late: what the last attempt said is all that tells that it was asked for in time.
  await user.pause();
  await sleep(4 * SECOND);
  await user.unpause();
  await user.hasPublished('resolved', 'm ! first');
  const calls = (await user.histories())
    .flatMap(({ events }) => events ?? [])
    .filter(({ activityTaskScheduledEventAttributes: call }) => call?.activityType?.name === 'lookupSessions');
  assert.equal(calls.length, 1);
});

test('a run that was recorded when nobody saw that replays: it asks once more', { timeout: 60_000 }, async () => {
  const history = History.decode(await readFile(RECORDED));
  const ofCalls = history.events.filter(
    ({ activityTaskScheduledEventAttributes: call }) => call?.activityType?.name === 'lookupSessions',
  );
  assert.equal(ofCalls.length, 2);
  const logger = new DefaultLogger('ERROR', () => undefined);
  const workflowsPath = new URL('../../workflows/index.ts', import.meta.url).pathname;
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger });
  await Worker.runReplayHistory({ workflowBundle, dataConverter }, history, USER);
});
