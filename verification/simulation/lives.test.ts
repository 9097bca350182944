import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventBatch } from '../../workflows/messages.ts';
import { Lives } from './lives.ts';

const USER = 'u';

/** Whether the last life was sent its records in no order. Each life: its signals, by offset. */
function inNoOrder(...lives: readonly (readonly (readonly number[])[])[]): boolean {
  const seen = new Lives((input, partition, offset) => `${input}/${partition}/${offset}`);
  for (const [index, signals] of lives.entries()) {
    for (const offsets of signals) {
      const records = offsets.map((offset) => ({ offset, event: { type: 'money' } }));
      const batch = { partition: 0, lowWater: [0, 0, 0], records } as unknown as EventBatch;
      seen.signalled(USER, { startedAt: 1, runId: `run-${index}` }, batch);
    }
  }
  return seen.of(USER).at(-1)!.inNoOrder;
}

test('a life that is sent all of the one before again, in its signals or in others, is in order', () => {
  assert.equal(
    inNoOrder(
      [
        [0, 1],
        [2, 3],
      ],
      [[0, 1, 2], [3]],
    ),
    false,
  );
  assert.equal(
    inNoOrder(
      [
        [0, 1],
        [2, 3],
      ],
      [[1, 2, 3], [4], [5]],
    ),
    false,
  );
});

test('a life is in no order that gets what one before it had behind what follows that', () => {
  assert.equal(inNoOrder([[0, 1, 2]], [[3], [1, 2]]), true);
  // A signal whose answer was lost reached both; then the place before it was read again.
  assert.equal(
    inNoOrder(
      [[0], [1, 2]],
      [
        [1, 2],
        [0, 1, 2],
      ],
    ),
    true,
  );
});

test('the same signal twice changes nothing', () => {
  assert.equal(inNoOrder([[0, 1]], [[0, 1], [0, 1], [2]]), false);
});

test('what a dead bridge brings below the low water that another has told is not known to the workflow', () => {
  const seen = new Lives((input, partition, offset) => `${input}/${partition}/${offset}`);
  const signalled = (lowWater: number, ...offsets: readonly number[]): string[] => {
    const records = offsets.map((offset) => ({ offset, event: { type: 'money' } }));
    const batch = { partition: 0, lowWater: [0, 0, lowWater], records } as unknown as EventBatch;
    return seen.signalled(USER, { startedAt: 1, runId: 'run' }, batch);
  };
  assert.deepEqual(signalled(28, 28), ['money/0/28']);
  // 29 to 34 went from the log.
  assert.deepEqual(signalled(35, 35), ['money/0/35']);
  assert.deepEqual(signalled(29, 29, 30, 35), ['money/0/35']);
});
