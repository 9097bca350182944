import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applied, DAY, MINUTE, money, NOTHING, T0, User } from './given.ts';

describe('dedup by money id', () => {
  it('drops and counts a duplicate within the TTL', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0 });
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 1 }), NOTHING);
    assert.equal(user.state.counters.duplicatesDropped, 1);
    assert.equal(user.state.counters.moneyApplied, 1);
  });

  it('is visible at ts + dedupTtl, and not a millisecond later', () => {
    const at = new User();
    at.money({ id: 'm', ts: T0 });
    assert.deepEqual(at.money({ id: 'm', ts: T0 + MINUTE }), NOTHING);
    const after = new User();
    after.money({ id: 'm', ts: T0 });
    assert.deepEqual(after.money({ id: 'm', ts: T0 + MINUTE + 1 }), applied('m'));
  });

  it('is not refreshed by a duplicate', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0 });
    user.money({ id: 'm', ts: T0 + MINUTE });
    assert.deepEqual(user.money({ id: 'm', ts: T0 + MINUTE + 1 }), applied('m'));
  });

  it('begins anew with the money that was applied after the TTL', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0 });
    user.money({ id: 'm', ts: T0 + MINUTE + 1 });
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 2 * MINUTE + 1 }), NOTHING);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 2 * MINUTE + 2 }), applied('m'));
  });

  it('counts from the processedAt of the money, not from its application', () => {
    const user = new User();
    // Late by 50 s: 10 s of its entry are left.
    user.money({ id: 'm', ts: T0, late: T0 + 50_000 });
    assert.deepEqual(user.money({ id: 'm', ts: T0 + MINUTE }), NOTHING);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + MINUTE + 1 }), applied('m'));
  });

  it('judges a late duplicate at its effective time', () => {
    const within = new User();
    within.money({ id: 'm', ts: T0 });
    assert.deepEqual(within.money({ id: 'm', ts: T0, late: T0 + MINUTE }), NOTHING);
    const beyond = new User();
    beyond.money({ id: 'm', ts: T0 });
    assert.deepEqual(beyond.money({ id: 'm', ts: T0, late: T0 + MINUTE + 1 }), applied('m'));
  });

  it('of money later than the TTL is over at once', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0, late: T0 + MINUTE + 1 });
    assert.deepEqual(user.money({ id: 'm', ts: T0, late: T0 + MINUTE + 1 }), applied('m'));
  });

  it('drops all but the first of several in one millisecond, and keeps different ids', () => {
    const user = new User();
    const step = user.batch([
      money(0, { id: 'a', ts: T0 }),
      money(1, { id: 'b', ts: T0 }),
      money(2, { id: 'a', ts: T0 }),
      money(3, { id: 'c', ts: T0 }),
      money(4, { id: 'b', ts: T0 }),
    ]);
    assert.deepEqual(step, applied('a first', 'b', 'c'));
    assert.equal(user.state.counters.duplicatesDropped, 2);
  });

  it('with a TTL of zero still drops what comes in the same millisecond', () => {
    const user = new User({ dedupTtl: 0 });
    user.money({ id: 'm', ts: T0 });
    assert.deepEqual(user.money({ id: 'm', ts: T0 }), NOTHING);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 1 }), applied('m'));
  });

  it('comes before everything else: a duplicate is neither pending nor looked up', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0 });
    assert.deepEqual(user.money({ id: 'm', ts: T0, session: 's' }), NOTHING);
    assert.deepEqual(user.money({ id: 'm', ts: T0, session: 's', old: true }), NOTHING);
    assert.deepEqual(user.state.pending, {});
  });

  it('drops a duplicate of money that is still pending, or still looked up', () => {
    const user = new User();
    user.money({ id: 'waits', ts: T0, session: 's' });
    user.money({ id: 'asked', ts: T0, session: 's', old: true });
    assert.deepEqual(user.money({ id: 'waits', ts: T0, session: 's' }), NOTHING);
    assert.deepEqual(user.money({ id: 'asked', ts: T0, session: 's', old: true }), NOTHING);
    assert.deepEqual(user.pending, { s: ['waits'] });
    assert.equal(user.state.lookups.length, 1);
  });

  it('is forgotten when its TTL is over', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0 });
    user.advance(T0 + MINUTE);
    assert.deepEqual(user.state.dedup, { m: T0 });
    user.advance(T0 + MINUTE + 1);
    assert.deepEqual(user.state.dedup, {});
  });

  it('lets the same id in again after a day', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0 });
    assert.deepEqual(user.money({ id: 'm', ts: T0 + DAY }), applied('m'));
  });
});
