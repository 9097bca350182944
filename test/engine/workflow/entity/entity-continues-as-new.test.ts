/** When a run ends and the next one begins, what is carried to it, and what happens while that would be too large. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entity, EntityBatch, EntityLife } from '../../../../src/engine/workflow/entity/entity.ts';
import { after, AT, ENTITY, reset, Run, stale, textsOf, type Plain, type Output } from './given.ts';

describe('continue-as-new', () => {
  it('comes after 100 signals', async () => {
    const run = await after(...textsOf(99, 'x').map((event) => [event]));
    assert.equal(run.continuedWith.length, 0);
    await run.signals(['x 99']);
    assert.equal(run.carried.state.texts.length, 100);
  });

  it('comes after 5,000 records', async () => {
    const run = await after(textsOf(4_999, 'x'));
    assert.equal(run.continuedWith.length, 0);
    await run.signals(['x 4999']);
    assert.equal(run.carried.state.texts.length, 5_000);
  });

  it('comes later for what begins with a long history', async () => {
    const run = new Run(ENTITY, { bytes: 100_000 });
    await run.signals(...textsOf(199, 'x').map((event) => [event]));
    assert.equal(run.continuedWith.length, 0);
    await run.signals(['x 199']);
    assert.equal(run.continuedWith.length, 1);
  });

  it('waits for all that has come and is not applied, and for what is published with it', async () => {
    const run = new Run();
    run.signal(['now a']);
    run.nudge();
    run.signal(['x']);
    await run.settle();
    assert.equal(run.continuedWith.length, 0);
    await run.answer();
    assert.deepEqual(run.carried.state.texts, ['x']);
    assert.deepEqual((run.continuedWith[0] as { key: string }).key, 'k');
  });

  it('does not come while what is carried is too large', async () => {
    const run = await after([`x${'y'.repeat(2_040_000)}`]);
    run.nudge();
    await run.settle();
    assert.equal(run.continuedWith.length, 0);
  });

  it('of what was told of nobody carries that', async () => {
    const run = new Run(ENTITY, { workflowId: 'app/%', argument: null });
    run.nudge();
    await run.settle();
    assert.deepEqual(run.continuedWith, [{ withoutKey: true }]);
  });
});

describe('rules of an earlier release', () => {
  it('have no mark of what is published locally, and their own way to continue as new', async () => {
    let asked = 0;
    const earlier: NonNullable<Entity<EntityLife<Output>, EntityBatch, Output>['earlier']> = {
      isOf: (rules) => rules === 'old',
      prepareContinueAsNew: (life, { key, now }, patched) => {
        asked += 1;
        assert.deepEqual([key, now, patched('x')], ['k', AT, true]);
        return life.published.applied === 2;
      },
    };
    const run = new Run({ ...ENTITY, earlier });
    run.signal(['now a'], { rules: 'old' });
    await run.settle();
    assert.deepEqual(run.timers, []);
    await run.answer();
    assert.equal(asked, 0);
    run.nudge();
    await run.settle();
    assert.deepEqual([asked, run.continuedWith], [1, []]);
    run.signal(['now b'], { rules: 'old' });
    await run.settle();
    await run.answer();
    assert.equal(run.continuedWith.length, 1);

    const today = new Run({ ...ENTITY, earlier });
    await today.signals(['now a']);
    assert.equal(today.timers.length, 1);
  });
});

describe('while signals wait for room', () => {
  /** Full as soon as something is owed. */
  const SMALL_ROOM: Plain = {
    ...ENTITY,
    sizes: {
      ...ENTITY.sizes,
      carried: (life) => (life.unpublished.length + life.questions.length > 0 ? 3_000_000 : 0),
    },
  };

  async function full(...events: string[]): Promise<Run> {
    const run = new Run(SMALL_ROOM);
    await run.signals(events, ['now b']);
    return run;
  }

  it('of signals that came together those that have room are applied', async () => {
    const run = await full('later a');
    assert.deepEqual(run.published, ['resolved 1 a']);
    await run.answer();
    assert.deepEqual(run.published.slice(1), ['applied 1 b']);
  });

  it('a reset is heard of', async () => {
    const run = await full('later a');
    await run.fail(reset(4));
    assert.deepEqual(run.published, ['resolved 1 a', 'resolved 5 a']);
    await run.answer();
    assert.deepEqual(run.published.slice(2), ['applied 1 b']);
  });

  it('what fails the task does', async () => {
    const run = await full('later a');
    await run.fail(stale());
    assert.equal((run.failure as Error).message, 'Publishing 1 resolved outputs from 1 on: activity');
  });

  it('a question is given up at its time', async () => {
    const run = await full('ask q');
    await run.fail(Object.assign(new Error('no'), { type: 'NoAnswer' }));
    await run.ring();
    assert.deepEqual(run.published, ['resolved 1 q=nothing']);
    await run.answer();
    assert.deepEqual(run.published.slice(1), ['applied 1 b']);
  });
});
