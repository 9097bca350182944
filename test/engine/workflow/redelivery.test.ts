import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionsOf, Redeliveries, type Redelivery } from '../../../src/engine/workflow/redelivery.ts';

const redeliveries = new Redeliveries<string>(['user', 'session', 'money']);

const USERS = 'u1',
  SESSIONS = 's1',
  MONEY = 'm1',
  MONEY_ANEW = 'm2';
const first = { partition: 3, logs: { user: USERS, session: SESSIONS, money: MONEY } };
const anew = { partition: 3, logs: { user: USERS, session: SESSIONS, money: MONEY_ANEW } };

test('records of a topic that was made anew are not dropped as known because the old one had these offsets', () => {
  const redelivery: Redelivery = {};
  redeliveries.raiseLowWater(redelivery, first, [10, 20, 30]);
  assert.equal(redeliveries.noteApplied(redelivery, first, 'money', 5), false);
  assert.equal(redeliveries.noteApplied(redelivery, anew, 'money', 5), true);
  assert.equal(redeliveries.noteApplied(redelivery, anew, 'money', 5), false, 'each once');
});

test('a topic that was made anew changes nothing of what is known of the other two', () => {
  const redelivery: Redelivery = {};
  redeliveries.raiseLowWater(redelivery, first, [10, 20, 30]);
  assert.equal(redeliveries.noteApplied(redelivery, first, 'session', 25), true);
  redeliveries.raiseLowWater(redelivery, anew, [12, 20, 2]);
  assert.equal(redeliveries.noteApplied(redelivery, anew, 'user', 11), false);
  assert.equal(redeliveries.noteApplied(redelivery, anew, 'session', 19), false);
  assert.equal(redeliveries.noteApplied(redelivery, anew, 'session', 25), false);
  assert.equal(redeliveries.noteApplied(redelivery, anew, 'money', 1), false);
  assert.equal(redeliveries.noteApplied(redelivery, anew, 'money', 2), true);
});

test('what was applied before logs had names belongs to the logs that are named first', () => {
  const redelivery: Redelivery = { 3: { lowWater: [10, 20, 30], above: [[], [], [40, 41]] } };
  assert.equal(redeliveries.noteApplied(redelivery, first, 'money', 40), false);
  assert.equal(redeliveries.noteApplied(redelivery, anew, 'money', 40), true);
  assert.equal(redeliveries.noteApplied(redelivery, first, 'money', 29), false);
});

test('without names all is as it was: one entry for the partition, with nothing new in it', () => {
  const redelivery: Redelivery = {};
  redeliveries.raiseLowWater(redelivery, { partition: 3 }, [1, 2, 3]);
  redeliveries.noteApplied(redelivery, { partition: 3 }, 'user', 4);
  assert.deepEqual(redelivery, { 3: { lowWater: [1, 2, 3], above: [[4, 5], [], []] } });
});

test('a log that was cut and accepted under its old id has coordinates of its own', () => {
  const redelivery: Redelivery = {};
  redeliveries.raiseLowWater(redelivery, first, [0, 0, 30]);
  assert.equal(
    redeliveries.noteApplied(
      redelivery,
      { partition: 3, logs: { user: USERS, session: SESSIONS, money: 'm1~1' } },
      'money',
      29,
    ),
    true,
  );
});

test('an input that was added is known of from its first record on', () => {
  const redelivery: Redelivery = {
    3: { lowWater: [10, 20, 30], above: [[], [], [40, 41]], logs: { user: USERS, session: SESSIONS, money: MONEY } },
  };
  const four = new Redeliveries<string>(['user', 'session', 'money', 'device']);
  const source = { partition: 3, logs: { ...first.logs, device: 'd1' } };
  assert.equal(four.noteApplied(redelivery, source, 'device', 0), true);
  assert.equal(four.noteApplied(redelivery, source, 'device', 0), false);
  assert.equal(four.noteApplied(redelivery, source, 'money', 40), false, 'and nothing of the others is forgotten');
  assert.deepEqual([Object.keys(redelivery), redelivery['3']!.logs!['device']], [['3'], 'd1']);
});

test('logs of one name in two partitions are two, and a later log makes no other partition', () => {
  const redelivery: Redelivery = {};
  for (const partition of [3, 4]) {
    redeliveries.noteApplied(redelivery, { ...first, partition }, 'money', 5);
    assert.equal(redeliveries.noteApplied(redelivery, { ...anew, partition }, 'money', 5), true);
    assert.equal(redeliveries.noteApplied(redelivery, { ...anew, partition }, 'money', 5), false);
  }
  assert.deepEqual(partitionsOf(redelivery), [3, 4]);
});
