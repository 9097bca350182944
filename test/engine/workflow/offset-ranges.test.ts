import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { addOffset, dropBelow, hasOffset } from '../../../src/engine/workflow/offset-ranges.ts';
import type { OffsetRanges } from '../../../src/engine/workflow/offset-ranges.ts';

function ranges(...offsets: number[]): OffsetRanges {
  const made: OffsetRanges = [];
  for (const offset of offsets) addOffset(made, offset);
  return made;
}

describe('offset ranges', () => {
  it('grow before, after and between their neighbours', () => {
    assert.deepEqual(ranges(5), [5, 6]);
    assert.deepEqual(ranges(5, 6), [5, 7]);
    assert.deepEqual(ranges(5, 4), [4, 6]);
    assert.deepEqual(ranges(5, 7), [5, 6, 7, 8]);
    assert.deepEqual(ranges(5, 7, 6), [5, 8]);
    assert.deepEqual(ranges(5, 5), [5, 6]);
    assert.deepEqual(ranges(0), [0, 1]);
  });

  it('are cut at an offset before, in, at the end of and behind a range', () => {
    const cut = (low: number) => {
      const set = [3, 6, 9, 10];
      dropBelow(set, low);
      return set;
    };
    assert.deepEqual(cut(0), [3, 6, 9, 10]);
    assert.deepEqual(cut(3), [3, 6, 9, 10]);
    assert.deepEqual(cut(4), [4, 6, 9, 10]);
    assert.deepEqual(cut(6), [9, 10]);
    assert.deepEqual(cut(9), [9, 10]);
    assert.deepEqual(cut(10), []);
  });

  it('are a set of offsets, whatever the order', () => {
    const step = fc.oneof(
      { weight: 9, arbitrary: fc.record({ add: fc.nat(40) }) },
      fc.record({ dropBelow: fc.nat(40) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const set = new Set<number>();
        const made: OffsetRanges = [];
        for (const given of steps) {
          if ('add' in given) {
            set.add(given.add);
            addOffset(made, given.add);
          } else {
            for (const offset of set) if (offset < given.dropBelow) set.delete(offset);
            dropBelow(made, given.dropBelow);
          }
        }
        for (let offset = 0; offset <= 41; offset += 1) {
          assert.equal(hasOffset(made, offset), set.has(offset), `offset ${offset}`);
        }
        // Sorted and disjoint, no two ranges touch.
        for (let at = 1; at < made.length; at += 1) assert.ok(made[at - 1]! < made[at]!);
      }),
      { numRuns: 300 },
    );
  });
});
