/** Whose a signal is: what is not of this entity is dropped and told, what says no key waits until one is known. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ENTITY, Run, type Plain } from './given.ts';

/** A run of which nobody has said more is continued as new at this many events. */
const LONG = 400;

describe('what is not ours', () => {
  it('is dropped, counted and warned of: a signal that is no batch, or of another key', async () => {
    const run = new Run();
    run.signalled('x');
    run.signal(['now a'], { key: 'other' });
    await run.settle();
    assert.equal(run.calls.length, 0);
    assert.deepEqual(run.counted, Array(2).fill({ what: 'not-ours', kind: 'signal' }));
    assert.equal(run.warned.length, 2);
    assert.deepEqual((await run.carriedNow()).counters, { foreign: 2, resets: 0 });
  });

  it('may be of any kind', async () => {
    const run = new Run();
    for (const kind of ['signal', 'update', 'cancellation'] as const) run.foreign(kind);
    await run.settle();
    assert.deepEqual(
      run.counted.map(({ kind }) => kind),
      ['signal', 'update', 'cancellation'],
    );
    assert.deepEqual(run.warned, Array(3).fill('nothing that this workflow knows'));
  });

  it('is a start with nothing that can be used: then the id says whose it is', async () => {
    const run = new Run(ENTITY, { argument: 'x' });
    await run.signals(['now a']);
    assert.deepEqual(run.counted, [{ what: 'not-ours', kind: 'start' }]);
    assert.deepEqual(run.published, ['applied 1 a']);
  });

  it('is followed by continue-as-new where it has made the history long', async () => {
    const run = new Run();
    run.history = { ...run.history, events: LONG - 1 };
    run.foreign('signal');
    await run.settle();
    assert.equal(run.continuedWith.length, 0);
    run.history = { ...run.history, events: LONG };
    run.foreign('signal');
    run.foreign('signal');
    await run.settle();
    assert.deepEqual(run.carried.counters, { foreign: 3, resets: 0 });
  });

  it('is followed by nothing in a history that was recorded without that', async () => {
    const run = new Run();
    run.unpatched = ['foreign-continues'];
    run.history = { ...run.history, events: LONG };
    run.foreign('signal');
    await run.settle();
    assert.equal(run.continuedWith.length, 0);
  });

  it('counts as a signal for how long a run is', async () => {
    const run = new Run();
    for (let n = 0; n < 99; n += 1) run.foreign('signal');
    await run.settle();
    assert.equal(run.continuedWith.length, 0);
    run.signalled('x');
    await run.settle();
    assert.equal(run.continuedWith.length, 1);
  });
});

describe('batches that do not say whose they are', () => {
  const UNNAMED: Plain = {
    ...ENTITY,
    wire: {
      ...ENTITY.wire,
      whyNotABatch: (value, whose) =>
        whose.mayBe((value as { key?: string }).key) ? undefined : 'the records of another key',
    },
  };
  const unnamed = { key: undefined };

  it('wait for one that does, and come before it', async () => {
    const run = new Run(UNNAMED, { workflowId: 'app/%', argument: null });
    run.signal(['now a'], unnamed);
    run.signal(['now b'], unnamed);
    await run.settle();
    assert.equal(run.calls.length, 0);
    await run.signals(['now c']);
    assert.deepEqual(run.published, ['applied 1 a b c']);
    assert.equal(run.publishes[0]!.key, 'k');
    await run.answer();
    await run.signals(['now d']);
    assert.deepEqual(run.published.slice(1), ['applied 4 d']);
  });

  it('are waited for before a run ends', async () => {
    const run = new Run(UNNAMED, { workflowId: 'app/%', argument: null });
    run.signal(['x'], unnamed);
    run.nudge();
    await run.settle();
    assert.equal(run.continuedWith.length, 0);
    await run.signals(['y']);
    assert.deepEqual(run.carried.state.texts, ['x', 'y']);
  });

  it('are taken at once where the id says it', async () => {
    const run = new Run(UNNAMED);
    run.signal(['now a'], unnamed);
    await run.settle();
    assert.deepEqual(run.published, ['applied 1 a']);
  });
});
