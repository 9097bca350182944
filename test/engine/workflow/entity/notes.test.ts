import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EntityLife, EntityNotes } from '../../../../src/engine/workflow/entity/entity.ts';
import { beginning } from '../../../../src/engine/workflow/entity/life.ts';
import { Notes } from '../../../../src/engine/workflow/entity/notes.ts';

function given() {
  const state = {
    forgotten: { old: 2 } as Record<string, number>,
    partitions: 1,
    standing: {} as Record<string, number>,
    foreign: 0,
    resets: 0,
  };
  const counts: unknown[] = [];
  const warnings: [string, unknown][] = [];
  const standing: unknown[] = [];
  const says: EntityNotes<EntityLife> = {
    noun: 'an order',
    rebuild: 'rebuild it',
    aboutBounds: 'read the bounds',
    owesTo: 'Kafka and the clerks',
    foreign: () => void (state.foreign += 1),
    reset: () => void (state.resets += 1),
    forgotten: () => ({ ...state.forgotten }),
    partitions: () => state.partitions,
    standing: () => state.standing,
    details: () => '',
    alarms: { givesUp: '', waits: '', forgets: '' },
  };
  const port = {
    count: (noticed: object, times: number) => void counts.push({ ...noticed, times }),
    warn: (message: string, details: unknown) => void warnings.push([message, details]),
    standing: (waiting: unknown) => void standing.push(waiting),
  };
  const notes = new Notes(port, says, beginning({ startedAt: 1, runId: 'r' }) as EntityLife);
  return { state, counts, warnings, standing, notes };
}

test('what was forgotten is counted from what the run began with, and warned of', () => {
  const { state, counts, warnings, notes } = given();
  notes.applied();
  assert.deepEqual([counts, warnings], [[], []]);
  state.forgotten = { old: 5, new: 1 };
  notes.applied();
  notes.applied();
  assert.deepEqual(counts, [
    { what: 'forgotten', kind: 'old', times: 3 },
    { what: 'forgotten', kind: 'new', times: 1 },
  ]);
  assert.deepEqual(warnings, [
    ['The state of an order is at its bound, and what is oldest makes room (old): read the bounds', { times: 3 }],
    ['The state of an order is at its bound, and what is oldest makes room (new): read the bounds', { times: 1 }],
  ]);
});

test('each further partition is warned of once, the first is not', () => {
  const { state, counts, warnings, notes } = given();
  state.partitions = 0;
  notes.applied();
  state.partitions = 1;
  notes.applied();
  assert.deepEqual(counts, []);
  state.partitions = 2;
  notes.applied();
  assert.equal(counts.length, 1);
  notes.applied();
  assert.deepEqual(counts, [{ what: 'happened', kind: 'second-partition', times: 1 }]);
  assert.deepEqual(warnings, [
    [
      'An order is met in more than one partition: its producers do not agree on the key or the partitioner, and its order is not defined',
      { partitions: 2 },
    ],
  ]);
});

test('what is none of ours is counted and warned of, with why', () => {
  const { state, counts, warnings, notes } = given();
  notes.foreign('signal', 'no key');
  assert.deepEqual(
    [state.foreign, counts, warnings],
    [
      1,
      [{ what: 'not-ours', kind: 'signal', times: 1 }],
      [
        [
          "A signal that is none of the product's came to the workflow of an order and was dropped: find out who sends it",
          { why: 'no key' },
        ],
      ],
    ],
  );
});

test('how much waits is told when it has changed', () => {
  const { state, standing, notes } = given();
  notes.standing();
  state.standing = { waiting: 0 };
  notes.standing();
  assert.deepEqual(standing, []);
  state.standing = { waiting: 2, other: 0 };
  notes.standing();
  notes.standing();
  state.standing = { waiting: 0, other: 0 };
  notes.standing();
  assert.deepEqual(standing, [
    { waiting: 2, other: 0 },
    { waiting: 0, other: 0 },
  ]);
});

test('that signals wait for room is said once, until they have it', () => {
  const { counts, warnings, notes } = given();
  for (const waits of [false, true, true, false, true]) notes.room(waits);
  assert.deepEqual(counts, [
    { what: 'happened', kind: 'waits-for-room', times: 1 },
    { what: 'happened', kind: 'waits-for-room', times: 1 },
  ]);
  assert.deepEqual(warnings[0], [
    'The workflow of an order applies nothing until some of what it owes is published: are Kafka and the clerks there?',
    {},
  ]);
});

test('that they wait is said also when a run begins so', () => {
  const { counts, notes } = given();
  notes.room(true);
  assert.equal(counts.length, 1);
});

test('a reset is noted in the life, and warned of by the publisher', () => {
  const { state, warnings, notes } = given();
  notes.reset();
  assert.deepEqual([state.resets, warnings], [1, []]);
});
