import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES } from '../../activities/contract.ts';
import { money, session, T0 } from '../money/domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { WorkflowUser } from './harness.ts';

describe('a workflow whose outputs cannot be published here', () => {
  it('fails the task, not the workflow, when the shard is lost; the outputs come with another attempt', async (t) => {
    const user = await WorkflowUser.create(t, { server: 'dev' });
    await user.signal([money(0, { id: 'a', ts: T0 })]);
    await user.hasPublished('applied', 'a first');
    let lost = true;
    user.fake.onPublish = () => {
      if (!lost) return;
      lost = false;
      throw ApplicationFailure.create({
        type: FAILURES.shardNotOwned,
        message: 'shard 0 is not here',
        nonRetryable: true,
      });
    };
    await user.signal([money(1, { id: 'b', ts: T0 }), money(2, { id: 'c', ts: T0 })]);
    await user.signal([money(3, { id: 'd', ts: T0 })]);
    await eventually('d is published', () => user.fake.outputs('applied').includes('d'), 30_000);
    assert.deepEqual(user.fake.outputs('applied'), ['a first', 'b', 'c', 'd']);
    assert.equal((await user.handle.describe()).status.name, 'RUNNING');
    const { events = [] } = await user.handle.fetchHistory();
    const failed = events!.filter(({ workflowTaskFailedEventAttributes }) => workflowTaskFailedEventAttributes);
    assert.equal(failed.length, 1);
    assert.match(failed[0]!.workflowTaskFailedEventAttributes!.failure!.message!, /shard 0 is not here/);
  });

  for (const type of [FAILURES.sequenceGap, FAILURES.staleIncarnation, FAILURES.divergence]) {
    it(`stays, with all its state, when a publish is refused for good: ${type}`, async (t) => {
      const user = await WorkflowUser.create(t, { server: 'dev' });
      await user.signal([session(0, 's', T0), money(0, { id: 'a', ts: T0, session: 's' })]);
      await user.hasPublished('applied', 'a =UY first');
      let refused = 0;
      let refusing = true;
      user.fake.onPublish = () => {
        if (!refusing) return;
        refused += 1;
        throw ApplicationFailure.create({ type, message: 'refused', nonRetryable: true });
      };
      await user.signal([money(1, { id: 'b', ts: T0, session: 's' })]);
      await eventually('it is refused again', () => refused > 1, 30_000);
      assert.equal((await user.handle.describe()).status.name, 'RUNNING');
      refusing = false;
      await user.hasPublished('applied', 'a =UY first', 'b =UY');
    });
  }

  it('is asked for again where Kafka was away before, and goes on once the ledger is restored', async (t) => {
    const user = await WorkflowUser.create(t, { server: 'dev' });
    await user.signal([money(0, { id: 'a', ts: T0 })]);
    await user.hasPublished('applied', 'a first');
    let answer: 'away' | 'refused' | 'well' = 'away';
    let refused = 0;
    user.fake.onPublish = () => {
      if (answer === 'away') throw ApplicationFailure.create({ type: FAILURES.publishFailed, message: 'away' });
      if (answer === 'well') return;
      refused += 1;
      // As the activity says it of a regular attempt, but for the minute.
      throw ApplicationFailure.create({ type: FAILURES.sequenceGap, message: 'refused', nextRetryDelay: 100 });
    };
    await user.signal([money(1, { id: 'b', ts: T0 })]);
    await eventually('a regular activity asks', () => user.fake.published.some(({ isLocal }) => !isLocal), 30_000);
    answer = 'refused';
    await eventually('it is refused again', () => refused > 1, 30_000);
    answer = 'well';
    await user.hasPublished('applied', 'a first', 'b');
    const { events = [] } = await user.handle.fetchHistory();
    assert.equal(events!.filter((event) => event.workflowTaskFailedEventAttributes).length, 0);
  });
});
