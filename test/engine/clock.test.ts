import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { atMost, orAborted } from '../../src/engine/clock.ts';
import { ManualClock } from '../support/manual-clock.ts';

const never = new Promise<void>(() => undefined);

test('work is waited for at most so long, and its error is told meanwhile', async () => {
  const clock = new ManualClock();
  let over = false;
  const waited = atMost(clock, 5_000, never).then(() => (over = true));
  clock.advance(4_999);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(over, false);
  clock.advance(1);
  await waited;
  await atMost(clock, 5_000, Promise.resolve());
  await assert.rejects(atMost(clock, 5_000, Promise.reject(new Error('it failed'))), /it failed/);
});

test('who waits again and again for an end that does not come leaves no listener behind', async () => {
  const { signal } = new AbortController();
  for (let turn = 0; turn < 20; turn += 1) await orAborted(Promise.resolve(), signal);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('the end ends the wait, also one that is there already', async () => {
  const ending = new AbortController();
  const waited = orAborted(never, ending.signal);
  ending.abort();
  await waited;
  await orAborted(never, ending.signal);
  assert.equal(getEventListeners(ending.signal, 'abort').length, 0);
});
