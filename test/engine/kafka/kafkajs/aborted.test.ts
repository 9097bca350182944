/** Finding: kafkajs shows aborted records when aborted transactions of several producers overlap. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutAborted } from '../../../../src/engine/kafka/kafkajs/aborted.ts';
import type { RawRecord } from '../../../../src/engine/kafka/kafkajs/aborted.ts';

const data = (
  offset: number,
  producerId: string,
  key: readonly number[] | null = null,
  inTransaction = true,
): RawRecord => ({
  offset: String(offset),
  key: key === null ? null : Buffer.from(key),
  isControlRecord: false,
  batchContext: { producerId, inTransaction },
});
const abort = (offset: number, producerId: string): RawRecord => ({
  ...data(offset, producerId, [0, 0, 0, 0]),
  isControlRecord: true,
});
const commit = (offset: number, producerId: string): RawRecord => ({
  ...data(offset, producerId, [0, 0, 0, 1]),
  isControlRecord: true,
});
/** Offsets of the data that is left. */
const seen = (records: readonly RawRecord[], aborted: readonly (readonly [string, number])[]): number[] =>
  withoutAborted(
    records,
    aborted.map(([producerId, firstOffset]) => ({ producerId, firstOffset: String(firstOffset) })),
  )
    .filter(({ isControlRecord }) => isControlRecord !== true)
    .map(({ offset }) => Number(offset));

test('nothing aborted, nothing removed', () => {
  assert.deepEqual(seen([data(1, 'A'), commit(2, 'A'), data(3, 'B', null, false)], []), [1, 3]);
});

test('a transaction is removed up to its marker', () => {
  assert.deepEqual(seen([data(1, 'A'), data(2, 'A'), abort(3, 'A'), data(4, 'A'), commit(5, 'A')], [['A', 1]]), [4]);
});

test('two transactions that began before the fetch', () => {
  assert.deepEqual(
    seen(
      [data(10, 'B'), data(11, 'A'), data(12, 'C')],
      [
        ['A', 3],
        ['B', 5],
      ],
    ),
    [12],
  );
});

test('the broker lists them in the order of their abortion, not of their beginning', () => {
  const log = [
    data(1, 'B'),
    data(2, 'A'),
    data(3, 'B'),
    abort(4, 'A'),
    data(5, 'B'),
    abort(6, 'B'),
    data(7, 'C'),
    commit(8, 'C'),
  ];
  assert.deepEqual(
    seen(log, [
      ['A', 2],
      ['B', 1],
    ]),
    [7],
  );
});

test('one producer aborts, commits and aborts again', () => {
  const log = [
    data(1, 'A'),
    abort(2, 'A'),
    data(3, 'A'),
    commit(4, 'A'),
    data(5, 'A'),
    abort(6, 'A'),
    data(7, 'A'),
    commit(8, 'A'),
  ];
  assert.deepEqual(
    seen(log, [
      ['A', 1],
      ['A', 5],
    ]),
    [3, 7],
  );
});

test('a data record whose key is four zero bytes is no abort marker', () => {
  const zeros = [0, 0, 0, 0];
  assert.deepEqual(seen([data(1, 'A'), data(2, 'A', zeros), data(3, 'A'), abort(4, 'A')], [['A', 1]]), []);
  assert.deepEqual(seen([data(1, 'B', zeros), commit(2, 'B')], [['A', 1]]), [1]);
});

test('records outside of transactions are never removed', () => {
  assert.deepEqual(seen([data(1, 'A'), data(2, 'A', null, false), abort(3, 'A')], [['A', 1]]), [2]);
});

test('offsets are compared as numbers', () => {
  assert.deepEqual(seen([data(9, 'A'), data(10, 'A'), abort(11, 'A')], [['A', 10]]), [9]);
});
