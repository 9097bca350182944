/** The sizes that bounds are kept by, against what is stored: never less, and little more. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keptOf } from '../../../src/money/domain/kept.ts';
import { initialState, type UserState } from '../../../src/money/domain/state.ts';
import {
  changeSize,
  dedupSize,
  longSize,
  lookupSize,
  moneyTypeSize,
  outputSize,
  pendingSize,
  sessionSize,
  textSize,
} from '../../../src/money/domain/stored-size.ts';
import type { Lookup, Output, Pending } from '../../../src/money/domain/types.ts';
import { stateFormat } from '../../../src/engine/stored/format.ts';
import { pack } from '../../../src/engine/stored/packed.ts';
import { newLife } from '../../../workflows/life.ts';
import { boundedBytes } from '../../../src/money/domain/bounds.ts';
import { USER } from './given.ts';

function stored(user: UserState, unpublished: Output[] = []): { packed: number; plain: number } {
  const plain = stateFormat().encode('Start', {
    userId: USER,
    life: { ...newLife({ startedAt: 1_769_853_600_000, runId: USER }), user, unpublished },
  });
  return { packed: pack(plain).length, plain: plain.length };
}

const EMPTY = stored(initialState());

const uuid = fc.uuid();
const id = fc.oneof(
  { weight: 5, arbitrary: uuid },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 50 }).map((name) => `-${name}`) },
);
const ts = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });
const offset = fc.integer({ min: 0, max: 2 ** 40 });
const text = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom('\ud800x', '\ufdd0', '漢'.repeat(200), 'x'.repeat(1_000), '\ud83d\ude00'),
);
const number = fc.oneof(
  fc.integer().map(String),
  fc
    .tuple(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 0, max: 3_000 }))
    .map(([a, b]) => `-${'7'.repeat(a)}${b > 0 ? `.${'3'.repeat(b)}` : ''}E+${'1'.repeat(a)}`),
);
const userInfo = fc.option(fc.record({ birthYear: text, residentCountryCode: text }, { requiredKeys: [] }), {
  nil: undefined,
});
const defined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
const header = fc.record({
  name: fc.constantFrom('traceparent', 'x'),
  value: fc.oneof(
    uuid,
    fc.constant(''),
    fc.constant('ÿ'.repeat(90)),
    fc.constant(`00-${'7'.repeat(32)}-${'a'.repeat(16)}-01`),
  ),
});
const money = fc
  .record({
    id,
    userSessionId: id,
    ts,
    amount: number,
    currency: fc.constantFrom('EUR', 'UYU'),
    closingBalance: number,
    moneyType: text,
    isOldMoneyEvent: fc.boolean(),
    forwarded: fc.option(fc.record({ headers: fc.array(header, { minLength: 1, maxLength: 4 }) }), { nil: undefined }),
  })
  .map((one) => defined(one) as Lookup['money']);
const place = {
  partition: fc.integer({ min: 0, max: 10_000 }),
  offset,
  money,
  userInfo,
  firstOccurrence: fc.boolean(),
};
const pending = fc
  .record({ ...place, dueAt: ts, wallDueAt: fc.option(ts, { nil: undefined }) })
  .map((one) => defined(one) as Pending);
const lookup = fc
  .record({ ...place, giveUpAt: fc.option(ts, { nil: undefined }) })
  .map((one) => defined(one) as Lookup);
const session = fc.record({ ts, offset, clientCountryCode: text });
const change = fc.record({ ts, offset, value: text });

describe('the size of what is stored', () => {
  it('is, by hand', () => {
    assert.deepEqual(
      [0, -1, 1, 63, -64, 64, -65, 8_191, 8_192, -8_193, 1_769_853_600_000, -1_769_853_600_000].map(longSize),
      [1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 6, 6],
    );
    // UTF-8: a, ä, 漢, a pair; what Avro cannot write takes a mark and four hex digits.
    assert.deepEqual(['', 'a', 'ä', '漢', '😀', '\ud800', '\ufdd0'].map(textSize), [1, 2, 3, 4, 5, 8, 8]);
    assert.equal(dedupSize(USER, 1_769_853_600_000), 23);
    assert.equal(
      sessionSize(USER, { ts: 1_769_853_600_000, offset: 1_000_000, clientCountryCode: 'UY' }),
      17 + 6 + 3 + 3,
    );
    assert.equal(changeSize({ ts: 1_769_853_600_000, offset: 1_000_000, value: 'UY' }), 12);
    assert.equal(moneyTypeSize('BET'), 4);
  });

  it('of a text is of its bytes in UTF-8, whatever its characters are, by hand', () => {
    const sizes = (...texts: string[]): number[] => texts.map(textSize);
    // The length takes a byte until 63, then two.
    assert.deepEqual(sizes('x'.repeat(63), 'x'.repeat(64)), [64, 66]);
    // The last and the first of one, two and three bytes.
    assert.deepEqual(sizes('\x7f', '\x80', '\u07ff', '\u0800', '\ud7ff', '\ue000'), [2, 3, 3, 4, 4, 4]);
    assert.deepEqual(sizes('\ud800\udc00', '\udbff\udfff', '\ud83d\ude00x'), [5, 5, 6]);
    // Of a pair one alone: the high one at the end, before another, before what is beyond; the low one first.
    assert.deepEqual(sizes('\ud83d', '\ud83dx', '\ud800\ud800', '\ud800\ue000'), [8, 9, 15, 11]);
    assert.deepEqual(sizes('\udc00', '\udfff', '\udc00\udc00', '\udfff\udfff'), [8, 8, 15, 15]);
  });

  it('of an id is 17 bytes of a UUID in lower case, of another what its text takes, by hand', () => {
    const sizeOf = (name: string): number => dedupSize(name, 0) - 1;
    assert.equal(sizeOf(USER), 17);
    // 36 characters, their length and two heads of plain bytes.
    assert.equal(sizeOf('A0000000-0000-4000-8000-000000000001'), 39);
    assert.equal(sizeOf('a00000000000-0004-0008-0000-00000001'), 39);
    assert.equal(sizeOf(`x${USER}`), 40);
    assert.equal(sizeOf(`${USER}x`), 40);
    assert.equal(sizeOf(''), 1);
  });

  it('of plain bytes has a head at 32, and at each 32 another, by hand', () => {
    const sizes = [30, 31, 62, 63].map((length) => moneyTypeSize('x'.repeat(length)));
    // 31 bytes with the length; 32; 63; 64: the head of each whole 32, and that of the rest.
    assert.deepEqual(sizes, [31, 32 + 2, 63 + 2, 64 + 3]);
  });

  it('of money that waits, is asked for or goes out is, by hand', () => {
    // T0 6, `12.50` 6, `EUR` 4, `1042.17` 8, `BET` 4, whether it is old 1, no headers 1: 30.
    const plain: Lookup['money'] = {
      id: USER,
      userSessionId: USER,
      ts: 1_769_853_600_000,
      amount: '12.50',
      currency: 'EUR',
      closingBalance: '1042.17',
      moneyType: 'BET',
      isOldMoneyEvent: false,
    };
    // Partition, offset, no user info, the first of its type or not: 4. Ids with a byte between: 35.
    const of = (fields: Partial<Lookup['money']> = {}, more: Partial<Pending> = {}): Omit<Lookup, 'giveUpAt'> => ({
      partition: 3,
      offset: 5,
      firstOccurrence: false,
      money: { ...plain, ...fields },
      ...more,
    });
    const dueAt = 1_769_853_600_000;
    // The session once more as a key 17, 4 of the map and the array, dueAt 6, no wallDueAt 1; two heads of plain bytes.
    assert.equal(pendingSize({ ...of(), dueAt }), 17 + (4 + 4 + 30 + 6 + 1 + 2) + 35);
    assert.equal(pendingSize({ ...of(), dueAt, wallDueAt: dueAt }), 17 + (4 + 4 + 30 + 6 + 7 + 2) + 35);
    assert.equal(lookupSize(of()), 4 + 30 + 1 + 2 + 35);
    assert.equal(lookupSize({ ...of(), giveUpAt: dueAt }), 4 + 30 + 7 + 2 + 35);

    // A byte that says that it is there, and a byte of each field before its text.
    const withInfo = (info: Lookup['userInfo'] & object): number =>
      lookupSize({ ...of(), userInfo: info }) - lookupSize(of());
    assert.equal(withInfo({}), 2);
    assert.equal(withInfo({ birthYear: '1984' }), 2 + 5);
    assert.equal(withInfo({ residentCountryCode: 'DE' }), 2 + 3);
    assert.equal(withInfo({ birthYear: '1984', residentCountryCode: 'DE' }), 2 + 5 + 3);

    const withFields = (fields: Partial<Lookup['money']>): number => lookupSize(of(fields)) - lookupSize(of());
    assert.equal(withFields({ forwarded: { headers: [{ name: 'a', value: 'bc' }] } }), 2 + 2 + 3);
    const two = [
      { name: 'a', value: 'bc' },
      { name: 'def', value: '' },
    ];
    assert.equal(withFields({ forwarded: { headers: two } }), 2 + 2 + 3 + 4 + 1);
    // 66 bytes instead of 6, and a third head; digits that are packed have 128 for what is around them, and four more heads.
    assert.equal(withFields({ amount: '7'.repeat(64) }), 60 + 1);
    assert.equal(withFields({ amount: '7'.repeat(65) }), 33 + 128 - 6 + 4);
    assert.equal(withFields({ closingBalance: '7'.repeat(66) }), 33 + 128 - 8 + 4);
  });

  it('of an output has the user, and the session where there is one, by hand', () => {
    const money = {
      id: USER,
      ts: 1_769_853_600_000,
      amount: '12.50',
      currency: 'EUR',
      closingBalance: '1042.17',
      moneyType: 'BET',
      isOldMoneyEvent: false,
    };
    const of = (more: Partial<Output['enriched']>): number =>
      outputSize({ partition: 3, offset: 5, enriched: { userId: USER, money, firstOccurrence: true, ...more } });
    // User; partition, offset, money 30, nothing of user and session, 4 of the record, two heads; the id, and that there is no session.
    assert.equal(of({}), 17 + (2 + 30 + 2 + 4 + 2) + 18);
    assert.equal(of({ money: { ...money, userSessionId: USER } }), 17 + (2 + 30 + 2 + 4 + 2) + 35);
    assert.equal(of({ sessionInfo: { clientCountryCode: 'UY' } }), 17 + (2 + 30 + 2 + 3 + 4 + 2) + 18);
    assert.equal(of({ userInfo: { birthYear: '1984' } }), 17 + (2 + 30 + 1 + 8 + 4 + 2) + 18);
  });

  it('is never less than what the codec makes of a state, and at most some percent more', () => {
    const state = fc.record({
      sessions: fc.dictionary(id, session, { maxKeys: 30 }),
      dedup: fc.dictionary(id, ts, { maxKeys: 50 }),
      moneyTypes: fc.uniqueArray(text, { maxLength: 20 }),
      birthYear: fc.array(change, { maxLength: 20 }),
      residentCountryCode: fc.array(change, { maxLength: 20 }),
      pending: fc.array(pending, { maxLength: 20 }),
      lookups: fc.array(lookup, { maxLength: 20 }),
    });
    fc.assert(
      fc.property(state, ({ pending: waiting, ...rest }) => {
        const user: UserState = { ...initialState(), ...rest };
        for (const one of waiting) (user.pending[one.money.userSessionId] ??= []).push(one);
        const unpublished = rest.lookups.map(
          ({ partition, offset: at, money: of, userInfo: info, firstOccurrence }): Output => ({
            partition,
            offset: at,
            enriched: {
              userId: USER,
              money: of,
              ...(info && { userInfo: info }),
              sessionInfo: { clientCountryCode: of.moneyType },
              firstOccurrence,
            },
          }),
        );
        const measured =
          boundedBytes(user) +
          keptOf(user).pending.bytes +
          sum(user.lookups.map(lookupSize)) +
          sum(unpublished.map(outputSize));
        const real = stored(user, unpublished);
        assert.ok(measured >= real.packed, `measured ${measured}, stored ${real.packed}`);
        assert.ok(
          measured - 6_000 <= 1.2 * (real.plain - EMPTY.plain) + 2_000,
          `measured ${measured}, plain ${real.plain}`,
        );
      }),
      { numRuns: 150 },
    );
  });

  it('is within five percent for a state of ordinary records', () => {
    const user = initialState();
    const uuidOf = (n: number): string => `a0000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
    for (let n = 0; n < 2_000; n += 1) {
      user.dedup[uuidOf(n)] = 1_769_853_600_000 + n;
      user.sessions[uuidOf(n)] = { ts: 1_769_853_600_000 + n, offset: n, clientCountryCode: 'UY' };
      const money = {
        id: uuidOf(n),
        userSessionId: uuidOf(n),
        ts: 1_769_853_600_000,
        amount: '12.50',
        currency: 'EUR',
        closingBalance: '1042.17',
        moneyType: 'DEPOSIT',
        isOldMoneyEvent: false,
      };
      user.pending[uuidOf(n)] = [
        {
          partition: 3,
          offset: n,
          firstOccurrence: false,
          dueAt: 1_769_853_600_000,
          wallDueAt: 1_769_853_600_000,
          money,
          userInfo: { birthYear: '1984', residentCountryCode: 'DE' },
        },
      ];
    }
    const measured = boundedBytes(user) + keptOf(user).pending.bytes;
    const { packed } = stored(user);
    assert.ok(measured >= packed && measured - 6_000 <= 1.05 * packed, `measured ${measured}, stored ${packed}`);
  });

  it('of a kind is kept up to date whatever is added and forgotten', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom('a', 'b', 'c', 'd'),
            fc.integer({ min: 0, max: 9 }),
            fc.constantFrom('add', 'oldest', 'expired'),
          ),
          { maxLength: 60 },
        ),
        (steps) => {
          const user = initialState();
          const { sessions, dedup } = keptOf(user);
          for (const [name, at, step] of steps) {
            if (step === 'add') {
              sessions.add(name, { ts: at, offset: at, clientCountryCode: 'x'.repeat(at) });
              dedup.add(name, at);
            } else if (step === 'oldest') {
              const oldest = Object.entries(user.dedup).sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))[0];
              sessions.forgetOldest();
              dedup.forgetOldest();
              if (oldest !== undefined) assert.ok(!(oldest[0] in user.dedup));
            } else {
              sessions.forgetExpired(at, 1);
              dedup.forgetExpired(at, 1);
              assert.ok(Object.values(user.dedup).every((entry) => at <= entry + 1));
            }
          }
          assert.equal(dedup.count, Object.keys(user.dedup).length);
          assert.equal(sessions.count, Object.keys(user.sessions).length);
          assert.equal(dedup.bytes, sum(Object.entries(user.dedup).map(([each, at]) => dedupSize(each, at))));
          assert.equal(sessions.bytes, sum(Object.entries(user.sessions).map(([each, of]) => sessionSize(each, of))));
        },
      ),
    );
  });

  it('of pending money counts all that is in it', () => {
    fc.assert(
      fc.property(fc.uniqueArray(pending, { maxLength: 20, selector: ({ offset: at }) => at }), (all) => {
        const user = initialState();
        const kept = keptOf(user).pending;
        for (const one of all) kept.add(one);
        assert.equal(kept.bytes, sum(all.map(pendingSize)));
        const dues = kept.takeAll().map(({ dueAt }) => dueAt);
        assert.deepEqual(
          dues,
          all.map(({ dueAt }) => dueAt).sort((a, b) => a - b),
        );
        assert.deepEqual([kept.bytes, kept.count, user.pending], [0, 0, {}]);
      }),
    );
  });
});

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
