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
    const enriched = { userId: 'u', money: waiting.money, firstOccurrence: true };
    const output: Output = {
      partition: 0,
      offset: 7,
      enriched: { ...enriched, sessionInfo: { clientCountryCode: 'UY' } },
    };
    assert.equal(
      details(life, [
        { output, stream: 'applied', at: 42 },
        { output: { partition: 0, offset: 8, enriched, incomplete: true }, stream: 'resolved', at: undefined },
      ]),
      `Event time **2026-01-01T12:00:00.000Z**

Money: **0** applied, 0 duplicates dropped, **3** published

**Money that waits for its session**: 1

| money | of | its session | looked up when event time passes | or at, by the clock |
| --- | --- | --- | --- | --- |
| ${MONEY} | 2026-01-01T11:37:00.000Z | ${SESSION} | 2026-01-01T12:37:00.000Z | 2026-01-01T13:00:00.000Z |

**Lookups under way**: 1

| money | of | session | given up at, by the clock |
| --- | --- | --- | --- |
| ${MONEY} | 2026-01-01T11:37:00.000Z | ${SESSION} | 2026-01-01T12:10:00.000Z |

**Sessions**: 2

| session | country | from | until |  |
| --- | --- | --- | --- | --- |
| ${SESSION} | U\\|Y | 2026-01-01T11:00:00.000Z | 2026-01-02T11:00:00.000Z |  |
| old | DE | 2025-12-31T06:00:00.000Z | 2026-01-01T06:00:00.000Z | expired |

**Last outputs**: 3, of which 2 are shown

| money | of | country of session | offset in the output topic | came out |
| --- | --- | --- | --- | --- |
| ${MONEY} | 2026-01-01T11:37:00.000Z | UY | 42 | at once, or with its session |
| ${MONEY} | 2026-01-01T11:37:00.000Z | not known in time |  | after a lookup |`,
    );
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
