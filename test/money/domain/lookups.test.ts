import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applied, HOUR, MINUTE, NOTHING, T0, User } from './given.ts';

const WALL = T0 + HOUR;

function asked(): User {
  const user = new User();
  user.now = WALL;
  user.money({ id: 'm', ts: T0, session: 's', old: true });
  return user;
}

describe('lookups', () => {
  it('found: comes out with the country of the answer', () => {
    const user = asked();
    assert.equal(user.answer('m', { status: 'found', clientCountryCode: 'SE' }), 'm =SE first');
    assert.deepEqual(user.state.lookups, []);
    assert.equal(user.state.counters.lookedUp, 1);
    assert.equal(user.state.counters.incomplete, 0);
  });

  it('not found: comes out without session info, and is complete', () => {
    const user = asked();
    assert.equal(user.answer('m', { status: 'not-found' }), 'm first');
    assert.equal(user.state.counters.incomplete, 0);
  });

  it('given up: comes out without session info, marked incomplete', () => {
    const user = asked();
    assert.equal(user.answer('m', { status: 'given-up' }), 'm ! first');
    assert.equal(user.state.counters.lookedUp, 1);
    assert.equal(user.state.counters.incomplete, 1);
  });

  it('are given up after a time of the wall clock from when they are asked for', () => {
    assert.equal(asked().lookup('m').giveUpAt, WALL + 10 * MINUTE);
    const user = new User();
    user.now = WALL;
    user.money({ id: 'm', ts: T0, session: 's' });
    user.now = WALL + 5;
    user.advance(T0 + HOUR + 1);
    assert.equal(user.lookup('m').giveUpAt, WALL + 5 + 10 * MINUTE);
    const byWallClock = new User();
    byWallClock.now = WALL;
    byWallClock.money({ id: 'm', ts: T0, session: 's' });
    byWallClock.passWallClock(WALL + HOUR + 3);
    assert.equal(byWallClock.lookup('m').giveUpAt, WALL + HOUR + 3 + 10 * MINUTE);
  });

  it('have no such time in a backfill', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0, session: 's', old: true });
    assert.equal(user.lookup('m').giveUpAt, undefined);
  });

  it('hold up nothing, and are answered in any order', () => {
    const user = asked();
    user.money({ id: 'n', ts: T0 + 1, session: 's', old: true });
    assert.deepEqual(user.money({ id: 'free', ts: T0 + 2 }), applied('free'));
    assert.equal(user.answer('n', { status: 'found', clientCountryCode: 'UY' }), 'n =UY');
    assert.equal(user.answer('m', { status: 'found', clientCountryCode: 'UY' }), 'm =UY first');
  });

  it('are not ended by the session that comes meanwhile', () => {
    const user = asked();
    assert.deepEqual(user.session('s', T0 + 1, 'DE'), NOTHING);
    assert.equal(user.answer('m', { status: 'not-found' }), 'm first');
  });

  it('name the place of their money record', () => {
    const user = asked();
    const { partition, offset } = user.lookup('m');
    assert.deepEqual({ partition, offset }, { partition: 0, offset: 0 });
  });
});
