/** What an entity waits for: times of either clock, and answers. Which timers it has meanwhile, and what follows. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { after, AT, ENTITY, HOUR, Run, type Plain } from './given.ts';

describe('what waits for a time', () => {
  const waitingOf = (run: Run) => run.waiting.map(({ ms, summary }) => [ms, summary]);

  it('of the wall clock has a timer until then', async () => {
    const run = await after([`wall ${HOUR}`]);
    assert.deepEqual(waitingOf(run), [[HOUR, 'something waits until then']]);
    await run.ring();
    assert.deepEqual(run.published, ['resolved 1 rang']);
    assert.deepEqual(waitingOf(run), []);
    assert.deepEqual(
      run.calls.map(({ name }) => name),
      ['publish'],
    );
  });

  it('of event time is quiet for 3 s, and then has the watermark watched', async () => {
    const run = await after(['event 5000']);
    assert.deepEqual(waitingOf(run), [[3_000, 'something waits until then']]);
    await run.ring();
    assert.deepEqual(run.calls[0]!.request, { partition: 3, key: 'k', passes: AT + 5_000 });
    assert.equal(run.calls[0]!.name, 'readWatermark');
    assert.deepEqual(waitingOf(run), []);
    await run.answer(AT + 5_001);
    assert.deepEqual(run.published, ['resolved 1 passed']);
    assert.deepEqual(waitingOf(run), []);
  });

  it('is watched again after a look that did not help', async () => {
    const run = await after(['event 5000']);
    await run.ring();
    await run.answer(null);
    assert.deepEqual(run.published, []);
    assert.deepEqual(waitingOf(run), [[3_000, 'something waits until then']]);
  });

  it('is told of a watermark, and of none where the look gave none', async () => {
    const told: number[] = [];
    const run = new Run({
      ...ENTITY,
      rules: {
        ...ENTITY.rules,
        advance(life, watermark, context) {
          told.push(watermark);
          return ENTITY.rules.advance(life, watermark, context);
        },
      },
    });
    await run.signals(['event 5000']);
    await run.ring();
    await run.answer(null);
    assert.equal(told.length, 0);
    await run.ring();
    await run.answer(AT + 5_001);
    assert.deepEqual(told, [AT + 5_001]);
  });

  it('of both is watched after 3 s, and rings at its time though the watermark is watched', async () => {
    const run = await after(['event 5000', `wall ${HOUR}`]);
    assert.deepEqual(waitingOf(run), [[3_000, 'something waits until then']]);
    await run.ring();
    assert.deepEqual(waitingOf(run), [[HOUR - 3_000, 'something waits until then']]);
    await run.ring();
    assert.deepEqual(run.published, ['resolved 1 rang']);
    assert.equal(run.calls.filter(({ name }) => name === 'readWatermark').length, 1);
  });

  it('of the wall clock within 3 s rings then, whatever waits for event time', async () => {
    const run = await after(['event 5000', 'wall 1000']);
    assert.deepEqual(waitingOf(run), [[1_000, 'something waits until then']]);
  });

  it('is watched no more when it waits no more', async () => {
    const run = await after(['event 5000']);
    await run.ring();
    const [watch] = run.calls;
    const record = { input: 0, offset: 9, ts: AT + 5_001, event: 'x' };
    run.signal([], { records: [record] });
    await run.settle();
    assert.equal(watch!.cancelled, true);
    assert.deepEqual(run.published, ['resolved 1 passed']);

    const wall = await after(['event 5000', `wall ${HOUR}`]);
    await wall.ring();
    wall.signal([], { records: [record] });
    await wall.settle();
    assert.equal(wall.calls[0]!.cancelled, true);
    assert.deepEqual(waitingOf(wall), [[HOUR - 3_000, 'something waits until then']]);
  });

  describe('to be forgotten', () => {
    const forgetting = (forgetsIn: () => number | undefined): Plain => ({
      ...ENTITY,
      rules: { ...ENTITY.rules, forgetsIn },
    });

    it('is looked for then, once', async () => {
      let ms: number | undefined = HOUR;
      const run = new Run(forgetting(() => ms));
      assert.deepEqual(waitingOf(run), []);
      await run.signals(['x']);
      assert.deepEqual(waitingOf(run), [[HOUR, 'something may be forgotten']]);
      await run.ring();
      assert.deepEqual(run.calls[0]!.request, { partition: 3, key: 'k' });
      assert.deepEqual(waitingOf(run), []);
      ms = undefined;
      await run.answer(AT);
      assert.deepEqual(waitingOf(run), []);
      assert.equal(run.calls.length, 1);
    });

    it('is not looked for where nothing is to be by then', async () => {
      let ms: number | undefined = HOUR;
      const run = new Run(forgetting(() => ms));
      await run.signals(['x']);
      ms = undefined;
      await run.ring();
      assert.equal(run.calls.length, 0);
    });

    it('may be so a tenth of its time late', async () => {
      let ms = 1_000;
      const run = new Run(forgetting(() => ms));
      await run.signals(['x']);
      // 910 and a tenth of it are 1,001.
      ms = 910;
      await run.signals(['y']);
      assert.deepEqual(waitingOf(run), [[1_000, 'something may be forgotten']]);
      ms = 900;
      await run.signals(['z']);
      assert.deepEqual(waitingOf(run), [[900, 'something may be forgotten']]);
    });

    it('is not late in a history that was recorded without that', async () => {
      let ms = 1_000;
      const run = new Run(forgetting(() => ms));
      run.unpatched = ['forgets-late'];
      await run.signals(['x']);
      ms = 999;
      await run.signals(['y']);
      assert.deepEqual(waitingOf(run), [[999, 'something may be forgotten']]);
    });
  });
});

describe('questions', () => {
  it('are asked, and what the answer leads to is owed', async () => {
    const run = await after(['ask q']);
    assert.deepEqual([run.calls[0]!.name, run.calls[0]!.request], ['answer', { question: 'q' }]);
    await run.answer('a');
    assert.deepEqual(run.published, ['resolved 1 q=a']);
  });

  it('are given up at their time, for which there is a timer', async () => {
    const run = await after(['ask q']);
    run.now += 1_000;
    await run.fail(Object.assign(new Error('no'), { type: 'NoAnswer' }));
    assert.deepEqual(
      run.waiting.map(({ ms, summary }) => [ms, summary]),
      [[HOUR - 1_000, 'a question is given up']],
    );
    await run.ring();
    assert.deepEqual(run.published, ['resolved 1 q=nothing']);
    assert.deepEqual(run.waiting, []);
  });

  it('are given up at their time also when something waits for event time', async () => {
    const run = await after(['ask q', 'event 5000']);
    await run.fail(Object.assign(new Error('no'), { type: 'NoAnswer' }));
    await run.ring();
    // The watermark is watched, and that alone has no timer.
    assert.deepEqual(
      run.waiting.map(({ ms, summary }) => [ms, summary]),
      [[HOUR - 3_000, 'a question is given up']],
    );
  });

  it('fail the task with what is no failure of theirs', async () => {
    const run = await after(['ask q']);
    await run.fail(new Error('oh'));
    assert.equal((run.failure as Error).message, 'Calling answer: oh');
  });

  it('that are open are carried, and asked again by the next run', async () => {
    const run = await after(['ask q']);
    const life = await run.carriedNow();
    const next = new Run(ENTITY, { continued: true, argument: { key: 'k', life } });
    await next.settle();
    assert.deepEqual(
      next.calls.map(({ request }) => request),
      [{ question: 'q' }],
    );
  });
});
