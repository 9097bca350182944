/** The table of semantics, section 3: the first row that fits. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { USER, applied, asksFor, DAY, HOUR, money, NOTHING, RULES, T0, User } from './given.ts';
import { applyBatch } from '../../../src/money/domain/apply.ts';
import { initialState } from '../../../src/money/domain/state.ts';

describe('money is joined with its session', () => {
  it('row 1: without a session id it comes out at once, without session info', () => {
    assert.deepEqual(new User().money({ id: 'm', ts: T0 }), applied('m first'));
  });

  it('row 1 comes before row 2: old money without a session id is not looked up', () => {
    assert.deepEqual(new User().money({ id: 'm', ts: T0, old: true }), applied('m first'));
  });

  it('row 1 holds for late money too', () => {
    assert.deepEqual(new User().money({ id: 'm', ts: T0, late: T0 + DAY }), applied('m first'));
  });

  it('row 2: old money is looked up, also when its session is visible', () => {
    const user = new User();
    user.session('s', T0);
    assert.deepEqual(user.money({ id: 'm', ts: T0, session: 's', old: true }), asksFor('m'));
  });

  it('row 2: old money does not wait for a session that is not known', () => {
    assert.deepEqual(new User().money({ id: 'm', ts: T0, session: 's', old: true }), asksFor('m'));
  });

  it('row 3: from a visible session', () => {
    const user = new User();
    user.session('s', T0, 'DE');
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 1, session: 's' }), applied('m =DE first'));
    assert.equal(user.state.counters.joined, 1);
  });

  it('row 3: late money too, as long as the session is visible at its effective time', () => {
    const user = new User();
    user.session('s', T0);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 1, late: T0 + DAY, session: 's' }), applied('m =UY first'));
  });

  it('row 3: late money of before the session', () => {
    const user = new User();
    user.session('s', T0);
    assert.deepEqual(user.money({ id: 'm', ts: T0 - HOUR, late: T0, session: 's' }), applied('m =UY first'));
  });

  it('row 4: a session that is known but not visible', () => {
    const user = new User();
    user.session('s', T0);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + DAY + 1, session: 's' }), asksFor('m'));
  });

  it('row 4: late money of when the session was visible is judged at its effective time', () => {
    const user = new User();
    user.session('s', T0);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 1, late: T0 + DAY + 1, session: 's' }), asksFor('m'));
  });

  it('row 5: late money of a session that is not known', () => {
    assert.deepEqual(new User().money({ id: 'm', ts: T0, late: T0 + 1, session: 's' }), asksFor('m'));
  });

  it('row 6: on-time money of a session that is not known is pending', () => {
    const user = new User();
    assert.deepEqual(user.money({ id: 'm', ts: T0, session: 's' }), NOTHING);
    assert.deepEqual(user.pending, { s: ['m'] });
  });

  it('several in one millisecond come out in the order of application', () => {
    const user = new User();
    user.session('s', T0);
    const step = user.batch([
      money(2, { id: 'c', ts: T0, session: 's' }),
      money(3, { id: 'a', ts: T0 }),
      money(4, { id: 'waits', ts: T0, session: 't' }),
      money(5, { id: 'b', ts: T0, session: 's' }),
    ]);
    assert.deepEqual(step, applied('c =UY first', 'a', 'b =UY'));
  });

  it('counts what it did', () => {
    const user = new User();
    user.session('s', T0);
    user.money({ ts: T0, session: 's' });
    user.money({ ts: T0 - 1, late: T0 });
    user.money({ ts: T0 - 1, late: T0, session: 't' });
    user.answer('money-2', { status: 'found', clientCountryCode: 'UY' });
    assert.deepEqual(user.state.counters, {
      ...initialState().counters,
      moneyApplied: 3,
      late: 2,
      joined: 1,
      lookedUp: 1,
      moneyByCurrency: { EUR: 3 },
    });
  });
});

describe('money passes through untouched', () => {
  const TEXTS = [
    '0.10',
    '1E+2',
    '-0.0',
    '0',
    '1.0000000000000000000000000000000000000000',
    '100000000000000000000000000000000000000000.50',
    '1234567890123456789012345678901234567890',
    '0.1234567890123456789012345678901234567890',
    '9007199254740993',
    '1e-400',
    '-12.500',
  ];

  for (const text of TEXTS) {
    it(`amount and closing balance ${text}`, () => {
      const state = initialState();
      const record = money(3, { ts: T0, amount: text, closingBalance: `${text}` });
      const {
        applied: [output],
      } = applyBatch(
        state,
        { partition: 2, lowWater: [0, 0, 0], rules: RULES, records: [record] },
        { userId: USER, now: null },
      );
      assert.deepEqual(output, {
        partition: 2,
        offset: 3,
        enriched: {
          userId: USER,
          money: {
            id: 'money-3',
            ts: T0,
            amount: text,
            currency: 'EUR',
            closingBalance: text,
            moneyType: 'BET',
            isOldMoneyEvent: false,
          },
          firstOccurrence: true,
        },
      });
    });
  }

  it('through pending and lookup as well', () => {
    const amount = '0.10000000000000000000000000000000000000000';
    const user = new User();
    user.money({ id: 'm', ts: T0, session: 's', amount });
    assert.equal(user.state.pending['s']![0]!.money.amount, amount);
    user.advance(T0 + HOUR + 1);
    assert.equal(user.lookup('m').money.amount, amount);
  });
});
