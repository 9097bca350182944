/** The answers of the queries, for a state that is far larger than an answer may be. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Lookup, Pending, UserState } from '../../src/money/domain/state.ts';
import { newLife, type Life } from '../../workflows/life.ts';
import { pendingView, sessionView, stateView, userInfoView } from '../../workflows/views.ts';
import { RULES, T0 } from '../money/domain/given.ts';

const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
/** As long as a record may be. */
const LONG = 'x'.repeat(1_000_000);
/** A hundred characters of it. */
const CUT = `${'x'.repeat(99)}…`;

function waiting(n: number, sessionId: string, text = 'BET'): Pending & Lookup {
  return {
    partition: 0,
    offset: n,
    money: {
      id: uuid(n),
      userSessionId: sessionId,
      ts: T0,
      amount: '0.10',
      currency: 'EUR',
      closingBalance: '1',
      moneyType: text,
      isOldMoneyEvent: false,
    },
    firstOccurrence: false,
    dueAt: T0 + 1,
  };
}

function lifeWith(user: Partial<UserState>): Life {
  const life = newLife({ startedAt: T0, runId: 'run' });
  life.rules = RULES;
  Object.assign(life.user, { tau: T0, ...user });
  return life;
}

const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

describe('the answers of the queries', () => {
  it('hold at most 100 entries of each, and say how many there are', () => {
    const view = stateView(
      USER,
      lifeWith({
        sessions: Object.fromEntries(many(1_000, (n) => [uuid(n), { ts: T0, offset: n, clientCountryCode: 'UY' }])),
        lookups: many(700, (n) => waiting(n, uuid(n))),
        moneyTypes: many(300, (n) => `TYPE-${n}`),
        dedup: Object.fromEntries(many(500, (n) => [uuid(n), T0])),
      }),
    );
    assert.deepEqual([view.sessions.length, view.lookups.length, view.firstOccurrences.length], [100, 100, 100]);
    assert.deepEqual(view.sizes, {
      sessions: 1_000,
      pendingMoney: 0,
      lookups: 700,
      firstOccurrences: 300,
      dedupEntries: 500,
      bytes: 92_762,
    });
    assert.deepEqual(view.firstOccurrences.slice(0, 2), ['TYPE-0', 'TYPE-1']);
  });

  it('count pending money over all sessions', () => {
    const pending = Object.fromEntries(
      many(300, (session) => [uuid(session), many(40, (n) => waiting(n, uuid(session)))]),
    );
    const view = stateView(USER, lifeWith({ pending }));
    assert.deepEqual(
      Object.entries(view.pendingMoney).map(([id, money]) => [id, money.length]),
      [
        [uuid(0), 40],
        [uuid(1), 40],
        [uuid(2), 20],
      ],
    );
    assert.equal(view.pendingMoney[uuid(2)]![19]!.moneyId, uuid(19));
    assert.equal(view.sizes.pendingMoney, 12_000);
  });

  it('hold at most 100 of the money that waits for one session', () => {
    const life = lifeWith({ pending: { [uuid(1)]: many(1_000, (n) => waiting(n, uuid(1), LONG)) } });
    const view = pendingView(life, uuid(1).toUpperCase());
    assert.equal(view.length, 100);
    assert.equal(view[0]!.moneyType, CUT);
    assert.deepEqual(pendingView(life, uuid(2)), []);
  });

  it('show what is short as it is', () => {
    const view = stateView(
      USER,
      lifeWith({ pending: { [uuid(1)]: [waiting(7, uuid(1), 'x'.repeat(100))] }, moneyTypes: ['BET'] }),
    );
    assert.deepEqual(view.pendingMoney, {
      [uuid(1)]: [
        {
          moneyId: uuid(7),
          processedAt: new Date(T0).toISOString(),
          moneyType: 'x'.repeat(100),
          amount: '0.10',
          currency: 'EUR',
          dueAt: new Date(T0 + 1).toISOString(),
          wallClockDueAt: null,
        },
      ],
    });
    assert.deepEqual(view.firstOccurrences, ['BET']);
  });

  it('stay below what is compressed, whatever the events hold', () => {
    const change = { ts: T0, offset: 0, value: LONG };
    const money = (n: number, sessionId: string): Pending & Lookup => {
      const one = waiting(n, sessionId, LONG);
      return { ...one, money: { ...one.money, amount: LONG } };
    };
    const life = lifeWith({
      sessions: Object.fromEntries(many(300, (n) => [uuid(n), { ts: T0, offset: n, clientCountryCode: LONG }])),
      pending: Object.fromEntries(many(300, (n) => [uuid(n), [money(n, uuid(n))]])),
      lookups: many(300, (n) => money(n, uuid(n))),
      moneyTypes: many(300, () => LONG),
      birthYear: [change],
      residentCountryCode: [change],
    });
    const view = stateView(USER, life);
    const bytes = Buffer.byteLength(JSON.stringify(view));
    assert.ok(bytes < 200_000, `${bytes} bytes`);
    assert.deepEqual(view.userInfo, { birthYear: CUT, residentCountryCode: CUT });
    assert.deepEqual(userInfoView(life), view.userInfo);
    assert.equal(sessionView(life, uuid(0))!.clientCountryCode, CUT);
    assert.equal(view.pendingMoney[uuid(0)]![0]!.amount, CUT);
    assert.equal(view.firstOccurrences[0], CUT);
  });

  it('know nothing of a user before the first event', () => {
    const view = stateView(USER, newLife({ startedAt: T0, runId: 'run' }));
    assert.deepEqual([view.effectiveTime, view.userInfo, view.sessions, view.pendingMoney], [null, null, [], {}]);
  });
});
