import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LookupOutcome } from '../../activities/contract.ts';
import { birthYear, money, session, T0 } from '../money/domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { NUDGE_SIGNAL } from '../../workflows/messages.ts';
import { WorkflowUser } from './harness.ts';

/** Signals of one run, see src/engine/workflow/entity/run-entity.ts. */
const RUN_SIGNALS = 100;

/** Signals that only count, many at a time. */
async function count(user: WorkflowUser, signals: number): Promise<void> {
  for (let sent = 0; sent < signals; sent += 50) {
    await Promise.all(Array.from({ length: Math.min(50, signals - sent) }, () => user.signal([])));
  }
}

describe('continue-as-new', () => {
  it('comes by the count of signals, and loses nothing of what comes meanwhile', async (t) => {
    const user = await WorkflowUser.create(t, { server: 'dev' });
    await user.signal([session(0, 's', T0), birthYear(0, '1990', T0)]);
    let sent = 0;
    // Without a pause around each end of a run, so that signals arrive in every state of the workflow.
    for (const runs of [2, 3]) {
      const before = await user.runId();
      await count(user, RUN_SIGNALS - 50);
      for (const until = sent + 100; sent < until; sent += 1) {
        await user.signal([money(sent, { id: `m${sent}`, ts: T0 + sent })]);
      }
      await eventually(`run ${runs}`, async () => (await user.runId()) !== before, 60_000);
    }
    await eventually('all are published', () => user.fake.outputs('applied').length === sent, 60_000);
    assert.deepEqual(
      user.fake.outputs('applied'),
      Array.from({ length: sent }, (_, n) => `m${n} 1990/-${n === 0 ? ' first' : ''}`),
    );
    const runs = await user.runs();
    assert.ok(runs.length >= 3, `${runs.length} runs`);
    const incarnations = new Set(user.fake.published.map(({ request }) => JSON.stringify(request.incarnation)));
    assert.equal(incarnations.size, 1);
    assert.equal(JSON.parse([...incarnations][0]!).runId, runs[0]);
    const state = await user.state();
    assert.deepEqual([state.counters.moneyApplied, state.counters.published, state.sizes.sessions], [sent, sent, 1]);
  });

  it('comes by the count of records, which full signals have many of', async (t) => {
    const user = await WorkflowUser.create(t, { server: 'dev' });
    // Signals of 500 records are far fewer than 100 for 5,000.
    const full = (n: number) =>
      Array.from({ length: 500 }, (_, i) => money(500 * n + i, { id: `m${500 * n + i}`, ts: T0 + 500 * n + i }));
    await user.signal(full(0));
    const before = await user.runId();
    for (let n = 1; n < 9; n += 1) await user.signal(full(n));
    await eventually('4,500 are published', () => user.fake.outputs('applied').length === 4_500, 60_000);
    assert.equal(await user.runId(), before);
    await user.signal(full(9));
    await eventually('it has continued', async () => (await user.runId()) !== before, 60_000);
    await user.signal(full(10));
    await eventually('all are published', () => user.fake.outputs('applied').length === 5_500, 60_000);
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
      session(0, 'known', T0, 'DE'),
      money(0, { id: 'waits', ts: T0, session: 'missing' }),
      money(1, { id: 'asked', ts: T0, session: 'x', old: true }),
      money(2, { id: 'released', ts: T0, session: 's' }),
      session(1, 's', T0 + 1, 'SE'),
    ]);
    const firstRun = await user.runId();
    await count(user, RUN_SIGNALS);
    await eventually('it has continued', async () => (await user.runId()) !== firstRun, 60_000);
    const state = await user.state();
    assert.deepEqual(Object.keys(state.pendingMoney), ['missing']);
    assert.deepEqual(
      state.lookups.map(({ moneyId }) => moneyId),
      ['asked'],
    );
    assert.deepEqual(
      state.sessions.map(({ sessionId }) => sessionId),
      ['known', 's'],
    );
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

  it('comes when it is nudged, once, and after what came before it', async (t) => {
    const user = await WorkflowUser.create(t, { server: 'dev' });
    let mayPublish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (mayPublish = resolve));
    user.fake.onPublish = ({ outputs: [first] }) => (first?.enriched.money.id === 'a' ? held : undefined);
    await user.signal([money(0, { id: 'a', ts: T0 }), money(1, { id: 'waits', ts: T0, session: 's' })]);
    const firstRun = await user.runId();
    // Two nudges and a signal, while the first output is being published.
    await eventually('it is being published', () => user.fake.published.length > 0);
    await user.handle.signal(NUDGE_SIGNAL);
    await user.handle.signal(NUDGE_SIGNAL);
    await user.signal([money(2, { id: 'b', ts: T0 + 1 })]);
    mayPublish();
    await eventually('it has continued', async () => (await user.runId()) !== firstRun);
    await user.hasPublished('applied', 'a first', 'b');
    await user.signal([session(0, 's', T0 + 2, 'SE')]);
    await user.hasPublished('resolved', 'waits =SE');
    assert.equal((await user.runs()).length, 2);
  });

  it('comes when it is nudged before its first task', async (t) => {
    const user = await WorkflowUser.create(t, { server: 'dev' });
    await user.startNudged();
    await eventually('it has continued', async () => (await user.runs()).length === 2, 20_000);
    assert.equal((await user.state()).counters.notOurs, 0);
  });

  it('keeps the wall-clock deadline of pending money', async (t) => {
    const user = await WorkflowUser.create(t, { server: 'dev', rules: { pendingTimeout: 15_000 } });
    await user.signal([money(0, { id: 'waits', ts: T0, session: 'missing' })]);
    const due = async () => (await user.state()).pendingMoney['missing']?.[0]?.wallClockDueAt;
    const before = await eventually('it is pending', due);
    const firstRun = await user.runId();
    await count(user, RUN_SIGNALS);
    await eventually('it has continued', async () => (await user.runId()) !== firstRun, 60_000);
    assert.equal(await due(), before);
    await user.hasPublished('resolved', 'waits =of missing first');
    assert.ok(Date.now() >= Date.parse(before!));
  });
});
