import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DedupEntries } from '../../../src/money/domain/dedup.ts';
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

describe('the entries of a state', () => {
  it('are counted, with the bytes of each: the text of a short id and its length, and 6 of a time of today', () => {
    const entries = new DedupEntries({ a: T0, bc: T0 + 1 });
    assert.deepEqual([entries.count, entries.bytes, entries.latest], [2, 2 + 6 + 3 + 6, T0 + 1]);
    entries.add('def', T0 + 2);
    assert.deepEqual([entries.count, entries.bytes, entries.latest], [3, 2 + 6 + 3 + 6 + 4 + 6, T0 + 2]);
    entries.forgetOldest();
    assert.deepEqual([entries.count, entries.bytes, entries.latest], [2, 3 + 6 + 4 + 6, T0 + 2]);
    const none = new DedupEntries({});
    none.forgetOldest();
    assert.deepEqual([none.count, none.bytes, none.latest], [0, 0, -Infinity]);
  });

  it('are forgotten the oldest first, of one time the smaller id', () => {
    const state: Record<string, number> = { c: T0, d: T0 - 1, a: T0 };
    const entries = new DedupEntries(state);
    entries.add('b', T0);
    const left: string[][] = [];
    for (let n = 0; n < 4; n += 1) {
      entries.forgetOldest();
      left.push(Object.keys(state).sort());
    }
    assert.deepEqual(left, [['a', 'b', 'c'], ['b', 'c'], ['c'], []]);
  });

  it('have one of an id: what it was before is not counted, and forgets nothing', () => {
    const state: Record<string, number> = { m: T0 };
    const entries = new DedupEntries(state);
    entries.add('m', T0 + 2);
    entries.add('n', T0 + 1);
    assert.deepEqual([entries.count, entries.bytes], [2, 2 * 8]);
    entries.forgetExpired(T0 + MINUTE + 1, MINUTE);
    assert.deepEqual(state, { m: T0 + 2, n: T0 + 1 });
    entries.add('m', T0 + 3);
    entries.forgetOldest();
    assert.deepEqual(state, { m: T0 + 3 });
    entries.add('n', T0 + 4);
    entries.forgetOldest();
    assert.deepEqual(state, { n: T0 + 4 });
    assert.equal(entries.count, 1);
  });

  it('know their latest time, whichever comes and goes', () => {
    const entries = new DedupEntries({ a: T0 + 5, b: T0 + 9 });
    assert.equal(entries.latest, T0 + 9);
    entries.add('c', T0 + 7);
    assert.equal(entries.latest, T0 + 9);
    entries.add('b', T0 + 1);
    assert.equal(entries.latest, T0 + 7);
    entries.add('d', T0 + 11);
    assert.equal(entries.latest, T0 + 11);
    entries.forgetExpired(T0 + 8, 0);
    assert.equal(entries.latest, T0 + 11);
    entries.forgetExpired(T0 + 12, 0);
    assert.equal(entries.latest, -Infinity);
  });

  it('of one batch in which an id comes again after its TTL, the second is remembered', () => {
    const user = new User();
    const again = T0 + MINUTE + 1;
    assert.deepEqual(
      user.batch([money(0, { id: 'm', ts: T0 }), money(1, { id: 'm', ts: again })]),
      applied('m first', 'm'),
    );
    assert.deepEqual(user.state.dedup, { m: again });
    assert.deepEqual(user.money({ id: 'm', ts: again + MINUTE }), NOTHING);
  });
});
