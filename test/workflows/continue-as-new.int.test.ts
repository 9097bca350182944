import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LookupOutcome } from '../../activities/contract.ts';
import { birthYear, money, session, T0 } from '../domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { WorkflowUser } from './harness.ts';

/** Signals of one run, see workflows/user-enrichment.ts. */
const MAX_SIGNALS = 1_000;

/** Sends `count` signals of one money each from `from` on, some at a time, in order of their offsets within each part. */
async function sendMoney(user: WorkflowUser, from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n += 1) await user.signal([money(n, { id: `m${n}`, ts: T0 + n })]);
}

describe('continue-as-new', () => {
  it('comes by the count of signals, and loses nothing of what comes meanwhile', async (t) => {
    const user = await WorkflowUser.create(t, { server: 'dev' });
    const count = 2 * MAX_SIGNALS + 200;
    await user.signal([session(0, 's', T0), birthYear(0, '1990', T0)]);
    // Without a pause, so that signals arrive in every state of the workflow.
    await sendMoney(user, 0, count);
    await eventually('all are published', () => user.fake.outputs('applied').length === count, 60_000);
    assert.deepEqual(user.fake.outputs('applied'), Array.from({ length: count }, (_, n) => `m${n} 1990/-${n === 0 ? ' first' : ''}`));
    const runs = await user.runs();
    assert.ok(runs.length >= 2, `${runs.length} runs`);
    const incarnations = new Set(user.fake.published.map(({ request }) => JSON.stringify(request.incarnation)));
    assert.equal(incarnations.size, 1);
    assert.equal(JSON.parse([...incarnations][0]!).runId, runs[0]);
    const state = await user.state();
    assert.deepEqual([state.counters.moneyApplied, state.counters.published, state.sizes.sessions], [count, count, 1]);
  });

  it('keeps pending money, lookups and unpublished outputs, and goes on with them', async (t) => {
    const user = await WorkflowUser.create(t, { server: 'dev' });
    let answer: (outcomes: LookupOutcome[]) => void = () => undefined;
    const answered = new Promise<LookupOutcome[]>((resolve) => (answer = resolve));
    let mayPublish = false;
    user.fake.onLookup = () => answered;
    user.fake.onPublish = async ({ stream }) => {
      if (stream === 'resolved' && !mayPublish) throw new Error('not yet');
    };
    await user.signal([
      session(0, 'known', T0, 'DE'), money(0, { id: 'waits', ts: T0, session: 'missing' }), money(1, { id: 'asked', ts: T0, session: 'x', old: true }),
      money(2, { id: 'released', ts: T0, session: 's' }), session(1, 's', T0 + 1, 'SE'),
    ]);
    for (let n = 0; n < MAX_SIGNALS + 10; n += 1) await user.signal([money(10 + n, { id: `m${n}`, ts: T0 + 1 })]);
    await eventually('it has continued', async () => (await user.runs()).length === 2, 60_000);
    await eventually('all are published', () => user.fake.outputs('applied').length === MAX_SIGNALS + 10, 60_000);
    const state = await user.state();
    assert.deepEqual(Object.keys(state.pendingMoney), ['missing']);
    assert.deepEqual(state.lookups.map(({ moneyId }) => moneyId), ['asked']);
    assert.deepEqual(state.sessions.map(({ sessionId }) => sessionId), ['known', 's']);
    assert.deepEqual([state.counters.unpublished, state.firstOccurrences], [1, ['BET']]);
    mayPublish = true;
    await user.hasPublished('resolved', 'released =SE');
    answer([{ sessionId: 'x', status: 'found', clientCountryCode: 'BR' }]);
    await user.hasPublished('resolved', 'released =SE', 'asked =BR');
    // Asked by each run.
    assert.equal(user.fake.lookups.length, 2);
    await user.signal([session(2, 'missing', T0 + 2, 'UY')]);
    await user.hasPublished('resolved', 'released =SE', 'asked =BR', 'waits =UY first');
    // A redelivery of what the first run had applied is known in the second.
    await user.signal([money(0, { id: 'waits', ts: T0, session: 'missing' })]);
    await eventually('it is dropped', async () => (await user.state()).counters.redeliveriesDropped === 1);
  });

  it('keeps the wall-clock deadline of pending money', async (t) => {
    const user = await WorkflowUser.create(t, { server: 'dev', rules: { pendingTimeout: 15_000 } });
    await user.signal([money(0, { id: 'waits', ts: T0, session: 'missing' })]);
    const due = async () => (await user.state()).pendingMoney['missing']?.[0]?.wallClockDueAt;
    const before = await eventually('it is pending', due);
    for (let n = 0; n < MAX_SIGNALS; n += 1) await user.signal([]);
    await eventually('it has continued', async () => (await user.runs()).length === 2, 60_000);
    assert.equal(await due(), before);
    await user.hasPublished('resolved', 'waits =of missing first');
    assert.ok(Date.now() >= Date.parse(before!));
  });
});
