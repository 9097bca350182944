import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Brake } from '../../../src/engine/ordering/brake.ts';

/** Offers one record after the other, `x` an unusable one; says where it stopped. */
function offer(brake: Brake, records: string, { from = 0, input = 0 } = {}): string {
  for (const [index, record] of [...records].entries()) {
    const stop = brake.stopBefore(input, from + index, record !== 'x');
    if (stop !== undefined) return `before ${stop.offset}: ${stop.unusable} of ${stop.records}`;
  }
  return 'never';
}

const half = (releasedBelow = [0, 0]): Brake => new Brake({ share: 0.5, records: 10 }, releasedBelow);

describe('the brake', () => {
  it('stops before the record that makes it more than the share, and not before that', () => {
    assert.equal(offer(half(), 'xxxxx'), 'never');
    assert.equal(offer(half(), 'xxxxxx'), 'before 5: 6 of 10');
    assert.equal(offer(half(), '.x.x.x.x.x.x.x.x.x.x.x'), 'never');
    assert.equal(offer(half(), '.x.x.x.x.x.xx'), 'before 12: 6 of 10');
  });

  it('forgets what is further back', () => {
    assert.equal(offer(half(), `xxxxx${'.'.repeat(10)}xxxxx`), 'never');
    assert.equal(offer(half(), 'xxxxx.....x.x'), 'never');
    assert.equal(offer(half(), 'xxxxx....x'), 'before 9: 6 of 10');
  });

  it('counts each input for itself', () => {
    const brake = half();
    assert.equal(offer(brake, 'xxxxx', { input: 0 }), 'never');
    assert.equal(offer(brake, 'xxxxx', { input: 1 }), 'never');
    assert.equal(offer(brake, 'x', { input: 1, from: 5 }), 'before 5: 6 of 10');
  });

  it('lets pass what was released, and does not count it', () => {
    const brake = half([20, 0]);
    assert.equal(offer(brake, 'x'.repeat(20)), 'never');
    assert.equal(offer(brake, 'xxxxxx', { from: 20 }), 'before 25: 6 of 10');
  });
});
