import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fifo } from '../../../src/engine/ordering/fifo.ts';
import { OrderingBuffer } from '../../../src/engine/ordering/ordering-buffer.ts';
import type { InputIndex } from '../../../src/engine/ordering/watermark.ts';
import { MONEY_INPUT, read, SESSION_INPUT, USER_INPUT } from '../bridge/given.ts';

const places = (buffer: OrderingBuffer, watermark: number) =>
  [...buffer.release(watermark)].map(({ ts, input, offset }) => [ts, input, offset]);

describe('the ordering buffer', () => {
  it('releases by (ts, user < session < money, offset)', () => {
    const buffer = new OrderingBuffer();
    for (const [ts, input, offset] of [
      [5, MONEY_INPUT, 2],
      [5, USER_INPUT, 9],
      [5, SESSION_INPUT, 1],
      [5, MONEY_INPUT, 1],
      [4, MONEY_INPUT, 3],
    ] as const) {
      buffer.hold(read(0, input, ts, { offset }));
    }
    assert.deepEqual(places(buffer, 6), [
      [4, 2, 3],
      [5, 0, 9],
      [5, 1, 1],
      [5, 2, 1],
      [5, 2, 2],
    ]);
  });

  it('releases what is before the watermark, not what is at it', () => {
    const buffer = new OrderingBuffer();
    buffer.hold(read(0, MONEY_INPUT, 10));
    buffer.hold(read(1, MONEY_INPUT, 11));
    assert.deepEqual(places(buffer, 10), []);
    assert.deepEqual(places(buffer, 11), [[10, 2, 0]]);
    assert.equal(buffer.length, 1);
  });

  it('knows how much it holds, and the largest event time', () => {
    const buffer = new OrderingBuffer();
    assert.equal(buffer.largestTs(), undefined);
    buffer.hold(read(0, MONEY_INPUT, 10, { bytes: 7 }));
    buffer.hold(read(1, MONEY_INPUT, 5, { bytes: 8 }));
    assert.deepEqual([buffer.length, buffer.bytes, buffer.largestTs()], [2, 15, 10]);
    places(buffer, 6);
    assert.deepEqual([buffer.length, buffer.bytes, buffer.largestTs()], [1, 7, 10]);
    places(buffer, Infinity);
    assert.deepEqual([buffer.length, buffer.bytes, buffer.largestTs()], [0, 0, undefined]);
  });

  it('sorts whatever it is given', () => {
    const records = fc.array(fc.tuple(fc.nat(5), fc.nat(2), fc.nat(9)), { maxLength: 50 });
    fc.assert(
      fc.property(records, (given) => {
        const buffer = new OrderingBuffer();
        for (const [ts, input, offset] of given) buffer.hold(read(0, input as InputIndex, ts, { offset }));
        const expected = [...given].sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
        assert.deepEqual(places(buffer, Infinity), expected);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the first-in first-out queue', () => {
  it('keeps the order over thousands of items', () => {
    const queue = new Fifo<number>();
    let taken = 0;
    for (let n = 0; n < 5_000; n += 1) {
      queue.push(n);
      if (n % 3 === 0) assert.equal(queue.shift(), taken++);
    }
    assert.equal(queue.length, 5_000 - taken);
    while (queue.length > 0) {
      assert.equal(queue.peek(), taken);
      assert.equal(queue.shift(), taken++);
    }
    assert.deepEqual([taken, queue.shift(), queue.peek()], [5_000, undefined, undefined]);
  });
});
