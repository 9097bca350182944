import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keptOf } from '../../../src/money/domain/kept.ts';
import { PendingMoney } from '../../../src/money/domain/pending.ts';
import type { Pending } from '../../../src/money/domain/types.ts';
import { asksFor, DAY, HOUR, MINUTE, money, NOTHING, resolved, session, T0, User } from './given.ts';

/** A wall clock far from event time. */
const WALL = T0 + 300 * DAY;

describe('pending money and its session', () => {
  it('comes out when the session is applied, in the order of application', () => {
    const user = new User();
    user.batch([
      money(4, { id: 'a', ts: T0, session: 's' }),
      money(5, { id: 'b', ts: T0, session: 's' }),
      money(6, { id: 'c', ts: T0 + 1, session: 's' }),
    ]);
    assert.deepEqual(user.session('s', T0 + 2), resolved('a =UY first', 'b =UY', 'c =UY'));
    assert.deepEqual(user.state.pending, {});
    assert.equal(user.state.counters.joined, 3);
    assert.equal(user.state.counters.lookedUp, 0);
  });

  it('of another session stays', () => {
    const user = new User();
    user.batch([money(0, { id: 'a', ts: T0, session: 's' }), money(1, { id: 'b', ts: T0, session: 't' })]);
    assert.deepEqual(user.session('s', T0 + 2), resolved('a =UY first'));
    assert.deepEqual(user.pending, { t: ['b'] });
  });

  it('is taken once: a second record of the session finds nothing', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0, session: 's' });
    user.session('s', T0 + 1);
    assert.deepEqual(user.session('s', T0 + 2, 'DE'), NOTHING);
  });

  it('within one batch waits and comes out as well', () => {
    const user = new User();
    const step = user.batch([
      money(0, { id: 'm', ts: T0, session: 's' }),
      session(0, 's', T0 + 1, 'DE'),
      money(1, { id: 'n', ts: T0 + 1, session: 's' }),
    ]);
    assert.deepEqual(step, { applied: ['n =DE'], resolved: ['m =DE first'], lookups: [] });
  });

  it('takes a late session too, of before the money', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0 + MINUTE, session: 's' });
    assert.deepEqual(user.session('s', T0, 'UY', T0 + 2 * MINUTE), resolved('m =UY first'));
  });

  it('is looked up when the session that arrives is expired at its own effective time', () => {
    // The pending timeout is longer than the session TTL here, so that both can be.
    const given = (tau: number) => {
      const user = new User({ sessionTtl: HOUR, pendingTimeout: DAY });
      user.money({ id: 'm', ts: T0 + 10, session: 's' });
      return user.session('s', T0, 'UY', tau);
    };
    assert.deepEqual(given(T0 + HOUR), resolved('m =UY first'));
    assert.deepEqual(given(T0 + HOUR + 1), asksFor('m'));
    // Not even known any more at its tau.
    assert.deepEqual(given(T0 + 2 * HOUR + 1), asksFor('m'));
  });

  it('is looked up when it is later than the end of the session, though the session is visible', () => {
    const user = new User({ sessionTtl: HOUR, pendingTimeout: DAY });
    user.money({ id: 'in', ts: T0 + HOUR, session: 's' });
    user.money({ id: 'out', ts: T0 + HOUR + 1, session: 's' });
    // Only an effective time beyond it can bring the session then, so that it is expired for both.
    assert.deepEqual(user.session('s', T0, 'UY', T0 + HOUR + 1), asksFor('in', 'out'));
  });

  it('takes the winner of the session records, not the one that arrives', () => {
    const user = new User({ sessionTtl: HOUR, pendingTimeout: 10 * HOUR });
    user.session('s', T0, 'UY');
    user.advance(T0 + 2 * HOUR + 1);
    user.money({ id: 'm', ts: T0 + 3 * HOUR, session: 's' });
    assert.deepEqual(user.session('s', T0 + 3 * HOUR + 1, 'DE'), resolved('m =DE first'));
  });
});

describe('the pending deadline in event time', () => {
  const waiting = () => {
    const user = new User();
    user.money({ id: 'm', ts: T0, session: 's' });
    return user;
  };

  it('is passed by a record with a greater effective time, not by an equal one', () => {
    const user = waiting();
    assert.deepEqual(user.session('other', T0 + HOUR), NOTHING);
    assert.deepEqual(user.session('other', T0 + HOUR + 1), asksFor('m'));
    assert.deepEqual(user.state.pending, {});
  });

  it('is passed by the effective time of a late record', () => {
    const user = waiting();
    assert.deepEqual(user.session('other', T0, 'UY', T0 + HOUR), NOTHING);
    assert.deepEqual(user.session('other', T0, 'UY', T0 + HOUR + 1), asksFor('m'));
  });

  it('is passed by the watermark alone', () => {
    const user = waiting();
    assert.deepEqual(user.advance(T0 + HOUR), NOTHING);
    assert.deepEqual(user.advance(T0 + HOUR + 1), asksFor('m'));
  });

  it('counts from processedAt', () => {
    const user = new User();
    user.advance(T0);
    user.money({ id: 'm', ts: T0, session: 's' });
    assert.equal(user.state.pending['s']![0]!.dueAt, T0 + HOUR);
  });

  it('is not passed when the session comes at the deadline, and is when it comes a millisecond later', () => {
    assert.deepEqual(waiting().session('s', T0 + HOUR), resolved('m =UY first'));
    assert.deepEqual(waiting().session('s', T0 + HOUR + 1), asksFor('m'));
  });

  it('passes before the record is applied: the late session comes too late, the lookup asks', () => {
    assert.deepEqual(waiting().session('s', T0, 'UY', T0 + HOUR + 1), asksFor('m'));
  });

  it('passes for several in the order of deadline, then of application, across sessions', () => {
    const user = new User();
    user.batch([
      money(0, { id: 'a', ts: T0 + 5, session: 's' }),
      money(1, { id: 'b', ts: T0 + 5, session: 't' }),
      money(2, { id: 'c', ts: T0 + 5, session: 's' }),
      money(3, { id: 'd', ts: T0 + 6, session: 't' }),
      money(4, { id: 'e', ts: T0 + 7, session: 's' }),
    ]);
    assert.deepEqual(user.advance(T0 + HOUR + 7), asksFor('a', 'b', 'c', 'd'));
    assert.deepEqual(user.pending, { s: ['e'] });
  });

  it('is known in advance', () => {
    const user = new User();
    assert.equal(keptOf(user.state).pending.earliestDue, undefined);
    user.money({ ts: T0 + 7, session: 's' });
    user.money({ ts: T0 + 9, session: 't' });
    assert.equal(keptOf(user.state).pending.earliestDue, T0 + 7 + HOUR);
    user.session('s', T0 + 9);
    assert.equal(keptOf(user.state).pending.earliestDue, T0 + 9 + HOUR);
  });
});

describe('the pending deadline of the wall clock', () => {
  it('counts from the application of the money, not from its event time', () => {
    const user = new User();
    user.now = WALL;
    user.money({ id: 'm', ts: T0, session: 's' });
    assert.equal(keptOf(user.state).pending.earliestWallDue, WALL + HOUR);
    assert.deepEqual(user.passWallClock(WALL + HOUR - 1), NOTHING);
    assert.deepEqual(user.passWallClock(WALL + HOUR), asksFor('m'));
    assert.equal(keptOf(user.state).pending.earliestWallDue, undefined);
  });

  it('does not move event time', () => {
    const user = new User();
    user.now = WALL;
    user.money({ id: 'm', ts: T0, session: 's' });
    user.passWallClock(WALL + HOUR);
    assert.equal(user.state.tau, T0);
  });

  it('takes only what is due', () => {
    const user = new User();
    user.now = WALL;
    user.money({ id: 'a', ts: T0, session: 's' });
    user.now = WALL + 10;
    user.money({ id: 'b', ts: T0, session: 's' });
    assert.deepEqual(user.passWallClock(WALL + HOUR + 9), asksFor('a'));
    assert.deepEqual(user.pending, { s: ['b'] });
    assert.equal(keptOf(user.state).pending.earliestWallDue, WALL + HOUR + 10);
  });

  it('does not exist in a backfill', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0, session: 's' });
    assert.equal(keptOf(user.state).pending.earliestWallDue, undefined);
    assert.deepEqual(user.passWallClock(WALL + 1000 * DAY), NOTHING);
    assert.deepEqual(user.pending, { s: ['m'] });
  });

  it('leaves it to the session that comes first', () => {
    const user = new User();
    user.now = WALL;
    user.money({ id: 'm', ts: T0, session: 's' });
    user.session('s', T0 + 1);
    assert.deepEqual(user.passWallClock(WALL + HOUR), NOTHING);
  });
});

describe('the pending money of a state', () => {
  interface Fields {
    readonly session?: string;
    readonly partition?: number;
    readonly offset?: number;
    readonly wallDueAt?: number;
  }
  const due = (id: string, dueAt: number, { session: userSessionId = 's', ...rest }: Fields = {}): Pending => ({
    partition: 0,
    offset: 0,
    money: {
      id,
      userSessionId,
      ts: T0,
      amount: '1',
      currency: 'EUR',
      closingBalance: '1',
      moneyType: 'BET',
      isOldMoneyEvent: false,
    },
    firstOccurrence: false,
    dueAt,
    ...rest,
  });
  const idsOf = (pending: readonly Pending[]): string[] => pending.map(({ money: { id } }) => id);
  /** Ids by session. */
  const heldIn = (state: Record<string, Pending[]>) =>
    Object.fromEntries(Object.entries(state).map(([id, list]) => [id, idsOf(list)]));

  it('is made of what a state has, and changed in it', () => {
    const state: Record<string, Pending[]> = {
      s: [due('a', 30), due('b', 10, { wallDueAt: 7 })],
      t: [due('c', 20, { session: 't', wallDueAt: 5 })],
    };
    const pending = new PendingMoney(state);
    assert.deepEqual([pending.count, pending.earliestDue, pending.earliestWallDue], [3, 10, 5]);
    pending.add(due('d', 5, { session: 't', wallDueAt: 6 }));
    pending.add(due('e', 40, { session: 'u' }));
    assert.deepEqual(heldIn(state), { s: ['a', 'b'], t: ['c', 'd'], u: ['e'] });
    assert.deepEqual([pending.count, pending.earliestDue, pending.earliestWallDue], [5, 5, 5]);
    assert.deepEqual(idsOf(pending.takeSession('t')), ['c', 'd']);
    assert.deepEqual(heldIn(state), { s: ['a', 'b'], u: ['e'] });
    assert.deepEqual([pending.count, pending.earliestDue, pending.earliestWallDue], [3, 10, 7]);
    assert.deepEqual(pending.takeSession('t'), []);
    assert.equal(pending.count, 3);
  });

  it('leaves in the order of deadline, partition, offset', () => {
    const state: Record<string, Pending[]> = {};
    const pending = new PendingMoney(state);
    pending.add(due('d', 10, { partition: 1, offset: 1 }));
    pending.add(due('e', 11, { partition: 0, offset: 0 }));
    pending.add(due('c', 10, { partition: 0, offset: 9, session: 't' }));
    pending.add(due('b', 10, { partition: 0, offset: 8 }));
    pending.add(due('a', 9, { partition: 2, offset: 9 }));
    assert.deepEqual(idsOf(pending.takeDueBefore(9)), []);
    assert.deepEqual(idsOf(pending.takeDueBefore(11)), ['a', 'b', 'c', 'd']);
    assert.deepEqual(heldIn(state), { s: ['e'] });
    assert.deepEqual([pending.count, pending.earliestDue], [1, 11]);
    assert.deepEqual(idsOf(pending.takeAll()), ['e']);
    assert.deepEqual([state, pending.count, pending.bytes, pending.earliestDue], [{}, 0, 0, undefined]);
    assert.deepEqual(pending.takeAll(), []);
  });

  it('leaves in the order of partitions, however it came', () => {
    for (const order of [
      [1, 2, 3],
      [2, 1, 3],
      [3, 2, 1],
    ]) {
      const pending = new PendingMoney({});
      for (const partition of order) pending.add(due(`p${partition}`, 10, { partition, offset: 9 - partition }));
      assert.deepEqual(idsOf(pending.takeAll()), ['p1', 'p2', 'p3']);
    }
  });

  it('that the wall clock makes due leaves in that order too, and only that', () => {
    const state: Record<string, Pending[]> = {};
    const pending = new PendingMoney(state);
    pending.add(due('c', 12, { wallDueAt: 100 }));
    pending.add(due('b', 11, { wallDueAt: 101, session: 't' }));
    pending.add(due('a', 10, { wallDueAt: 102 }));
    pending.add(due('later', 9, { wallDueAt: 103 }));
    pending.add(due('never', 1));
    assert.deepEqual(pending.takeWallDue(99), []);
    assert.deepEqual(idsOf(pending.takeWallDue(102)), ['a', 'b', 'c']);
    assert.deepEqual(heldIn(state), { s: ['later', 'never'] });
    assert.deepEqual([pending.count, pending.earliestWallDue, pending.earliestDue], [2, 103, 1]);
    assert.deepEqual(idsOf(pending.takeWallDue(Infinity)), ['later']);
    assert.deepEqual([pending.count, pending.earliestWallDue], [1, undefined]);
  });

  it('that left by its session is due no more', () => {
    const pending = new PendingMoney({});
    pending.add(due('a', 10, { wallDueAt: 100 }));
    pending.add(due('b', 20, { wallDueAt: 200, session: 't' }));
    pending.takeSession('s');
    assert.deepEqual([pending.earliestDue, pending.earliestWallDue], [20, 200]);
    assert.deepEqual(idsOf(pending.takeWallDue(150)), []);
    assert.deepEqual(idsOf(pending.takeDueBefore(15)), []);
    assert.equal(pending.count, 1);
  });

  it('leaves one by one to make room, the first deadline first', () => {
    const state: Record<string, Pending[]> = {};
    const pending = new PendingMoney(state);
    pending.add(due('b', 20));
    pending.add(due('a', 10));
    pending.add(due('c', 30));
    assert.equal(pending.takeFirst()?.money.id, 'a');
    assert.deepEqual(heldIn(state), { s: ['b', 'c'] });
    assert.equal(pending.takeFirst()?.money.id, 'b');
    assert.equal(pending.takeFirst()?.money.id, 'c');
    assert.equal(pending.takeFirst(), undefined);
    assert.deepEqual([state, pending.count, pending.bytes], [{}, 0, 0]);
  });

  it('is shown, at most so many', () => {
    const pending = new PendingMoney({});
    for (const id of ['a', 'b', 'c']) pending.add(due(id, 10));
    assert.deepEqual(
      [0, 2, 3, 4].map((most) => pending.some(most).length),
      [0, 2, 3, 3],
    );
    assert.deepEqual(idsOf(pending.some(99)).sort(), ['a', 'b', 'c']);
    assert.equal(pending.count, 3);
  });

  it('is in order also when much has come and gone', () => {
    const pending = new PendingMoney({});
    pending.add(due('first', 1, { wallDueAt: 1, session: 'stays' }));
    for (let n = 0; n < 500; n += 1) {
      pending.add(due(`m${n}`, 1_000 - n, { wallDueAt: 1_000 - n, session: `s${n}` }));
      if (n < 498) pending.takeSession(`s${n}`);
    }
    assert.deepEqual([pending.earliestDue, pending.earliestWallDue], [1, 1]);
    pending.takeSession('stays');
    // 1,000 - 499
    assert.deepEqual([pending.earliestDue, pending.earliestWallDue], [501, 501]);
    assert.deepEqual(idsOf(pending.takeWallDue(502)), ['m499', 'm498']);
  });
});
