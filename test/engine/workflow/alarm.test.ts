import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alarm } from '../../../src/engine/workflow/alarm.ts';

function given() {
  const timers: { ms: number; summary: string | undefined; cancelled: boolean; ring: () => void }[] = [];
  const world = { now: 1_000, rung: 0 };
  const alarm = new Alarm(
    {
      now: () => world.now,
      timer: (ms, ring, summary) => {
        const timer = { ms, summary, cancelled: false, ring };
        timers.push(timer);
        return () => void (timer.cancelled = true);
      },
    },
    () => void (world.rung += 1),
  );
  const standing = () => timers.filter(({ cancelled }) => !cancelled).map(({ ms }) => ms);
  return { alarm, timers, world, standing };
}
const never = (): boolean => assert.fail('nothing was to be decided');

test('a timer stands at the earliest deadline: an earlier one moves it, a later one does not', () => {
  const { alarm, timers, standing } = given();
  alarm.set(5_000, { why: 'a question' });
  assert.deepEqual([standing(), timers[0]!.summary], [[4_000], 'a question']);
  alarm.set(9_000);
  alarm.set(5_000, { patched: never });
  assert.equal(timers.length, 1);
  alarm.set(3_000);
  assert.deepEqual([standing(), timers.length], [[2_000], 2]);
});

test('without a deadline there is no timer', () => {
  const { alarm, timers, standing } = given();
  alarm.set(undefined);
  alarm.set(5_000);
  alarm.set(undefined);
  assert.deepEqual([standing(), timers.length], [[], 1]);
  alarm.set(5_000);
  assert.deepEqual(standing(), [4_000]);
});

test('a deadline that has passed rings a millisecond later', () => {
  const { alarm, standing } = given();
  alarm.set(400);
  assert.deepEqual(standing(), [1]);
});

test('when it has rung it may be set again', () => {
  const { alarm, timers, world, standing } = given();
  alarm.set(5_000);
  timers[0]!.ring();
  assert.equal(world.rung, 1);
  alarm.set(6_000);
  assert.deepEqual([standing(), timers.length], [[4_000, 5_000], 2]);
});

test('a timer that rings late by no more than it may is kept, where the release that recorded the history did so', () => {
  const { alarm, timers, standing } = given();
  alarm.set(5_000, { mayBeLate: 100, patched: never });
  alarm.set(4_900, { mayBeLate: 100, patched: () => true });
  assert.equal(timers.length, 1);
  alarm.set(4_900, { mayBeLate: 100 });
  assert.equal(timers.length, 1);
  alarm.set(5_100, { mayBeLate: 100, patched: never });
  assert.equal(timers.length, 1);
  alarm.set(4_900, { mayBeLate: 100, patched: () => false });
  assert.deepEqual(standing(), [3_900]);
  alarm.set(4_799, { mayBeLate: 100, patched: never });
  assert.deepEqual(standing(), [3_799]);
});
