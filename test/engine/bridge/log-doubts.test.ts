import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogDoubts } from '../../../src/engine/bridge/log-doubts.ts';

const LAST = { offset: 9, print: 1 };
const same = async () => LAST;
const another = async () => ({ offset: 9, print: 2 });

test('nothing is asked where nothing is in doubt, and what was fetched last when the doubt began decides', async () => {
  const doubts = new LogDoubts();
  const never = () => assert.fail('asked');
  assert.equal(await doubts.other(2, { start: 0, end: 20 }, never), undefined);
  doubts.begin(2, undefined);
  assert.equal(await doubts.other(2, { start: 0, end: 20 }, never), undefined);
  doubts.begin(2, LAST);
  doubts.begin(2, { offset: 15, print: 7 });
  assert.deepEqual(await doubts.other(2, { start: 0, end: 20 }, another), LAST);
  assert.equal(await doubts.other(2, { start: 0, end: 20 }, never), undefined);
});

test('it is asked when the log reaches so far again; nothing is concluded where the record is gone', async () => {
  const doubts = new LogDoubts();
  doubts.begin(0, LAST);
  assert.equal(await doubts.other(0, { start: 0, end: 9 }, another), undefined);
  assert.deepEqual(await doubts.other(0, { start: 0, end: 10 }, another), LAST);
  doubts.begin(0, LAST);
  assert.equal(await doubts.other(0, { start: 10, end: 20 }, another), undefined);
  doubts.begin(0, LAST);
  assert.equal(await doubts.other(0, { start: 0, end: 20 }, same), undefined);
  doubts.begin(0, LAST);
  assert.equal(await doubts.other(0, { start: 0, end: 20 }, async () => undefined), undefined);
});

test('a question that fails leaves the doubt, and while one is out nothing may be concluded from what is read', async () => {
  const doubts = new LogDoubts();
  doubts.begin(0, LAST);
  const asking = doubts.other(0, { start: 0, end: 20 }, () => Promise.reject(new Error('no leader')));
  assert.equal(doubts.checking, true);
  await assert.rejects(asking, /no leader/);
  assert.equal(doubts.checking, false);
  assert.deepEqual(await doubts.other(0, { start: 0, end: 20 }, another), LAST);
});
