import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HistoryGuard, MAX_HISTORY } from '../../../src/engine/bridge/history-guard.ts';
import type { Clock } from '../../../src/engine/clock.ts';

const forEver = new AbortController().signal;

/** A user whose history has these lengths at the looks that are taken, one after the other. */
function guardOver(...histories: ({ events: number; bytes: number; busy?: boolean } | null)[]) {
  const looks: string[] = [];
  let slept = 0;
  const clock: Clock = { now: () => 0, elapsed: () => 0, sleep: async () => void (slept += 1) };
  const history = async (userId: string) => {
    looks.push(userId);
    const length = histories.shift();
    return length ? { busy: true, ...length } : null;
  };
  return { guard: new HistoryGuard({ history }, clock), looks, slept: () => slept };
}

const short = { events: 10, bytes: 1_000 };
const of = (bytes: number, records = 1) => ({ bytes, records });

test('a user may be signalled 200 times before its history is looked at', async () => {
  const { guard, looks } = guardOver(short);
  for (let n = 0; n < 200; n += 1) assert.equal(guard.admit('a', of(100), forEver), undefined);
  await guard.admit('a', of(100), forEver);
  assert.deepEqual(looks, ['a']);
  assert.equal(guard.admit('a', of(100), forEver), undefined, 'and then again');
  assert.equal(guard.admit('b', of(100), forEver), undefined, 'others are counted by themselves');
});

test('or with a megabyte', async () => {
  const { guard, looks } = guardOver(short);
  assert.equal(guard.admit('a', of(1_000_000), forEver), undefined);
  await guard.admit('a', of(100), forEver);
  assert.deepEqual(looks, ['a']);
});

test('or with 2,500 records; then its signals wait until all that was signalled is applied, however short its history is', async () => {
  const { guard, looks, slept } = guardOver(
    { ...short, busy: true },
    { ...short, busy: true },
    { ...short, busy: false },
  );
  for (let n = 0; n < 5; n += 1) assert.equal(guard.admit('a', of(10_000, 500), forEver), undefined);
  await guard.admit('a', of(10_000, 500), forEver);
  assert.equal(looks.length, 3);
  assert.equal(slept(), 2);
  for (let n = 0; n < 4; n += 1) assert.equal(guard.admit('a', of(10_000, 500), forEver), undefined, 'and then again');
  assert.notEqual(guard.admit('a', of(10_000, 500), forEver), undefined);
});

test('a look at its length says nothing of what is applied: full signals reach the megabyte before the 2,500 records', async () => {
  const { guard, looks, slept } = guardOver(
    { ...short, busy: true },
    { ...short, busy: true },
    { ...short, busy: false },
  );
  for (let n = 0; n < 5; n += 1) assert.equal(guard.admit('a', of(200_000, 400), forEver), undefined);
  await guard.admit('a', of(200_000, 400), forEver);
  assert.deepEqual([looks.length, slept()], [1, 0], 'its length');
  assert.equal(guard.admit('a', of(200_000, 400), forEver), undefined);
  await guard.admit('a', of(200_000, 400), forEver);
  assert.deepEqual([looks.length, slept()], [3, 1], 'whether all is applied');
});

test('while the history is long its signals wait', async () => {
  const long = { events: MAX_HISTORY.events, bytes: 0 };
  const large = { events: 0, bytes: MAX_HISTORY.bytes };
  const { guard, looks, slept } = guardOver(long, large, short);
  assert.equal(guard.admit('a', of(1_000_000), forEver), undefined);
  await guard.admit('a', of(100), forEver);
  assert.equal(looks.length, 3);
  assert.equal(slept(), 2);
});

test('a workflow that is gone holds nothing up, and neither does an ended generation', async () => {
  const gone = guardOver(null);
  assert.equal(gone.guard.admit('a', of(1_000_000), forEver), undefined);
  await gone.guard.admit('a', of(100), forEver);
  assert.equal(gone.looks.length, 1);

  const ended = guardOver({ events: 0, bytes: MAX_HISTORY.bytes });
  assert.equal(ended.guard.admit('a', of(1_000_000), forEver), undefined);
  await ended.guard.admit('a', of(100), AbortSignal.abort());
  assert.equal(ended.looks.length, 0);
});

test('a wait that ended with its generation is no look: the next generation does not send 200 more without one', async () => {
  const { guard, looks } = guardOver(
    { events: MAX_HISTORY.events, bytes: 0 },
    { events: MAX_HISTORY.events, bytes: 0 },
  );
  assert.equal(guard.admit('a', of(1_000_000), forEver), undefined);
  const ended = new AbortController();
  const wait = guard.admit('a', of(100), ended.signal);
  ended.abort();
  await wait;
  assert.notEqual(guard.admit('a', of(100), forEver), undefined);
  assert.deepEqual(looks, ['a', 'a']);
});
