import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginning, NO_WORKFLOW, ofNextRun, underItsName } from '../../../../src/engine/workflow/entity/life.ts';
import { canBeCarried, hasRoomFor } from '../../../../src/engine/workflow/entity/room.ts';

const NAME = { startedAt: 7, runId: 'r' };

test('a life begins with nothing published and nothing owed', () => {
  assert.deepEqual(beginning(NAME), {
    incarnation: NAME,
    rules: null,
    partition: 0,
    published: { applied: 0, resolved: 0 },
    unpublished: [],
  });
});

test('a life goes on under its own name, and one without a name gets that of its workflow', () => {
  const other = { startedAt: 9, runId: 'other' };
  assert.deepEqual(underItsName(beginning(NAME), other).incarnation, NAME);
  assert.deepEqual(underItsName(beginning(NO_WORKFLOW), other), beginning(other));
  assert.deepEqual(NO_WORKFLOW, { startedAt: 0, runId: '' }, 'as it is stored');
});

test('runs are counted from the second on', () => {
  const second = ofNextRun(beginning(NAME));
  assert.equal(second.runs, 1);
  assert.equal(ofNextRun(second).runs, 2);
});

test('what is carried has 2,040,000 bytes at most', () => {
  const life = beginning(NAME);
  const carries = (bytes: number) => canBeCarried({ sizes: { carried: () => bytes, growth: () => 0 } }, life);
  assert.deepEqual([carries(2_040_000), carries(2_040_001)], [true, false]);
});

test('what follows from a batch has to fit beside what is owed; where nothing is owed it may be anything', () => {
  const may = (bytes: number, { questions = 0, outputs = 0 }) =>
    hasRoomFor(
      bytes,
      {
        sizes: { carried: () => 2_000_000, growth: () => 0 },
        questions: { open: () => Array.from({ length: questions }, () => ({})) },
      },
      { ...beginning(NAME), unpublished: Array.from({ length: outputs }, () => ({ partition: 0, offset: 1 })) },
    );
  assert.equal(may(40_000, { questions: 1 }), true);
  assert.equal(may(40_001, { questions: 1 }), false);
  assert.equal(may(40_001, { outputs: 1 }), false);
  assert.equal(may(9_000_000, {}), true);
});
