/**
 * What 1,000 events cost in Temporal's units, counted in virtual time: the same on every machine. Bounds are a little above what is
 * counted; whoever makes the product dearer has to say so here.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { count, type Case } from './counted-run.ts';

const TENTH = { users: 500, events: 8_000, rate: 50, settled: 100_000 };
const ONE = { users: 500, events: 20_000, rate: 500 };
const DEFAULT = 2_000;

async function costs(given: Case) {
  const counters = await count(given);
  assert.ok(
    counters.of('outputs') > 0.5 * counters.of('events signalled'),
    'most of the traffic is money that comes out',
  );
  return {
    actions: counters.perThousandEvents(counters.actions),
    tasksOfTouch: counters.of('tasks') / counters.of('touches'),
    timers: counters.perThousandEvents(counters.of('timer actions')),
    cancelled: counters.of('timers cancelled'),
    looks: counters.perThousandEvents(counters.of('watermark looks')),
    transactions: counters.perThousandEvents(counters.of('transactions')),
    historyEventsOfTouch: counters.of('history events') / counters.of('touches'),
  };
}

describe('1,000 events, with the default flush delay', () => {
  it('of users with an event in ten seconds are 1,400 actions and 260 transactions at most', async () => {
    const { actions, timers, looks, cancelled, transactions } = await costs({ ...TENTH, flushDelay: DEFAULT });
    assert.ok(actions <= 1_400, `${actions} actions`);
    assert.ok(transactions <= 260, `${transactions} transactions`);
    assert.ok(timers <= 10, `${timers} timers`);
    assert.deepEqual([looks, cancelled], [0, 0]);
  });

  it('of users with an event a second are 700 actions and 80 transactions at most', async () => {
    const { actions, timers, transactions } = await costs({ ...ONE, flushDelay: DEFAULT });
    assert.ok(actions <= 700, `${actions} actions`);
    assert.ok(transactions <= 80, `${transactions} transactions`);
    assert.ok(timers <= 10, `${timers} timers`);
  });

  it('of users in their first minute are a timer each at most', async () => {
    const { timers, cancelled } = await costs({ users: 2_000, events: 14_000, rate: 200, flushDelay: DEFAULT });
    assert.ok(timers <= 250, `${timers} timers`);
    assert.equal(cancelled, 0);
  });

  it('of a backlog are 35 actions at most', async () => {
    const backlog = { users: 250, events: 50_000, rate: 250, backlog: true, capacity: 200 };
    const { actions } = await costs({ ...backlog, flushDelay: DEFAULT });
    assert.ok(actions <= 35, `${actions} actions`);
  });
});

describe('1,000 events of users with an event a second', () => {
  it('are 140 actions at most with a flush delay of 20 s', async () => {
    const { actions } = await costs({ ...ONE, events: 35_000, settled: 50_000, flushDelay: 20_000 });
    assert.ok(actions <= 140, `${actions} actions`);
  });

  it('are 1,350 actions at most without one', async () => {
    const { actions } = await costs({ ...ONE, flushDelay: 0 });
    assert.ok(actions <= 1_350, `${actions} actions`);
  });

  it('of which some wait for their session, look at the watermark 60 times at most', async () => {
    const { looks } = await costs({ ...ONE, pending: 0.05, flushDelay: DEFAULT });
    assert.ok(looks > 0 && looks <= 60, `${looks} looks`);
  });
});

describe('a touch', () => {
  it('is one task, and five events of history', async () => {
    const { tasksOfTouch, historyEventsOfTouch } = await costs({ ...ONE, flushDelay: DEFAULT });
    assert.ok(tasksOfTouch <= 1.01, `${tasksOfTouch} tasks`);
    assert.ok(historyEventsOfTouch <= 5.1, `${historyEventsOfTouch} events`);
  });
});
