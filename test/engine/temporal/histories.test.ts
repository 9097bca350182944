/** What the server does not know is undefined; every other failure is the caller's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orNothing } from '../../../src/engine/temporal/histories.ts';

const answer = (code: number): Error => Object.assign(new Error(`${code}`), { code, details: '', metadata: {} });

// With the client not loaded yet: a rejection that nobody awaits meanwhile would end the process.
test('an answer that is there before the client is loaded', async () => {
  assert.equal(await orNothing(Promise.reject(answer(5))), undefined);
});

test('found, not found, and not answered', async () => {
  assert.equal(await orNothing(Promise.resolve('found')), 'found');
  assert.equal(await orNothing(Promise.reject(answer(5))), undefined);
  await assert.rejects(orNothing(Promise.reject(answer(14))), /^Error: 14$/);
});
