/** When a run continues as new: the counts are those of docs/guarantees.md. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RunLength } from '../../../../src/engine/workflow/entity/run-length.ts';

const SHORT = { events: 10, bytes: 1_000, continueAsNewSuggested: false, newVersion: false };
const NEVER = (): boolean => assert.fail('nothing was to be decided by the release that recorded the history');

function withSignals(count: number, carried = 0): RunLength {
  const length = new RunLength(carried);
  for (let n = 0; n < count; n += 1) length.signal();
  return length;
}

describe('a run continues as new', () => {
  it('after 100 signals, or 400 events', () => {
    assert.equal(withSignals(99).isOver(SHORT, NEVER), false);
    assert.equal(withSignals(100).isOver(SHORT, NEVER), true);
    assert.equal(withSignals(0).isOver({ ...SHORT, events: 399 }, NEVER), false);
    assert.equal(withSignals(0).isOver({ ...SHORT, events: 400 }, NEVER), true);
  });

  it('later with a large state: four times as late at most, and ten times in histories of releases before', () => {
    const asked: string[] = [];
    const recordedBy =
      (release: 'now' | 'before') =>
      (change: string): boolean => {
        asked.push(change);
        return release === 'now';
      };
    assert.equal(withSignals(199, 100_000).isOver(SHORT, NEVER), false);
    assert.equal(withSignals(200, 100_000).isOver(SHORT, NEVER), true);
    assert.equal(withSignals(399, 5_000_000).isOver(SHORT, NEVER), false);
    assert.equal(withSignals(400, 5_000_000).isOver(SHORT, recordedBy('now')), true);
    assert.equal(withSignals(999, 5_000_000).isOver(SHORT, recordedBy('before')), false);
    assert.equal(withSignals(1_000, 5_000_000).isOver(SHORT, NEVER), true);
    assert.deepEqual(asked, ['shorter-runs', 'shorter-runs']);
  });

  it('after as many events for each length, in histories of today', () => {
    const large = (): RunLength => withSignals(0, 5_000_000);
    assert.equal(large().isOver({ ...SHORT, events: 1_599 }, NEVER), false);
    assert.equal(
      large().isOver({ ...SHORT, events: 1_600 }, () => true),
      true,
    );
    assert.equal(large().isOverfilled({ ...SHORT, events: 1_599 }), false);
    assert.equal(large().isOverfilled({ ...SHORT, events: 1_600 }), true);
  });

  it('after 5,000 records, in histories of today', () => {
    const length = new RunLength(0);
    length.took(4_999);
    assert.equal(length.isOver(SHORT, NEVER), false);
    length.took(1);
    assert.equal(
      length.isOver(SHORT, () => true),
      true,
    );
    assert.equal(
      length.isOver(SHORT, () => false),
      false,
    );
  });

  it('at 4 MB, when Temporal suggests it, for a new version, and when it is nudged', () => {
    assert.equal(withSignals(0).isOver({ ...SHORT, bytes: 3_999_999 }, NEVER), false);
    assert.equal(withSignals(0).isOver({ ...SHORT, bytes: 4_000_000 }, NEVER), true);
    assert.equal(withSignals(0).isOver({ ...SHORT, continueAsNewSuggested: true }, NEVER), true);
    assert.equal(withSignals(0).isOver({ ...SHORT, newVersion: true }, NEVER), true);
    const nudged = new RunLength(0);
    nudged.nudge();
    assert.equal(nudged.isOver(SHORT, NEVER), true);
  });

  it('for signals that are not ours as soon as a run of ours would, but for no new version and no nudge', () => {
    assert.equal(withSignals(99).isOverfilled(SHORT), false);
    assert.equal(withSignals(100).isOverfilled(SHORT), true);
    assert.equal(withSignals(400, 5_000_000).isOverfilled(SHORT), true);
    assert.equal(withSignals(0).isOverfilled({ ...SHORT, bytes: 4_000_000 }), true);
    assert.equal(withSignals(0).isOverfilled({ ...SHORT, newVersion: true }), false);
  });
});
