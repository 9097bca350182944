import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Oldest } from '../../../src/money/domain/oldest.ts';

const numbers = (items?: readonly number[]) => new Oldest<number>((a, b) => a - b, items);
const drained = (oldest: Oldest<number>): number[] => {
  const all: number[] = [];
  for (let item = oldest.take(); item !== undefined; item = oldest.take()) all.push(item);
  return all;
};

test('nothing comes out of an empty one', () => {
  const oldest = numbers();
  assert.deepEqual([oldest.size, oldest.first, oldest.take(), oldest.size], [0, undefined, undefined, 0]);
});

test('the first is looked at without being taken', () => {
  const oldest = numbers([3, 1, 2]);
  assert.deepEqual([oldest.first, oldest.size], [1, 3]);
  assert.deepEqual([oldest.take(), oldest.first, oldest.size], [1, 2, 2]);
});

test('whatever goes in, in whatever order, the first of the order comes out', () => {
  const step = fc.oneof({ weight: 2, arbitrary: fc.nat(30) }, fc.constant('take' as const));
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 20 }), fc.array(step, { maxLength: 60 }), (begin, steps) => {
      const oldest = numbers(begin);
      const sorted = begin.toSorted((a, b) => a - b);
      for (const one of steps) {
        if (one === 'take') assert.equal(oldest.take(), sorted.shift());
        else {
          oldest.add(one);
          sorted.push(one);
          sorted.sort((a, b) => a - b);
        }
        assert.deepEqual([oldest.size, oldest.first], [sorted.length, sorted[0]]);
      }
      assert.deepEqual(drained(oldest), sorted);
    }),
  );
});

test('it costs few comparisons: adding to a thousand less than twelve, taking less than twenty-two', () => {
  let compared = 0;
  const order = (a: number, b: number): number => {
    compared += 1;
    return a - b;
  };
  const oldest = new Oldest<number>(
    order,
    Array.from({ length: 1_000 }, (_, n) => n),
  );
  compared = 0;
  oldest.add(-1);
  assert.ok(compared < 12, `${compared}`);
  compared = 0;
  oldest.take();
  assert.ok(compared < 22, `${compared}`);
});

test('among equal ones, whichever they are, adding costs one comparison and taking two', () => {
  let compared = 0;
  const oldest = new Oldest<number>(() => {
    compared += 1;
    return 0;
  }, Array(1_000).fill(0));
  compared = 0;
  oldest.add(0);
  assert.equal(compared, 1);
  oldest.take();
  assert.equal(compared, 3);
});
