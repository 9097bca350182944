/** How a history is gone through: what is taken back, what comes together, and what does not fit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldRuns, standingOf } from '../../../src/tools/explain/fold.ts';
import type { Happening } from '../../../src/tools/explain/happening.ts';
import type { RecordedRun } from '../../../src/tools/explain/recorded.ts';
import { tasksOf } from '../../../src/tools/explain/recorded-tasks.ts';
import { money, T0 } from '../../money/domain/given.ts';
import { happenings, History, TOPICS, WALL } from './given.ts';

const plain = (offset: number) => money(offset, { id: `m${offset}`, ts: T0 + offset });
const started = { type: 'task-started', bytes: 0, continueAsNewSuggested: false, newVersion: false } as const;

/** Also where the run is not followed to its end. */
async function told({ run }: { readonly run: RecordedRun }): Promise<Happening[]> {
  const all: Happening[] = [];
  await foldRuns([run], TOPICS, (happening) => all.push(happening));
  return all;
}

test('signals that a publish was not answered for come again, and are told once', async () => {
  const given = new History().signal(0, plain(0)).signal(0, plain(1)).task(1);
  given.add(2, { type: 'answered-locally', activityId: '1', completedAt: WALL + 2, result: { signals: 1 } });
  given.add(3, { type: 'answered-locally', activityId: '2', completedAt: WALL + 3, result: { signals: 1 } });
  given.timer(3);
  const all = await happenings(given);
  assert.deepEqual(
    all.flatMap((one) => (one.type === 'money' ? [[one.money.id, one.seq, one.at - WALL]] : [])),
    [
      ['m0', 1, 1],
      ['m1', 2, 2],
    ],
  );
  assert.deepEqual(
    all.flatMap((one) => (one.type === 'published' ? [[one.first, one.of.map(({ offset }) => offset)]] : [])),
    [
      [1, [0]],
      [2, [1]],
    ],
  );
});

test('what is being published is neither settled nor lost', async () => {
  const given = new History().signal(0, plain(0)).task(1).signal(2, plain(1));
  const { settled, unapplied } = await standingOf(given.run);
  assert.deepEqual([settled, unapplied], [false, 1]);
  const done = new History().signal(0, plain(0)).task(1, 1).timer(1);
  const { life, ...rest } = await standingOf(done.run);
  assert.deepEqual(rest, { settled: true, unapplied: 0 });
  assert.equal(life.published.applied, 1);
});

test('before the first completed task nothing is applied', async () => {
  const { life, settled, unapplied } = await standingOf(new History().signal(0, plain(0)).run);
  assert.deepEqual([life.user.counters.moneyApplied, settled, unapplied], [0, true, 1]);
});

test('a task that failed applies nothing, and one that recorded nothing and led to another is one with that', () => {
  const given = new History().signal(0, plain(0));
  given.add(1, started);
  given.add(2, { type: 'task-failed', message: 'shard moved' });
  given.add(3, started);
  given.add(4, { type: 'task-completed', goesOn: true });
  given.signal(5, plain(1));
  given.task(6, 1).timer(6);
  given.add(7, started);
  given.add(8, { type: 'task-completed', goesOn: true });
  const { tasks } = tasksOf(given.run);
  assert.deepEqual(
    tasks.map((task) => [
      task.started.at - WALL,
      task.incoming.map(({ type }) => type),
      task.commands.map(({ type }) => type),
    ]),
    [
      [6, ['signal', 'task-failed', 'signal'], ['answered-locally', 'timer-started']],
      // The one before it recorded something.
      [7, [], []],
    ],
  );
});

test('what is none of the product is dropped and counted', async () => {
  const given = new History();
  given.add(0, { type: 'foreign', kind: 'signal', name: 'hello' });
  given.add(0, { type: 'signal', batch: { records: 'none' } });
  given.add(0, { type: 'foreign', kind: 'cancellation', name: '' });
  given.signal(0, plain(0)).task(1, 1).timer(1);
  const { life, unapplied } = await standingOf(given.run);
  assert.deepEqual([life.user.counters.notOurs, life.user.counters.moneyApplied, unapplied], [3, 1, 0]);
});

for (const [what, spoil, said] of [
  ['an activity that nobody asks for', (given: History) => given.lookup(1), /lookupSessions; .* leads to timer 1$/],
  ['a local activity that nobody asks for', (given: History) => given.task(2, 1), /nobody asked for local activity 2/],
  [
    'a timer that nobody waits for',
    (given: History) => given.timer(1).add(2, { type: 'timer-fired', timerId: '7' }) && given.task(2),
    /nobody waits for timer 7/,
  ],
  [
    'an early end',
    (given: History) => given.add(1, { type: 'continued-as-new' }),
    /continue as new; .* leads to timer 1$/,
  ],
] as const) {
  test(`${what}: the run is not followed, and what came before is told`, async () => {
    const given = new History().signal(0, plain(0)).task(1, 1);
    if (what.startsWith('a local')) given.timer(1);
    spoil(given);
    given.signal(9, plain(1)).task(9, 1);
    const all = await told(given);
    assert.deepEqual(
      all.flatMap((one) => (one.type === 'money' ? [one.money.id] : [])),
      ['m0'],
    );
    const last = all.at(-1)!;
    assert.equal(last.type, 'differs');
    await assert.rejects(standingOf(given.run), said);
  });
}
