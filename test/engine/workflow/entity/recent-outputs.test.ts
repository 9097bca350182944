import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentOutputs } from '../../../../src/engine/workflow/entity/recent-outputs.ts';

const outputs = (...offsets: number[]) => offsets.map((offset) => ({ partition: 0, offset }));
const shown = (recent: RecentOutputs<{ partition: number; offset: number }>) =>
  recent.outputs.map(({ output, stream, at }) => [output.offset, stream, at]);

test('the newest five are shown, the newest first, each with its own offset in the output topic', () => {
  const recent = new RecentOutputs();
  assert.deepEqual(shown(recent), []);
  recent.published('applied', outputs(1, 2), { at: 50 });
  assert.deepEqual(shown(recent), [
    [2, 'applied', 51],
    [1, 'applied', 50],
  ]);
  recent.published('resolved', outputs(3, 4, 5, 6), undefined);
  assert.deepEqual(shown(recent), [
    [6, 'resolved', undefined],
    [5, 'resolved', undefined],
    [4, 'resolved', undefined],
    [3, 'resolved', undefined],
    [2, 'applied', 51],
  ]);
  recent.published('applied', outputs(7, 8, 9, 10, 11, 12, 13), { at: 100 });
  assert.deepEqual(
    shown(recent).map(([offset, , at]) => [offset, at]),
    [
      [13, 106],
      [12, 105],
      [11, 104],
      [10, 103],
      [9, 102],
    ],
  );
});

test('nothing that was published changes nothing', () => {
  const recent = new RecentOutputs();
  recent.published('applied', outputs(1), { at: 0 });
  const before = recent.outputs;
  recent.published('applied', [], { at: 9 });
  assert.equal(recent.outputs, before);
});
