import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { HeldOutputs } from '../../../src/engine/publish/held-outputs.ts';
import { request, SECOND_LIFE } from '../../support/publishing.ts';

const error = new CodedError('OUTPUT_REFUSED', 'too large');

function given() {
  const clock = { now: 50_000, elapsed: () => clock.now };
  return { clock, held: new HeldOutputs(clock) };
}

test('the turns of a refused output come after 2 s, then four times as late each time, and never later than 2 min', () => {
  const { clock, held } = given();
  const waited = [1, 2, 3, 4, 5, 6].map((turn) => {
    const hold = held.refuse(request('u', 1, 3), 2, error);
    assert.deepEqual([hold.seq, hold.error, hold.turns, hold.since], [2, error, turn, 50_000]);
    const ms = hold.until - clock.now;
    clock.now = hold.until - 1;
    assert.equal(held.isBarred(hold), true);
    clock.now = hold.until;
    assert.equal(held.isBarred(hold), false);
    return ms;
  });
  assert.deepEqual(waited, [2_000, 8_000, 32_000, 120_000, 120_000, 120_000]);
  assert.equal(held.size, 1);
});

test('another output of the same stream that is refused begins anew', () => {
  const { clock, held } = given();
  held.refuse(request('u', 1, 3), 2, error);
  clock.now += 500;
  const { seq, turns, since, until } = held.refuse(request('u', 3, 3), 3, error);
  assert.deepEqual([seq, turns, since, until, held.size], [3, 1, 50_500, 52_500, 1]);
});

test('it is held for its key, its stream and its life, and for no other', () => {
  const { held } = given();
  held.refuse(request('u', 1, 1), 1, error);
  assert.equal(held.of(request('u', 7, 9))?.seq, 1);
  assert.equal(held.of(request('v', 1, 1)), undefined);
  assert.equal(held.of(request('u', 1, 1, { stream: 'resolved' })), undefined);
  assert.equal(held.of(request('u', 1, 1, { incarnation: SECOND_LIFE })), undefined);
  const sameStart = { startedAt: 1_000, runId: 'run-2' };
  assert.equal(held.of(request('u', 1, 1, { incarnation: sameStart })), undefined);
  assert.equal(held.of(request('u', 1, 1, { incarnation: { startedAt: 1_001, runId: 'run-1' } })), undefined);
});

test('it ends when its output is published, and not with one before it', () => {
  const { held } = given();
  const hold = held.refuse(request('u', 1, 3), 2, error);
  assert.equal(held.published(request('u', 1, 1), 1), undefined);
  assert.equal(held.published(request('v', 2, 2), 2), undefined);
  assert.equal(held.size, 1);
  assert.equal(held.published(request('u', 1, 3), 2), hold);
  assert.equal(held.size, 0);
  assert.equal(held.published(request('u', 1, 3), 3), undefined);
});

test('one whose turn passed more than an hour ago without a request is forgotten when the next is held', () => {
  const { clock, held } = given();
  held.refuse(request('gone', 1, 1), 1, error);
  clock.now = 52_000 + 3_600_000;
  held.refuse(request('u', 1, 1), 1, error);
  assert.equal(held.size, 2);
  clock.now += 1;
  held.refuse(request('v', 1, 1), 1, error);
  assert.deepEqual([held.size, held.of(request('gone', 1, 1))], [2, undefined]);
});
