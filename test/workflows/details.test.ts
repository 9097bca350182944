/** What Temporal's UI shows of a user's workflow. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Lookup, Pending, UserState } from '../../src/money/domain/types.ts';
import type { Output } from '../../src/money/domain/types.ts';
import { details, lookupSummary } from '../../workflows/details.ts';
import { newLife, type Life } from '../../workflows/life.ts';
import { RULES } from '../money/domain/given.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
const MINUTE = 60_000;
const MONEY = '00000000-0000-4000-8000-00000000000a';
const SESSION = '3ed1aaaa-0000-4000-8000-00000000000b';
/** Between two columns: no-break spaces. */
const GAP = ' \u00a0\u00a0\u00a0 ';

const waiting: Pending & Lookup = {
  partition: 0,
  offset: 7,
  money: {
    id: MONEY,
    userSessionId: SESSION,
    ts: NOON - 23 * MINUTE,
    amount: '1',
    currency: 'EUR',
    closingBalance: '1',
    moneyType: 'BET',
    isOldMoneyEvent: false,
  },
  firstOccurrence: false,
  dueAt: NOON + 37 * MINUTE,
};

function lifeWith(user: Partial<UserState>): Life {
  const life = newLife({ startedAt: NOON, runId: 'run' });
  life.rules = { ...RULES, sessionTtl: 24 * 60 * MINUTE };
  Object.assign(life.user, { tau: NOON, ...user });
  return life;
}

const session = (at: number, clientCountryCode: string) => ({ ts: at, offset: at, clientCountryCode });

describe('the details of a user', () => {
  it('say nothing of what there is not', () => {
    assert.equal(
      details(lifeWith({ tau: null }), []),
      'Event time **none yet**\n\nMoney: **0** applied, 0 duplicates dropped, **0** published',
    );
  });

  it('are tables of what waits, why and until when, of sessions and of outputs with their offsets', () => {
    const life = lifeWith({
      pending: { [SESSION]: [{ ...waiting, wallDueAt: NOON + 60 * MINUTE }] },
      lookups: [{ ...waiting, giveUpAt: NOON + 10 * MINUTE }],
      sessions: { [SESSION]: session(NOON - 60 * MINUTE, 'U|Y'), old: session(NOON - 30 * 60 * MINUTE, 'DE') },
    });
    life.published.applied = 3;
    const enriched = { userId: 'u', money: waiting.money, firstOccurrence: false };
    const output: Output = {
      partition: 0,
      offset: 7,
      enriched: {
        ...enriched,
        userInfo: { birthYear: '1984', residentCountryCode: 'DE' },
        sessionInfo: { clientCountryCode: 'UY' },
        firstOccurrence: true,
      },
    };
    assert.equal(
      details(life, [
        { output, stream: 'applied', at: 42 },
        { output: { partition: 0, offset: 8, enriched, incomplete: true }, stream: 'resolved', at: undefined },
      ]),
      `Event time **2026-01-01T12:00:00.000Z**

Money: **0** applied, 0 duplicates dropped, **3** published

**Money that waits for its session**: 1

| money |${GAP}| waits |
| :-- | :-- | :-- |
| **BET 1 EUR** of 2026-01-01T11:37:00.000Z ${MONEY} |${GAP}| for session ${SESSION}, which is looked up when event time passes 2026-01-01T12:37:00.000Z, or at 2026-01-01T13:00:00.000Z by the clock |

**Lookups under way**: 1

| money |${GAP}| asks |
| :-- | :-- | :-- |
| **BET 1 EUR** of 2026-01-01T11:37:00.000Z ${MONEY} |${GAP}| for session ${SESSION}, and gives up at 2026-01-01T12:10:00.000Z by the clock |

**Sessions**: 2

| session |${GAP}| country |${GAP}| known |
| :-- | :-- | :-- | :-- | :-- |
| ${SESSION} |${GAP}| U\\|Y |${GAP}| from 2026-01-01T11:00:00.000Z until 2026-01-02T11:00:00.000Z |
|${GAP}|${GAP}|${GAP}|${GAP}|${GAP}|
| old |${GAP}| DE |${GAP}| from 2025-12-31T06:00:00.000Z until 2026-01-01T06:00:00.000Z: expired |

**Last outputs**: 3, of which 2 are shown

| money |${GAP}| enriched with |${GAP}| came out |
| :-- | :-- | :-- | :-- | :-- |
| **BET 1 EUR** of 2026-01-01T11:37:00.000Z ${MONEY} |${GAP}| user 1984 DE, client in UY, first of its type |${GAP}| at once, or with its session, at offset 42 |
|${GAP}|${GAP}|${GAP}|${GAP}|${GAP}|
| **BET 1 EUR** of 2026-01-01T11:37:00.000Z ${MONEY} |${GAP}| user unknown, session not known in time |${GAP}| after a lookup |`,
    );
  });

  it('say of an output whether it had a session, and cut long words, which would make a table wider than its page', () => {
    const { userSessionId: _, ...alone } = waiting.money;
    const amount = '0.1234567890123456789012345678901234567890';
    const output = (money: Output['enriched']['money']) => ({
      output: { partition: 0, offset: 7, enriched: { userId: 'u', money, firstOccurrence: false } },
      stream: 'applied' as const,
      at: 1,
    });
    const text = details(lifeWith({}), [output({ ...alone, moneyType: '*A*|B', amount }), output(waiting.money)]);
    assert.match(text, /\| \*\*\\\*A\\\*\\\|B 0\.123456789012345678901… EUR\*\* of /);
    assert.match(text, /user unknown, no session/);
    assert.match(text, /user unknown, session unknown/);
  });

  it('show five of many', () => {
    const sessions = Object.fromEntries(
      Array.from({ length: 12 }, (_, n) => [`session-${n}`, session(NOON - n * MINUTE, 'UY')]),
    );
    const text = details(lifeWith({ sessions }), []);
    assert.match(text, /\*\*Sessions\*\*: 12, of which 5 are shown/);
    assert.deepEqual(text.match(/session-\d+/g), ['session-0', 'session-1', 'session-2', 'session-3', 'session-4']);
  });
});

describe('the summary of a lookup', () => {
  const of = (lookups: readonly Lookup[]): string => lookupSummary(lookups, lifeWith({}));

  it('names the session, and how late its money is', () =>
    assert.equal(of([waiting]), 'lookup of session 3ed1aaaa, 23 min late'));

  it('counts sessions, and says the latest of them', () => {
    const other = { ...waiting, money: { ...waiting.money, userSessionId: MONEY, ts: NOON - 90 * MINUTE } };
    assert.equal(of([waiting, waiting, other]), 'lookup of 2 sessions, 1 h late');
  });

  it('says no time of money that is not behind', () =>
    assert.equal(of([{ ...waiting, money: { ...waiting.money, ts: NOON } }]), 'lookup of session 3ed1aaaa'));
});
