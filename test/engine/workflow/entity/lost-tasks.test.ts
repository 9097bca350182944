/**
 * A workflow in memory that waits for a local activity is given another task: what the SDK tells of it is its time, the size of the history
 * and what came. Expected: how Temporal's server and the SDK treat tasks, see src/engine/workflow/entity/lost-tasks.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LostTasks } from '../../../../src/engine/workflow/entity/lost-tasks.ts';

const TIMEOUT = 10_000;
const GIVEN_UP = /was given up/;

function workflow({ isReplaying = false } = {}) {
  const tasks = new LostTasks();
  let historyLength = 10;
  const next = (after: number, { signals = 1, bytes = 1_000, replaying = false, events = 4 } = {}): void =>
    tasks.activated(
      {
        isReplaying: replaying,
        at: 1_000_000 + after,
        historyLength: (historyLength += events),
        historyBytes: 5_000 + bytes,
        signals,
      },
      TIMEOUT,
    );
  tasks.activated({ isReplaying, at: 1_000_000, historyLength, historyBytes: 5_000, signals: 1 }, TIMEOUT);
  tasks.localBegins();
  return { tasks, next };
}

test('one that comes after the whole time of the task before it: that one had timed out', () => {
  assert.throws(() => workflow().next(10_000), GIVEN_UP);
  assert.throws(() => workflow().next(25_000), GIVEN_UP);
});

test('one that comes before the task was completed to wait on: too much had come meanwhile', () => {
  assert.throws(() => workflow().next(3_000), GIVEN_UP);
  assert.throws(() => workflow().next(8_500, { signals: 101 }), GIVEN_UP);
  assert.throws(() => workflow().next(8_500, { bytes: 2_000_000 }), GIVEN_UP);
});

test('one after a task that was completed to wait on is as good as any', () => {
  const { next } = workflow();
  next(8_020, { signals: 20 });
  next(16_300, { signals: 0 });
});

test('so is one after a local activity has ended', () => {
  const { tasks, next } = workflow();
  tasks.localEnds();
  next(60_000);
});

test('what comes of local activities belongs to the task that they began in, whatever its time is', () => {
  const { next } = workflow();
  next(3_000, { events: 0, signals: 0 });
  next(7_000, { events: 0, signals: 0 });
  next(8_020);
  next(9_000, { events: 0, signals: 0 });
  assert.throws(() => next(12_000), GIVEN_UP);
});

test('a replay sees both tasks as one, and goes on', () => {
  const { next } = workflow({ isReplaying: true });
  next(25_000, { replaying: true });
  next(60_000);
});

test('a task was completed to wait on between three quarters of its time and the whole, with less than 100 signals and 1.9 MB', () => {
  workflow().next(7_500);
  assert.throws(() => workflow().next(7_499), GIVEN_UP);
  workflow().next(9_999);
  workflow().next(8_000, { signals: 99 });
  assert.throws(() => workflow().next(8_000, { signals: 100 }), GIVEN_UP);
  workflow().next(8_000, { bytes: 1_899_999 });
  assert.throws(() => workflow().next(8_000, { bytes: 1_900_000 }), GIVEN_UP);
});

test('it waits while a local activity runs', () => {
  const { tasks } = workflow();
  assert.equal(tasks.waits, true);
  tasks.localBegins();
  tasks.localEnds();
  assert.equal(tasks.waits, true);
  tasks.localEnds();
  assert.equal(tasks.waits, false);
});

test('a replay that comes to its end within a task goes on as a workflow in memory', () => {
  const { next } = workflow({ isReplaying: true });
  next(1_000, { events: 0, replaying: false });
  assert.throws(() => next(3_000), GIVEN_UP);
});
