import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random } from '../../../src/engine/random.ts';
import { Sessions, sessionStatus } from '../../../src/money/domain/sessions.ts';
import type { Session } from '../../../src/money/domain/types.ts';
import { applied, asksFor, DAY, NOTHING, resolved, session, T0, User } from './given.ts';

describe('sessions: visible for a TTL, known as expired for another, then forgotten', () => {
  const moneyAt = (ts: number) => {
    const user = new User();
    user.session('s', T0);
    return { user, step: user.money({ id: 'm', ts, session: 's' }) };
  };

  it('is visible at its own millisecond', () => {
    assert.deepEqual(moneyAt(T0).step, applied('m =UY first'));
  });

  it('is visible at ts + sessionTtl, expired a millisecond later', () => {
    assert.deepEqual(moneyAt(T0 + DAY).step, applied('m =UY first'));
    assert.deepEqual(moneyAt(T0 + DAY + 1).step, asksFor('m'));
  });

  it('is known as expired at ts + 2 sessionTtl, unknown a millisecond later', () => {
    assert.deepEqual(moneyAt(T0 + 2 * DAY).step, asksFor('m'));
    const { user, step } = moneyAt(T0 + 2 * DAY + 1);
    assert.deepEqual(step, NOTHING);
    assert.deepEqual(user.pending, { s: ['m'] });
  });

  it('is held until ts + 2 sessionTtl, and not longer', () => {
    const user = new User();
    user.session('s', T0);
    user.advance(T0 + 2 * DAY);
    assert.deepEqual(Object.keys(user.state.sessions), ['s']);
    user.advance(T0 + 2 * DAY + 1);
    assert.deepEqual(user.state.sessions, {});
  });

  it('is known by its id alone', () => {
    const user = new User();
    user.session('s', T0);
    assert.deepEqual(user.money({ id: 'm', ts: T0, session: 't' }), NOTHING);
    assert.deepEqual(user.pending, { t: ['m'] });
  });

  it('takes the last of two records: the larger event time', () => {
    const user = new User();
    user.batch([session(0, 's', T0, 'UY'), session(1, 's', T0 + 5, 'DE')]);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 5, session: 's' }), applied('m =DE first'));
    // A late one of before changes nothing, although it is applied later.
    user.batch([session(2, 's', T0 + 1, 'SE', T0 + 5)]);
    assert.deepEqual(user.money({ id: 'n', ts: T0 + 5, session: 's' }), applied('n =DE'));
  });

  it('takes the larger offset at the same event time', () => {
    const user = new User();
    user.batch([session(5, 's', T0, 'UY'), session(3, 's', T0, 'DE', T0 + 1)]);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 1, session: 's' }), applied('m =UY first'));
    const other = new User();
    other.batch([session(3, 's', T0, 'DE'), session(5, 's', T0, 'UY', T0 + 1)]);
    assert.deepEqual(other.money({ id: 'm', ts: T0 + 1, session: 's' }), applied('m =UY first'));
  });

  it('lives on from its last record', () => {
    const user = new User();
    user.batch([session(0, 's', T0, 'UY'), session(1, 's', T0 + DAY, 'DE')]);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 2 * DAY, session: 's' }), applied('m =DE first'));
    assert.deepEqual(user.money({ id: 'n', ts: T0 + 2 * DAY + 1, session: 's' }), asksFor('n'));
  });

  it('that is late and expired already is known as expired', () => {
    const user = new User();
    user.session('s', T0, 'UY', T0 + DAY + 1);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + DAY + 1, session: 's' }), asksFor('m'));
  });

  it('that is late but not expired yet is visible', () => {
    const user = new User();
    user.session('s', T0, 'UY', T0 + DAY);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + DAY, session: 's' }), applied('m =UY first'));
  });

  it('that is forgotten when it comes is unknown', () => {
    const user = new User();
    user.session('s', T0, 'UY', T0 + 2 * DAY + 1);
    assert.deepEqual(user.state.sessions, {});
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 2 * DAY + 1, session: 's' }), NOTHING);
    assert.deepEqual(user.pending, { s: ['m'] });
  });

  it('may come in the same millisecond as money: session before money', () => {
    const user = new User();
    user.money({ id: 'waits', ts: T0, session: 's' });
    assert.deepEqual(user.session('s', T0), resolved('waits =UY first'));
    assert.deepEqual(user.money({ id: 'm', ts: T0, session: 's' }), applied('m =UY'));
  });
});

it('a session is visible, then expired, then as unknown as one that never was', () => {
  const given: Session = { ts: T0, offset: 0, clientCountryCode: 'UY' };
  assert.deepEqual(
    [T0 - DAY, T0 + DAY, T0 + DAY + 1, T0 + 2 * DAY, T0 + 2 * DAY + 1].map((tau) => sessionStatus(given, tau, DAY)),
    ['visible', 'visible', 'expired', 'expired', 'unknown'],
  );
  assert.equal(sessionStatus(undefined, T0, DAY), 'unknown');
});

it('the newest sessions are known, whatever is added, replaced and forgotten, also where many are of one time and one offset', () => {
  const seeded = new Random(7);
  const below = (end: number): number => Math.floor((seeded.uint32() / 2 ** 32) * end);
  for (const [times, offsets] of [
    [1_000, Infinity],
    [4, 3],
    [1, 1],
  ] as const) {
    const state: Record<string, Session> = {};
    const sessions = new Sessions(state);
    for (let n = 0; n < 2_000; n += 1) {
      const ts = T0 + below(times);
      const offset = offsets === Infinity ? n : below(offsets);
      if (below(10) < 7) sessions.add(`s${below(20)}`, { ts, offset, clientCountryCode: 'UY' });
      else if (below(10) < 8) sessions.forgetOldest();
      else sessions.forgetExpired(ts + 2 * DAY, DAY);
      const byTime = Object.entries(state).sort(
        ([idA, a], [idB, b]) => b.ts - a.ts || b.offset - a.offset || (idA < idB ? 1 : -1),
      );
      assert.deepEqual(
        sessions.newest(8).map(({ id }) => id),
        byTime.slice(0, 8).map(([id]) => id),
      );
      assert.deepEqual([sessions.count, sessions.latest], [byTime.length, byTime[0]?.[1].ts ?? -Infinity]);
    }
  }
});

describe('the sessions of a state', () => {
  const at = (ts: number, offset = 0, clientCountryCode = 'UY'): Session => ({ ts, offset, clientCountryCode });
  const idsOf = (sessions: Sessions, most = 99): string[] => sessions.newest(most).map(({ id }) => id);

  it('are counted, with the bytes of each: a short id and its length, and 10 of time, offset and country', () => {
    const state: Record<string, Session> = { a: at(T0), bc: at(T0 + 1) };
    const sessions = new Sessions(state);
    assert.deepEqual([sessions.count, sessions.bytes, sessions.latest], [2, 2 + 10 + 3 + 10, T0 + 1]);
    sessions.add('def', at(T0 + 2));
    assert.deepEqual([sessions.count, sessions.bytes, sessions.latest], [3, 2 + 10 + 3 + 10 + 4 + 10, T0 + 2]);
    sessions.add('a', at(T0 + 3, 0, 'LONG'));
    assert.deepEqual([sessions.count, sessions.bytes, sessions.latest], [3, 2 + 12 + 3 + 10 + 4 + 10, T0 + 3]);
    sessions.forgetOldest();
    assert.deepEqual([Object.keys(state).sort(), sessions.count], [['a', 'def'], 2]);
    assert.deepEqual([sessions.bytes, sessions.latest], [2 + 12 + 4 + 10, T0 + 3]);
    const none = new Sessions({});
    none.forgetOldest();
    assert.deepEqual([none.count, none.bytes, none.latest, idsOf(none)], [0, 0, -Infinity, []]);
  });

  it('have an order: event time, then offset, then id', () => {
    const state = { e: at(T0 + 1), b: at(T0, 2), d: at(T0, 2), c: at(T0, 2), a: at(T0, 3) };
    const sessions = new Sessions(state);
    assert.deepEqual(idsOf(sessions), ['e', 'a', 'd', 'c', 'b']);
    assert.deepEqual(idsOf(sessions, 2), ['e', 'a']);
    const left: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      sessions.forgetOldest();
      left.push(Object.keys(state).sort().join(''));
    }
    assert.deepEqual(left, ['acde', 'ade', 'ae', 'e', '']);
  });

  it('are forgotten in the order of their ids where they are of one time and one offset, however they came', () => {
    const state: Record<string, Session> = {};
    const sessions = new Sessions(state);
    for (const id of ['c', 'b', 'a']) sessions.add(id, at(T0));
    const left: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      sessions.forgetOldest();
      left.push(Object.keys(state).sort().join(''));
    }
    assert.deepEqual(left, ['bc', 'c', '']);
  });

  it('know eight of the newest, whichever are added', () => {
    const sessions = new Sessions({});
    assert.deepEqual(idsOf(sessions), []);
    for (const n of [3, 9, 1, 7, 5, 2, 8, 4, 6, 0]) sessions.add(`s${n}`, at(T0 + n));
    assert.deepEqual(idsOf(sessions), ['s9', 's8', 's7', 's6', 's5', 's4', 's3', 's2']);
    sessions.add('s0', at(T0 + 10));
    assert.deepEqual(idsOf(sessions), ['s0', 's9', 's8', 's7', 's6', 's5', 's4', 's3']);
    sessions.add('s5', at(T0 + 11));
    assert.deepEqual(idsOf(sessions), ['s5', 's0', 's9', 's8', 's7', 's6', 's4', 's3']);
  });

  it('know the next ones when some of the newest are forgotten', () => {
    const state: Record<string, Session> = {};
    for (let n = 0; n < 10; n += 1) state[`s${n}`] = at(T0 + n);
    const sessions = new Sessions(state);
    assert.equal(idsOf(sessions).length, 8);
    sessions.forgetOldest();
    sessions.forgetOldest();
    assert.deepEqual(idsOf(sessions), ['s9', 's8', 's7', 's6', 's5', 's4', 's3', 's2']);
    sessions.forgetOldest();
    assert.deepEqual(idsOf(sessions), ['s9', 's8', 's7', 's6', 's5', 's4', 's3']);
    sessions.add('old', at(T0 - 1));
    assert.deepEqual(idsOf(sessions), ['s9', 's8', 's7', 's6', 's5', 's4', 's3', 'old']);
  });

  it('forget nothing by what a session was before', () => {
    const state: Record<string, Session> = { s: at(T0), t: at(T0 + 1) };
    const sessions = new Sessions(state);
    sessions.add('s', at(T0 + 5));
    sessions.forgetExpired(T0 + 2 * DAY + 1, DAY);
    assert.deepEqual(state, { s: at(T0 + 5), t: at(T0 + 1) });
    sessions.add('t', at(T0 + 6));
    sessions.forgetOldest();
    assert.deepEqual(state, { t: at(T0 + 6) });
    sessions.forgetExpired(T0 + 6 + 2 * DAY, DAY);
    assert.equal(sessions.count, 1);
    sessions.forgetExpired(T0 + 7 + 2 * DAY, DAY);
    assert.deepEqual([state, sessions.count, sessions.bytes], [{}, 0, 0]);
  });

  it('let the last (time, offset) of one session win', () => {
    const state: Record<string, Session> = {};
    const sessions = new Sessions(state);
    sessions.add('s', at(T0, 5, 'UY'));
    sessions.add('s', at(T0 - 1, 6, 'DE'));
    sessions.add('s', at(T0, 4, 'DE'));
    assert.deepEqual([state, sessions.count], [{ s: at(T0, 5, 'UY') }, 1]);
    sessions.add('s', at(T0, 6, 'SE'));
    assert.deepEqual(state, { s: at(T0, 6, 'SE') });
    sessions.add('s', at(T0 + 1, 1, 'FR'));
    assert.deepEqual([state, sessions.count], [{ s: at(T0 + 1, 1, 'FR') }, 1]);
  });
});
