/** What is kept of one user, and what makes room. Bytes by hand: an id of a UUID 17, a time of today 6, a short text its length and 1. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BOUNDS, boundedBytes, forgetExpired, makeRoom } from '../../../src/money/domain/bounds.ts';
import { initialState, type UserState } from '../../../src/money/domain/state.ts';
import type { Bounds, Pending } from '../../../src/money/domain/types.ts';
import { applied, asksFor, country, DAY, HOUR, MINUTE, money, RULES, session, T0, User } from './given.ts';

/** Room for all of these tests. */
const WIDE: Bounds = { dedupEntries: 99, sessions: 99, pending: 99, changes: 99, moneyTypes: 99, bytes: 99_999 };
/** Counters, names and times, whatever is kept. */
const ALWAYS = 6_000;
const uuid = (n: number): string => `a0000000-0000-4000-8000-00000000000${n}`;

/** With nothing that has expired: all of it is of T0 or of the milliseconds after. */
function holding({ sessions = 0, dedup = 0, years = 0, countries = 0, types = 0 }): UserState {
  const state = initialState();
  state.tau = T0 + 9;
  for (let n = 0; n < sessions; n += 1) {
    state.sessions[uuid(n)] = { ts: T0 + n, offset: n, clientCountryCode: 'UY' };
  }
  for (let n = 0; n < dedup; n += 1) state.dedup[uuid(n)] = T0 + n;
  for (let n = 0; n < years; n += 1) state.birthYear.push({ ts: T0 + n, offset: n, value: `199${n}` });
  for (let n = 0; n < countries; n += 1) state.residentCountryCode.push({ ts: T0 + n, offset: n, value: 'UY' });
  for (let n = 0; n < types; n += 1) state.moneyTypes.push(`T${n}`);
  return state;
}

function pendingOf(state: UserState, n: number, dueAt: number): Pending {
  const pending: Pending = {
    partition: 0,
    offset: n,
    money: {
      id: uuid(n),
      userSessionId: uuid(n),
      ts: T0,
      amount: '12.50',
      currency: 'EUR',
      closingBalance: '1042.17',
      moneyType: 'BET',
      isOldMoneyEvent: false,
    },
    firstOccurrence: false,
    dueAt,
  };
  state.pending[uuid(n)] = [pending];
  return pending;
}

/** How many of each kind there are. */
const countsOf = (state: UserState) => ({
  sessions: Object.keys(state.sessions).length,
  dedup: Object.keys(state.dedup).length,
  years: state.birthYear.length,
  countries: state.residentCountryCode.length,
  types: state.moneyTypes.length,
});
const FULL = { sessions: 4, dedup: 4, years: 4, countries: 4, types: 4 };

const forgottenOf = ({ counters }: UserState) => [
  counters.sessionsForgotten,
  counters.duplicatesForgotten,
  counters.changesForgotten,
  counters.moneyTypesForgotten,
  counters.pendingHurried,
];

it('the bounds are at least those of the contract', () => {
  assert.ok(BOUNDS.dedupEntries >= 60_000);
  assert.ok(BOUNDS.sessions >= 20_000);
  assert.ok(BOUNDS.pending >= 10_000);
  assert.ok(BOUNDS.changes >= 1_000);
  assert.ok(BOUNDS.moneyTypes >= 10_000);
  // Continue-as-new carries 2 MB at most.
  assert.ok(BOUNDS.bytes > 1_000_000 && BOUNDS.bytes < 2_000_000);
});

describe('a bound of number', () => {
  it('lets as many stay as it says', () => {
    const state = holding(FULL);
    const bounds = { ...WIDE, dedupEntries: 4, sessions: 4, changes: 4, moneyTypes: 4 };
    assert.deepEqual(makeRoom(state, RULES, bounds), []);
    assert.deepEqual(countsOf(state), FULL);
    assert.deepEqual(forgottenOf(state), [0, 0, 0, 0, 0]);
  });

  it('of sessions forgets the oldest, and counts them', () => {
    const state = holding(FULL);
    makeRoom(state, RULES, { ...WIDE, sessions: 1 });
    assert.deepEqual(countsOf(state), { ...FULL, sessions: 1 });
    assert.deepEqual(Object.keys(state.sessions), [uuid(3)]);
    assert.deepEqual(forgottenOf(state), [3, 0, 0, 0, 0]);
  });

  it('of dedup entries forgets the oldest, and counts them', () => {
    const state = holding(FULL);
    makeRoom(state, RULES, { ...WIDE, dedupEntries: 2 });
    assert.deepEqual(countsOf(state), { ...FULL, dedup: 2 });
    assert.deepEqual(Object.keys(state.dedup), [uuid(2), uuid(3)]);
    assert.deepEqual(forgottenOf(state), [0, 2, 0, 0, 0]);
  });

  it('of changes is of each field, and lets the newest stay', () => {
    const state = holding({ ...FULL, countries: 3 });
    makeRoom(state, RULES, { ...WIDE, changes: 2 });
    assert.deepEqual(countsOf(state), { ...FULL, years: 2, countries: 2 });
    assert.deepEqual(
      state.birthYear.map(({ value }) => value),
      ['1992', '1993'],
    );
    assert.deepEqual(
      state.residentCountryCode.map(({ ts }) => ts),
      [T0 + 1, T0 + 2],
    );
    assert.deepEqual(forgottenOf(state), [0, 0, 3, 0, 0]);
  });

  it('of money types forgets the oldest, and counts them', () => {
    const state = holding(FULL);
    makeRoom(state, RULES, { ...WIDE, moneyTypes: 3 });
    assert.deepEqual(countsOf(state), { ...FULL, types: 3 });
    assert.deepEqual(state.moneyTypes, ['T1', 'T2', 'T3']);
    assert.deepEqual(forgottenOf(state), [0, 0, 0, 1, 0]);
  });

  it('of none lets one of each kind stay, but no session', () => {
    const state = holding(FULL);
    makeRoom(state, RULES, { ...WIDE, dedupEntries: 0, sessions: 0, changes: 0, moneyTypes: 0 });
    assert.deepEqual(countsOf(state), { sessions: 0, dedup: 1, years: 1, countries: 1, types: 1 });
    assert.deepEqual(forgottenOf(state), [4, 3, 6, 3, 0]);
  });

  it('of pending money takes the earliest deadline, and counts it', () => {
    const state = holding({});
    const [, first, last] = [T0 + 30, T0 + 10, T0 + 20].map((dueAt, n) => pendingOf(state, n, dueAt));
    assert.deepEqual(makeRoom(state, RULES, { ...WIDE, pending: 3 }), []);
    assert.deepEqual(makeRoom(state, RULES, { ...WIDE, pending: 1 }), [first, last]);
    assert.deepEqual(Object.keys(state.pending), [uuid(0)]);
    assert.deepEqual(forgottenOf(state), [0, 0, 0, 0, 2]);
  });
});

describe('a bound of bytes', () => {
  it('counts every kind that is bounded, and what is always there', () => {
    const sizeOf = (held: Parameters<typeof holding>[0]): number => boundedBytes(holding(held)) - ALWAYS;
    assert.equal(sizeOf({}), 0);
    // UUID, time, offset, `UY`
    assert.equal(sizeOf({ sessions: 2 }), 2 * (17 + 6 + 1 + 3));
    assert.equal(sizeOf({ dedup: 2 }), 2 * (17 + 6));
    // time, offset, `1990`
    assert.equal(sizeOf({ years: 2 }), 2 * (6 + 1 + 5));
    assert.equal(sizeOf({ countries: 2 }), 2 * (6 + 1 + 3));
    assert.equal(sizeOf({ types: 2 }), 2 * 3);
    assert.equal(sizeOf({ sessions: 1, dedup: 1, years: 1, countries: 1, types: 1 }), 27 + 23 + 12 + 10 + 3);
    const waiting = holding({});
    pendingOf(waiting, 0, T0);
    assert.equal(boundedBytes(waiting), ALWAYS);
  });

  it('is kept by what just fits it', () => {
    const state = holding({ dedup: 4, sessions: 1 });
    makeRoom(state, RULES, { ...WIDE, bytes: ALWAYS + 4 * 23 + 27 });
    assert.deepEqual(countsOf(state), { ...countsOf(initialState()), dedup: 4, sessions: 1 });
    assert.deepEqual(forgottenOf(state), [0, 0, 0, 0, 0]);
  });

  it('forgets the oldest of the kind that takes most, until the rest fits', () => {
    // 108 bytes of sessions, 92 of dedup entries that count as 23.
    const state = holding({ dedup: 4, sessions: 4 });
    makeRoom(state, RULES, { ...WIDE, bytes: ALWAYS + 200 - 28 });
    assert.deepEqual([Object.keys(state.sessions), countsOf(state).dedup], [[uuid(2), uuid(3)], 4]);
    assert.deepEqual(forgottenOf(state), [2, 0, 0, 0, 0]);
  });

  it('counts a quarter of the dedup entries where the largest kind is looked for', () => {
    // A session of 27 bytes against four entries of 92, a quarter of which is 23, and five of 115: 28.75.
    const four = holding({ dedup: 4, sessions: 1 });
    makeRoom(four, RULES, { ...WIDE, bytes: ALWAYS + 92 + 26 });
    assert.deepEqual(forgottenOf(four), [1, 0, 0, 0, 0]);
    const five = holding({ dedup: 5, sessions: 1 });
    makeRoom(five, RULES, { ...WIDE, bytes: ALWAYS + 115 + 26 });
    assert.deepEqual(forgottenOf(five), [0, 1, 0, 0, 0]);
    assert.deepEqual(Object.keys(five.dedup), [uuid(1), uuid(2), uuid(3), uuid(4)]);
  });

  it('takes what is largest of changes and money types too', () => {
    // 48 bytes of years, 30 of countries, 27 of a session.
    const years = holding({ years: 4, countries: 3, sessions: 1 });
    makeRoom(years, RULES, { ...WIDE, bytes: ALWAYS + 104 });
    assert.deepEqual(countsOf(years), { sessions: 1, dedup: 0, years: 3, countries: 3, types: 0 });
    // 24 bytes of years, 40 of countries, 12 of types.
    const countries = holding({ years: 2, countries: 4, types: 4 });
    makeRoom(countries, RULES, { ...WIDE, bytes: ALWAYS + 75 });
    assert.deepEqual(countsOf(countries), { sessions: 0, dedup: 0, years: 2, countries: 3, types: 4 });
    // 15 bytes of types, one change of 12 that stays whatever it takes.
    const types = holding({ years: 1, types: 5 });
    makeRoom(types, RULES, { ...WIDE, bytes: ALWAYS + 26 });
    assert.deepEqual(countsOf(types), { sessions: 0, dedup: 0, years: 1, countries: 0, types: 4 });
  });

  it('forgets no last one of a kind, however much that takes, and ends', () => {
    const state = holding({ sessions: 2, dedup: 2, years: 2, countries: 2, types: 2 });
    assert.deepEqual(makeRoom(state, RULES, { ...WIDE, bytes: 0 }), []);
    assert.deepEqual(countsOf(state), { sessions: 0, dedup: 1, years: 1, countries: 1, types: 1 });
  });

  it('leaves the rest to pending money, which decides nothing of what else is kept', () => {
    const state = holding({ dedup: 4, sessions: 4 });
    const all = [0, 1, 2].map((n) => pendingOf(state, n, T0 + n));
    // 99 bytes each: two ids of UUIDs and a byte, its place in a map 17, and 45 with two heads.
    const all4 = ALWAYS + 4 * 23 + 4 * 27;
    assert.deepEqual(makeRoom(state, RULES, { ...WIDE, bytes: all4 + 3 * 99 }), []);
    assert.deepEqual(makeRoom(state, RULES, { ...WIDE, bytes: all4 + 3 * 99 - 1 }), [all[0]]);
    assert.deepEqual(makeRoom(state, RULES, { ...WIDE, bytes: all4 }), [all[1], all[2]]);
    assert.deepEqual([countsOf(state).dedup, countsOf(state).sessions], [4, 4]);
    assert.deepEqual(forgottenOf(state), [0, 0, 0, 0, 3]);
  });
});

describe('what has expired', () => {
  const state = (): UserState => holding({ sessions: 1, dedup: 1, years: 2, countries: 2 });

  it('stays before any time was reached', () => {
    const begun = { ...state(), tau: null };
    forgetExpired(begun, RULES);
    assert.deepEqual(countsOf(begun), { sessions: 1, dedup: 1, years: 2, countries: 2, types: 0 });
  });

  it('is forgotten kind by kind', () => {
    const at = (tau: number) => {
      const reached = { ...state(), tau };
      forgetExpired(reached, RULES);
      return countsOf(reached);
    };
    assert.deepEqual(at(T0 + MINUTE), { sessions: 1, dedup: 1, years: 2, countries: 2, types: 0 });
    assert.deepEqual(at(T0 + MINUTE + 1), { sessions: 1, dedup: 0, years: 2, countries: 2, types: 0 });
    assert.deepEqual(at(T0 + DAY + 2), { sessions: 1, dedup: 0, years: 1, countries: 1, types: 0 });
    assert.deepEqual(at(T0 + 2 * DAY + 1), { sessions: 0, dedup: 0, years: 1, countries: 1, types: 0 });
  });

  it('goes before anything has to make room, and is not counted', () => {
    const full = { ...holding({ sessions: 2, dedup: 2 }), tau: T0 + 2 * DAY + 1 };
    makeRoom(full, RULES, { ...WIDE, sessions: 1, dedupEntries: 1 });
    assert.deepEqual([Object.keys(full.sessions), Object.keys(full.dedup)], [[uuid(1)], []]);
    assert.deepEqual(forgottenOf(full), [0, 0, 0, 0, 0]);
  });
});

describe('records of a user whose state is full', () => {
  const withBounds = (bounds: Partial<Bounds>) => new User({ bounds: { ...WIDE, ...bounds } });

  it('let the oldest session be forgotten: money of it waits again', () => {
    const user = withBounds({ sessions: 1 });
    user.batch([session(0, 's', T0), session(1, 't', T0 + 1)]);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 1, session: 't' }), applied('m =UY first'));
    user.money({ id: 'n', ts: T0 + 1, session: 's' });
    assert.deepEqual(user.pending, { s: ['n'] });
  });

  it('make room after each record: the first of three ids comes out again', () => {
    const user = withBounds({ dedupEntries: 2 });
    const ids = ['a', 'b', 'c', 'a', 'c'];
    const step = user.batch(ids.map((id, offset) => money(offset, { id, ts: T0 })));
    assert.deepEqual(step, applied('a first', 'b', 'c', 'a'));
    assert.equal(user.state.counters.duplicatesForgotten, 2);
    assert.equal(user.state.counters.duplicatesDropped, 1);
  });

  it('have the oldest pending money looked up at once', () => {
    const user = withBounds({ pending: 1 });
    user.now = T0 + HOUR;
    user.money({ id: 'a', ts: T0, session: 's' });
    assert.deepEqual(user.money({ id: 'b', ts: T0 + 1, session: 's' }), asksFor('a'));
    assert.deepEqual(user.pending, { s: ['b'] });
    assert.equal(user.lookup('a').giveUpAt, T0 + HOUR + 10 * MINUTE);
  });

  it('keep the newest changes', () => {
    const user = withBounds({ changes: 1 });
    user.batch([country(0, 'UY', T0), country(1, 'DE', T0 + 1)]);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 1 }), applied('m -/DE first'));
    assert.deepEqual(user.money({ id: 'n', ts: T0, late: T0 + 1 }), applied('n'));
  });

  it('make nothing go where the rules have no bounds', () => {
    const user = new User();
    user.batch([session(0, 's', T0), session(1, 't', T0 + 1)]);
    assert.equal(Object.keys(user.state.sessions).length, 2);
  });
});
