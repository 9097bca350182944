/** A query that comes while outputs are published is answered when that is done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { BOUNDS } from '../../src/money/domain/bounds.ts';
import { money, T0 } from '../money/domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { WorkflowUser } from './harness.ts';

test('who asks while it publishes is answered when that is done', async (t) => {
  const user = await WorkflowUser.create(t, { server: 'dev', rules: { bounds: BOUNDS } });
  user.fake.onPublish = async () => wait(1_000);
  await user.signal([money(0, { id: 'a', ts: T0 })]);
  await eventually('it publishes', () => user.fake.published.length === 1, 20_000);
  // Both come with the next task; that of the query alone would be answered after the first.
  await user.signal([money(1, { id: 'b', ts: T0 + 1 })]);
  const { counters } = await user.state();
  assert.equal(counters.published, 2);
});

test('while Kafka takes nothing for long, users are answered all the same', async (t) => {
  const user = await WorkflowUser.create(t, { server: 'dev', rules: { bounds: BOUNDS } });
  let isAway = true;
  user.fake.onPublish = () => {
    if (isAway) throw new Error('no broker');
  };
  await user.signal([money(0, { id: 'a', ts: T0 })]);
  await eventually('it publishes', () => user.fake.published.length > 0, 20_000);
  for (let n = 0; n < 4; n += 1) {
    const { counters } = await user.state();
    assert.equal(counters.published, 0);
  }
  isAway = false;
  await user.hasPublished(
    'applied',
    user.fake.outputs('applied')[0] ?? (await eventually('it is out', () => user.fake.outputs('applied')[0], 20_000)),
  );
  // The workflow hears of it when the worker has told the server, a moment after it is out.
  await eventually('the state says so', async () => (await user.state()).counters.published === 1, 20_000);
});
