import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applied, country, money, NOTHING, session, T0, User } from './given.ts';

const low = (user: number, ofSession: number, ofMoney: number) => ({ lowWater: [user, ofSession, ofMoney] as const });

describe('redelivery: a coordinate is applied at most once, for ever', () => {
  it('drops and counts the same coordinate in a later batch', () => {
    const user = new User();
    assert.deepEqual(user.batch([money(7, { id: 'm', ts: T0 })]), applied('m first'));
    assert.deepEqual(user.batch([money(7, { id: 'm', ts: T0 })]), NOTHING);
    assert.equal(user.state.counters.redeliveriesDropped, 1);
    assert.equal(user.state.counters.duplicatesDropped, 0);
    assert.equal(user.state.counters.moneyApplied, 1);
  });

  it('drops the same coordinate within one batch', () => {
    const user = new User();
    const again = money(7, { id: 'm', ts: T0 });
    assert.deepEqual(user.batch([again, again]), applied('m first'));
    assert.equal(user.state.counters.redeliveriesDropped, 1);
  });

  it('also long after the dedup TTL, and after the record became late', () => {
    const user = new User();
    user.batch([money(7, { id: 'm', ts: T0 }), money(8, { id: 'n', ts: T0 + 3_600_000 })]);
    assert.deepEqual(user.batch([money(7, { id: 'm', ts: T0, late: T0 + 3_600_000 })]), NOTHING);
    assert.equal(user.state.counters.late, 0);
  });

  it('does not move time for a redelivered record', () => {
    const user = new User();
    user.batch([money(7, { ts: T0 })]);
    user.batch([money(7, { ts: T0, late: T0 + 5 })]);
    assert.equal(user.state.tau, T0);
  });

  it('takes the same offset of another topic or another partition for another record', () => {
    const user = new User();
    user.batch([country(7, 'UY', T0), session(7, 's', T0), money(7, { id: 'a', ts: T0 })]);
    assert.deepEqual(user.batch([money(7, { id: 'b', ts: T0 })], { partition: 1 }), applied('b -/UY'));
    assert.equal(user.state.counters.redeliveriesDropped, 0);
  });

  it('drops what is below the low water, though it was never seen; the low water itself is applied', () => {
    const user = new User();
    assert.deepEqual(
      user.batch([money(4, { id: 'a', ts: T0 }), money(5, { id: 'b', ts: T0 })], low(0, 0, 5)),
      applied('b first'),
    );
    assert.equal(user.state.counters.redeliveriesDropped, 1);
  });

  it('has a low water for each topic', () => {
    const user = new User();
    user.batch([country(2, 'UY', T0), session(2, 's', T0), money(2, { id: 'a', ts: T0, session: 's' })], low(3, 2, 1));
    assert.deepEqual(user.state.residentCountryCode, []);
    assert.deepEqual(Object.keys(user.state.sessions), ['s']);
    assert.equal(user.state.counters.moneyApplied, 1);
  });

  it('never lowers the low water', () => {
    const user = new User();
    user.batch([], low(0, 0, 5));
    assert.deepEqual(user.batch([money(4, { ts: T0 })], low(0, 0, 2)), NOTHING);
    assert.deepEqual(user.state.redelivery['0']!.lowWater, [0, 0, 5]);
  });

  it('has a low water for each partition', () => {
    const user = new User();
    user.batch([], low(0, 0, 5));
    assert.deepEqual(user.batch([money(4, { id: 'm', ts: T0 })], { partition: 1 }), applied('m first'));
  });

  it('remembers offsets above the low water as ranges, and forgets those that it passes', () => {
    const user = new User();
    user.batch([5, 3, 9, 4].map((offset) => money(offset, { ts: T0 })));
    assert.deepEqual(user.state.redelivery['0']!.above[2], [3, 6, 9, 10]);
    user.batch([], low(0, 0, 5));
    assert.deepEqual(user.state.redelivery['0']!.above[2], [5, 6, 9, 10]);
    user.batch([], low(0, 0, 6));
    assert.deepEqual(user.state.redelivery['0']!.above[2], [9, 10]);
    user.batch([], low(0, 0, 100));
    assert.deepEqual(user.state.redelivery['0']!.above[2], []);
  });
});
