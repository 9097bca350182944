/** The worker of a shard on a real server: it takes users over whose workflows it does not have in memory, a few at a time. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../../src/engine/clock.ts';
import { dataConverter } from '../../../src/engine/temporal/payload-codec.ts';
import { silentLogger } from '../../../src/engine/log.ts';
import { replaySinks } from '../../../src/engine/worker/replay-sinks.ts';
import { ReplaySlots } from '../../../src/engine/worker/replay-slots.ts';
import { SpareThreads } from '../../../src/engine/worker/spare-threads.ts';
import { startShardWorker } from '../../../src/engine/worker/shard-worker.ts';
import { EVENTS_SIGNAL, WORKFLOW_TYPE, type EventBatch } from '../../../workflows/messages.ts';
import { stored } from '../../../src/engine/workflow/mark.ts';
import { money, RULES, T0 } from '../../money/domain/given.ts';
import { eventually } from '../../support/eventually.ts';
import { environment, FakeActivities } from '../../workflows/harness.ts';

const USERS = 12;

test('users of a shard that is taken over are replayed a few at a time, go on where they were, and new ones wait for no replay', async (t) => {
  const { env, client, bundle } = await environment('dev');
  const taskQueue = randomUUID();
  const users = Array.from({ length: USERS }, () => randomUUID());
  const signal = (userId: string, n: number): Promise<unknown> => {
    const batch: EventBatch = {
      partition: 0,
      lowWater: [0, 0, 0],
      rules: RULES,
      records: [money(n, { id: `${userId}-${n}`, ts: T0 + n })],
    };
    return client.workflow.signalWithStart(WORKFLOW_TYPE, {
      workflowId: userId,
      taskQueue,
      args: [stored('Start', { userId })],
      signal: EVENTS_SIGNAL,
      signalArgs: [stored('EventBatch', batch)],
    });
  };
  t.after(() =>
    Promise.all(
      users.map((userId) =>
        client.workflow
          .getHandle(userId)
          .terminate()
          .catch(() => undefined),
      ),
    ),
  );

  // Every look at this clock is ten seconds later: no waiting for a quiet moment.
  let seconds = 0;
  const threads = new SpareThreads({ ...systemClock, elapsed: () => (seconds += 10_000) }, silentLogger());
  t.after(() => threads.close());
  threads.expect(1);

  const first = await worker(t);
  for (let n = 0; n < 5; n += 1) {
    await Promise.all(users.map((userId) => signal(userId, n)));
    await eventually('all are published', () => first.published.size === USERS * (n + 1), 20_000);
  }
  assert.deepEqual(first.took, [], 'first tasks of new runs are no replays');
  await first.stop();
  await eventually('there is a spare thread', () => threads.spares === 1, 20_000);
  threads.expect(0);

  await Promise.all(users.map((userId) => signal(userId, 5)));
  const second = await worker(t);
  assert.equal(threads.spares, 0, 'taken by the worker');
  await eventually('they go on', () => second.published.size === USERS, 20_000);
  assert.equal(second.took.length, USERS);
  assert.ok(second.most > 0 && second.most <= second.slots.limit, `${second.most} at a time`);
  assert.equal(second.slots.replays, 0);
  for (const userId of users) assert.ok(second.published.has(`${userId}-5`));
  await second.stop();

  async function worker(test: TestContext) {
    const fake = new FakeActivities();
    const published = new Set<string>();
    fake.onPublish = ({ outputs }) => outputs.forEach(({ enriched }) => published.add(enriched.money.id));
    const took: number[] = [];
    const slots = new ReplaySlots(systemClock, { replayed: (ms) => took.push(ms) });
    const seen = { published, took, slots, most: 0 };
    const sinks = replaySinks({
      began(runId, isReplay) {
        slots.began(runId, isReplay);
        seen.most = Math.max(seen.most, slots.replays);
      },
      caughtUp: (runId) => slots.caughtUp(runId),
    });
    const { stop } = await startShardWorker({
      connection: env.nativeConnection,
      namespace: client.options.namespace,
      taskQueue,
      workflowBundle: bundle,
      dataConverter,
      activities: fake.activities,
      sinks: { ...sinks, notices: { count: { fn: () => undefined }, standing: { fn: () => undefined } } },
      replays: slots,
      maxCachedWorkflows: 100,
      threads,
      onFailure: (error) => assert.fail(String(error)),
    });
    test.after(stop);
    return {
      ...seen,
      get most() {
        return seen.most;
      },
      stop,
    };
  }
});
