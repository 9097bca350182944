/** What was published before was for fewer signals than come together now: the others are applied and published after it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { money, T0 } from '../money/domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { WorkflowUser } from './harness.ts';

const at = (n: number, id: string) => money(n, { id, ts: T0 + n });

test('a publish that is answered for one of three signals is followed by one for the others', async (t) => {
  const user = await WorkflowUser.create(t);
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  user.fake.onPublish = () => held;
  await user.signal([at(0, 'a')]);
  await eventually('it publishes', () => user.fake.published.length === 1, 20_000);
  for (const [n, id] of [
    [1, 'b'],
    [2, 'c'],
    [3, 'd'],
  ] as const) {
    await user.signal([at(n, id)]);
  }
  user.fake.signalsOf = (signals) => (signals === 3 ? 1 : signals);
  goOn();
  await eventually('all is published', () => user.fake.published.length === 3, 20_000);
  assert.deepEqual(
    user.fake.published.map(({ request: { first, signals, outputs } }) => [first, signals, outputs.length]),
    [
      [1, 1, 1],
      [2, 3, 3],
      [3, 2, 2],
    ],
  );
  await user.hasPublished('applied', ...user.fake.outputs('applied'));
  assert.deepEqual(
    user.fake.outputs('applied').map((output) => output.split(' ')[0]),
    ['a', 'b', 'c', 'd'],
  );
  await eventually('the state says so', async () => (await user.state()).counters.published === 4, 20_000);
});
