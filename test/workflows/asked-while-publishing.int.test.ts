/**
 * A user is asked for its state while it publishes. The SDK (Core of 1.24) completes a task with the answer although a local activity runs, and
 * records what that has just answered before the workflow has heard of it: such a history cannot be replayed. So the answer waits
 * for what is published. What was recorded is replayed after each test (harness.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { BOUNDS } from '../../src/money/domain/bounds.ts';
import { money, T0 } from '../money/domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { WorkflowUser } from './harness.ts';

const USERS = 12;

/** Until it is stopped, several at a time; what is refused because too many ask at once is asked again. */
function asking(user: WorkflowUser): { stop(): Promise<number> } {
  let over = false;
  let answers = 0;
  const one = async (): Promise<void> => {
    while (!over) {
      await user.state().then(
        () => (answers += 1),
        () => wait(5),
      );
    }
  };
  const all = [one(), one(), one()];
  return {
    async stop() {
      over = true;
      await Promise.all(all);
      return answers;
    },
  };
}

/** Money that waits for a session, and the alarm for it: the second one rings before the first. */
async function hurry(user: WorkflowUser): Promise<void> {
  const rules = user as { rules: WorkflowUser['rules'] };
  user.fake.onPublish = async () => wait(40);
  await user.signal([money(0, { id: 'a', ts: T0 })]);
  const asked = asking(user);
  const signals: Promise<unknown>[] = [];
  rules.rules = { ...user.rules, pendingTimeout: 2_800 };
  for (let n = 1; n <= 10; n += 1) {
    signals.push(
      user.signal([
        money(2 * n, { id: `b${n}`, ts: T0 + n }),
        money(2 * n + 1, { id: `p${n}`, ts: T0 + n, session: 'later' }),
      ]),
    );
  }
  rules.rules = { ...user.rules, pendingTimeout: 600 };
  for (let n = 11; n <= 30; n += 1) {
    signals.push(
      user.signal([
        money(2 * n, { id: `c${n}`, ts: T0 + n }),
        money(2 * n + 1, { id: `q${n}`, ts: T0 + n, session: 'later' }),
      ]),
    );
    if (n % 10 === 0) rules.rules = { ...user.rules, pendingTimeout: 100 };
  }
  await Promise.all(signals);
  await eventually(
    'all is out',
    () => user.fake.outputs('applied').length === 31 && user.fake.outputs('resolved').length === 30,
    60_000,
  );
  assert.ok((await asked.stop()) > 0, 'nothing was answered');
}

test('users are asked all the time: all of it comes out once, and what was recorded replays', async (t) => {
  const users: WorkflowUser[] = [];
  for (let n = 0; n < USERS; n += 1) {
    users.push(await WorkflowUser.create(t, { server: 'dev', rules: { bounds: BOUNDS } }));
  }
  await Promise.all(users.map(hurry));
});
