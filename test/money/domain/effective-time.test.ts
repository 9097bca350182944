import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emptyAt } from '../../../src/money/domain/apply.ts';
import { asksFor, country, DAY, HOUR, MINUTE, money, session, T0, User } from './given.ts';

describe('effective time', () => {
  it('is nothing before the first application', () => {
    const user = new User();
    user.batch([]);
    assert.equal(user.state.tau, null);
  });

  it('is the event time of what is on time, the watermark at its reading of what is late', () => {
    const user = new User();
    user.money({ ts: T0 });
    assert.equal(user.state.tau, T0);
    user.money({ ts: T0 - DAY, late: T0 + 5 });
    assert.equal(user.state.tau, T0 + 5);
    assert.equal(user.state.counters.late, 1);
  });

  it('never decreases, whatever comes', () => {
    const user = new User();
    user.money({ ts: T0 });
    user.money({ ts: T0 - 5 });
    assert.equal(user.state.tau, T0);
    user.session('s', T0 - 9, 'UY', T0 - 3);
    assert.equal(user.state.tau, T0);
    user.advance(T0 - 1);
    assert.equal(user.state.tau, T0);
    user.advance(T0 + 1);
    assert.equal(user.state.tau, T0 + 1);
  });

  it('that the watermark has reached counts for the next record', () => {
    const user = new User();
    user.session('s', T0);
    user.advance(T0 + DAY + 1);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + DAY, session: 's' }), asksFor('m'));
  });

  it('may be before 1970', () => {
    const user = new User();
    user.batch([session(0, 's', -5 * DAY), money(0, { id: 'm', ts: -4 * DAY, session: 's' })]);
    assert.equal(user.state.tau, -4 * DAY);
    assert.equal(user.state.counters.joined, 1);
    const begun = new User();
    begun.advance(-3 * DAY);
    assert.equal(begun.state.tau, -3 * DAY);
  });

  it('of a late record that is late by its own time passes what is due before it', () => {
    const user = new User();
    user.money({ id: 'a', ts: T0, session: 's' });
    assert.deepEqual(user.money({ id: 'b', ts: T0, late: T0 + HOUR + 1 }), {
      applied: ['b'],
      resolved: [],
      lookups: ['a'],
    });
  });
});

describe('when everything that expires will have expired', () => {
  it('is never when there is nothing', () => {
    const user = new User();
    assert.equal(emptyAt(user.state, user.rules), undefined);
    user.country('UY', T0);
    assert.equal(emptyAt(user.state, user.rules), undefined);
  });

  it('is a millisecond after the last TTL', () => {
    const user = new User();
    user.money({ ts: T0 });
    assert.equal(emptyAt(user.state, user.rules), T0 + MINUTE + 1);
    user.batch([country(0, 'UY', T0), country(1, 'DE', T0 + 5)]);
    assert.equal(emptyAt(user.state, user.rules), T0 + 5 + DAY + 1);
    user.batch([country(2, 'SE', T0 + 6)]);
    assert.equal(emptyAt(user.state, user.rules), T0 + 6 + DAY + 1);
    user.session('s', T0 + 7);
    assert.equal(emptyAt(user.state, user.rules), T0 + 7 + 2 * DAY + 1);
    user.advance(T0 + 7 + 2 * DAY + 1);
    assert.equal(emptyAt(user.state, user.rules), undefined);
    assert.deepEqual([user.state.sessions, user.state.dedup, user.state.residentCountryCode.length], [{}, {}, 1]);
  });
});
