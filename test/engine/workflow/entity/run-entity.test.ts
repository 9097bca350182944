/** What a key's workflow publishes on a Temporal that the test plays: in which order, under which numbers, and what it owes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emitted } from '../../../../src/engine/workflow/emitted.ts';
import { after, AT, ENTITY, HOUR, reset, Run, stale, textsOf } from './given.ts';

describe('outputs that needed no waiting', () => {
  it('are published locally, with who asks and for how many signals, numbered on', async () => {
    const run = await after(['now a', 'now b']);
    assert.deepEqual(run.publishes, [
      {
        key: 'k',
        incarnation: { startedAt: AT, runId: 'first' },
        stream: 'applied',
        first: 1,
        outputs: [emitted({ says: 'a', atOnce: true }), emitted({ says: 'b', atOnce: true })],
        run: { number: 0, id: '01234567' },
        signals: 1,
      },
    ]);
    assert.equal(run.calls[0]!.options.local, true);
    await run.answer({ signals: 1 });
    await run.signals(['now c']);
    await run.answer();
    assert.deepEqual(run.published, ['applied 1 a b', 'applied 3 c']);
    assert.deepEqual((await run.carriedNow()).published, { applied: 3, resolved: 0 });
  });

  it('are marked by a timer of a day for as long as they are published', async () => {
    const run = await after(['now a']);
    assert.deepEqual(
      run.timers.map(({ ms, cancelled }) => [ms, cancelled]),
      [[24 * HOUR, false]],
    );
    await run.answer();
    assert.equal(run.timers[0]!.cancelled, true);
  });

  it('of at most ten signals go together', async () => {
    const run = await after(...textsOf(11, 'now').map((event) => [event]));
    assert.deepEqual(run.published, ['applied 1 0 1 2 3 4 5 6 7 8 9']);
    assert.equal(run.publishes[0]!.signals, 10);
    await run.answer({ signals: 10 });
    assert.deepEqual(run.published.slice(1), ['applied 11 10']);
    assert.equal(run.publishes[1]!.signals, 1);
  });

  it('of a state that is costly to remember go signal by signal', async () => {
    const run = await after(['x'.repeat(60_000)]);
    await run.signals(['now a'], ['now b']);
    assert.deepEqual(run.published, ['applied 1 a']);
    assert.equal(run.publishes[0]!.signals, 1);
    await run.answer({ signals: 1 });
    assert.deepEqual(run.published.slice(1), ['applied 2 b']);
  });

  it('go at most 500 at once', async () => {
    const run = await after(textsOf(501, 'now'));
    assert.equal(run.publishes.length, 1);
    await run.answer({ signals: 1 });
    assert.deepEqual(
      run.publishes.map(({ first, outputs }) => [first, outputs.length]),
      [
        [1, 500],
        [501, 1],
      ],
    );
    await run.answer({ signals: 1 });
    assert.deepEqual((await run.carriedNow()).published, { applied: 501, resolved: 0 });
  });

  it('that were published for fewer signals are taken back beyond them, and follow again', async () => {
    const run = await after(['now a', 'x'], ['now b', 'y'], ['now c', 'z']);
    assert.deepEqual(run.published, ['applied 1 a b c']);
    await run.answer({ signals: 1 });
    assert.deepEqual(run.published.slice(1), ['applied 2 b c']);
    await run.answer({ signals: 2 });
    const { state, published } = await run.carriedNow();
    assert.deepEqual([state.texts, published], [['x', 'y', 'z'], { applied: 3, resolved: 0 }]);
  });

  it('go on after the number of the ledger when the workflow was reset', async () => {
    const run = await after(['now a', 'now b']);
    await run.fail(reset(7));
    assert.deepEqual(run.published, ['applied 1 a b', 'applied 8 a b']);
    await run.answer();
    const { published, counters } = await run.carriedNow();
    assert.deepEqual(
      [published, counters],
      [
        { applied: 9, resolved: 0 },
        { foreign: 0, resets: 1 },
      ],
    );
  });

  it('fail the task with what no repetition mends', async () => {
    const run = await after(['now a', 'now b']);
    await run.fail(stale());
    assert.equal((run.failure as Error).message, 'Publishing 2 applied outputs from 1 on: activity');
  });

  it('come before what follows from answers and timers, and before any other signal is applied', async () => {
    const run = await after(['later r', 'now a']);
    assert.deepEqual(run.published, ['applied 1 a']);
    await run.signals(['now b']);
    assert.equal(run.published.length, 1);
    await run.answer();
    assert.deepEqual(run.published, ['applied 1 a', 'resolved 1 r', 'applied 2 b']);
  });
});

describe('outputs that waited', () => {
  it('are published durably, one request at a time, and are owed until then', async () => {
    const run = await after(['later a', 'later b']);
    assert.deepEqual(run.publishes, [
      {
        key: 'k',
        incarnation: { startedAt: AT, runId: 'first' },
        stream: 'resolved',
        first: 1,
        outputs: [emitted({ says: 'a' }), emitted({ says: 'b' })],
        run: { number: 0, id: '01234567' },
      },
    ]);
    assert.notEqual(run.calls[0]!.options.local, true);
    await run.signals(['later c']);
    assert.equal(run.published.length, 1);
    await run.answer();
    assert.deepEqual(run.published.slice(1), ['resolved 3 c']);
    await run.answer();
    assert.equal(run.calls.length, 2);
    const { published, unpublished } = await run.carriedNow();
    assert.deepEqual([published, unpublished], [{ applied: 0, resolved: 3 }, []]);
  });

  it('go on after the number of the ledger when the workflow was reset', async () => {
    const run = await after(['later a']);
    await run.fail(reset(4));
    assert.deepEqual(run.published, ['resolved 1 a', 'resolved 5 a']);
    await run.answer();
    const { published, counters } = await run.carriedNow();
    assert.deepEqual(
      [published, counters],
      [
        { applied: 0, resolved: 5 },
        { foreign: 0, resets: 1 },
      ],
    );
  });

  it('fail the task with what no repetition mends', async () => {
    const run = await after(['later a']);
    await run.fail(stale());
    assert.equal((run.failure as Error).message, 'Publishing 1 resolved outputs from 1 on: activity');
  });

  it('that are too large for a history go locally, after a timer', async () => {
    const large = 'x'.repeat(400_000);
    const run = await after([`later ${large}`]);
    assert.equal(run.calls.length, 0);
    assert.deepEqual(
      run.waiting.map(({ ms }) => ms),
      [1],
    );
    await run.ring();
    assert.equal(run.calls[0]!.options.local, true);
    assert.deepEqual(run.published, [`resolved 1 ${large}`]);
    assert.equal(run.timers.filter(({ ms }) => ms === 24 * HOUR).length, 1);
    await run.answer();
    assert.deepEqual((await run.carriedNow()).unpublished, []);
  });

  it('are carried while they are not published, and published by the next run first of all', async () => {
    const run = await after(['later a', 'later b']);
    const life = await run.carriedNow();
    assert.deepEqual([life.unpublished.length, life.published.resolved, life.runs], [2, 0, 1]);
    const next = new Run(ENTITY, { continued: true, argument: { key: 'k', life } });
    await next.settle();
    assert.deepEqual(next.published, ['resolved 1 a b']);
    assert.deepEqual(next.publishes[0]!.run, { number: 1, id: '01234567' });
    await next.answer();
    assert.deepEqual((await next.carriedNow()).runs, 2);
  });
});
