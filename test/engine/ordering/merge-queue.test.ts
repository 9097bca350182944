import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MergeQueue } from '../../../src/engine/ordering/merge-queue.ts';
import type { InputIndex } from '../../../src/engine/ordering/watermark.ts';
import { fetched, MONEY_INPUT, SESSION_INPUT, USER_INPUT } from '../bridge/given.ts';

/** ms after the arrival of a record at which the end of an empty log counts. */
const GRACE = 300;
const NOW = 1_000_000;
const NAMES = ['user', 'session', 'money'];

/** Logs by input, as lists of Kafka timestamps, all fetched at NOW. */
function queueOf(user: number[], session: number[], money: number[]): MergeQueue {
  const queue = new MergeQueue([0, 0, 0]);
  [user, session, money].forEach((timestamps, input) => offer(queue, input as InputIndex, 0, timestamps));
  return queue;
}

function offer(queue: MergeQueue, input: InputIndex, from: number, timestamps: number[], at = NOW): void {
  const records = timestamps.map((timestamp, index) => fetched(input, from + index, { ts: timestamp }));
  queue.offer(input, records, from + timestamps.length, at);
}

function sawAllEnds(queue: MergeQueue, at = NOW + GRACE): void {
  for (const input of [0, 1, 2] as const) queue.sawEnd(input, queue.nextFetch(input), at);
}

/** Takes as far as it can: `<input><offset>`, and how it ended. */
function drain(queue: MergeQueue, only?: InputIndex[]): string[] {
  const taken: string[] = [];
  for (;;) {
    const next = queue.next(only);
    if (next === undefined || next === 'blocked') return [...taken, ...(next === undefined ? [] : [next])];
    taken.push(`${NAMES[next]}${queue.take(next).offset}`);
  }
}

describe('merged reading', () => {
  it('is by Kafka timestamp, then user < session < money, then offset', () => {
    const queue = queueOf([5, 9], [5, 5], [1, 5, 9]);
    sawAllEnds(queue);
    assert.deepEqual(drain(queue), ['money0', 'user0', 'session0', 'session1', 'money1', 'user1', 'money2']);
  });

  it('keeps the order of offsets within an input, whatever the timestamps', () => {
    const queue = queueOf([], [4], [7, 2, 3]);
    sawAllEnds(queue);
    assert.deepEqual(drain(queue), ['session0', 'money0', 'money1', 'money2']);
  });

  it('has nothing to give when nothing was fetched', () => {
    assert.equal(new MergeQueue([3, 4, 5]).next(), undefined);
  });

  it('waits for an input that is empty, until its end is seen after the grace', () => {
    const queue = queueOf([], [2], [1]);
    assert.equal(queue.next(), 'blocked');
    queue.sawEnd(USER_INPUT, 0, NOW + GRACE - 1);
    assert.equal(queue.next(), 'blocked');
    queue.sawEnd(USER_INPUT, 0, NOW + GRACE);
    assert.equal(queue.next(), MONEY_INPUT);
  });

  it('waits while the log of an empty input has more than was fetched', () => {
    const queue = queueOf([], [2], [1]);
    queue.sawEnd(USER_INPUT, 1, NOW + GRACE);
    assert.equal(queue.next(), 'blocked');
    // What was on its way comes first, though its timestamp is equal.
    offer(queue, USER_INPUT, 0, [1], NOW + GRACE);
    assert.equal(queue.next(), USER_INPUT);
  });

  it('goes on past a fetch that brought only control records', () => {
    const queue = queueOf([], [2], [1]);
    queue.sawEnd(USER_INPUT, 1, NOW + GRACE);
    queue.offer(USER_INPUT, [], 1, NOW + GRACE);
    assert.equal(queue.next(), MONEY_INPUT);
  });

  it('has to see the end again for each arrival', () => {
    const queue = queueOf([], [], [1]);
    sawAllEnds(queue);
    assert.deepEqual(drain(queue), ['money0']);
    offer(queue, MONEY_INPUT, 1, [2], NOW + 10_000);
    assert.equal(queue.next(), 'blocked');
    sawAllEnds(queue, NOW + 10_000 + GRACE);
    assert.deepEqual(drain(queue), ['money1']);
  });

  it('does not wait while all inputs have something', () => {
    const queue = queueOf([1], [2], [3]);
    assert.deepEqual(drain(queue), ['user0', 'blocked']);
  });

  it('of some inputs only is merged among these, and waits for these only', () => {
    const queue = queueOf([1], [5], [3, 6]);
    assert.deepEqual(drain(queue, [SESSION_INPUT, MONEY_INPUT]), ['money0', 'session0', 'blocked']);
    const other = queueOf([1], [], [3]);
    assert.deepEqual(drain(other, [MONEY_INPUT]), ['money0']);
    assert.equal(other.next([MONEY_INPUT]), undefined);
    assert.equal(other.next([]), undefined);
  });
});

describe('what the merge queue knows', () => {
  it('where the next fetch starts', () => {
    const queue = new MergeQueue([7, 0, 0]);
    assert.equal(queue.nextFetch(USER_INPUT), 7);
    offer(queue, USER_INPUT, 7, [1, 2]);
    assert.equal(queue.nextFetch(USER_INPUT), 9);
    // Transaction markers take offsets too.
    queue.offer(USER_INPUT, [], 12, NOW);
    assert.equal(queue.nextFetch(USER_INPUT), 12);
  });

  it('how much is queued', () => {
    const queue = queueOf([], [], [1, 2, 3]);
    assert.deepEqual(queue.size(MONEY_INPUT), { records: 3, bytes: 30 });
    queue.take(MONEY_INPUT);
    assert.deepEqual(queue.size(MONEY_INPUT), { records: 2, bytes: 20 });
    assert.deepEqual(queue.size(USER_INPUT), { records: 0, bytes: 0 });
  });

  it('whether everything up to the end was taken', () => {
    const queue = queueOf([], [], [1]);
    assert.equal(queue.atEnd(MONEY_INPUT), false);
    sawAllEnds(queue);
    assert.equal(queue.atEnd(USER_INPUT), true);
    assert.equal(queue.atEnd(MONEY_INPUT), false);
    queue.take(MONEY_INPUT);
    assert.equal(queue.atEnd(MONEY_INPUT), true);
    queue.sawEnd(MONEY_INPUT, 2, NOW);
    assert.equal(queue.atEnd(MONEY_INPUT), false);
  });
});
