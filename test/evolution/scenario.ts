/**
 * What a release leaves behind: states of every kind, signals, ledger entries. Made with the code of the release, once; what
 * has to follow from each state is written down here by hand.
 */
import { applyBatch } from '../../src/money/domain/apply.ts';
import type { LedgerEntry } from '../../src/engine/workflow/ledger-types.ts';
import type { EventBatch, Life, Start } from '../../src/money/domain/types.ts';
import { newLife } from '../../workflows/life.ts';
import { birthYear, country, DAY, HOUR, MINUTE, money, RULES, session, T0, USER } from '../money/domain/given.ts';

export interface StateFixture {
  readonly start: Start;
  /** The batch that comes after the deployment, and what it has to lead to, in the short form of test/money/domain/given.ts. */
  readonly next: EventBatch;
  readonly applied: readonly string[];
  readonly resolved: readonly string[];
  /** Ids of money whose lookup is in flight afterwards. */
  readonly lookups: readonly string[];
}

const WALL = T0 + 5 * DAY;
const LARGEST = 20_000;

export const SIGNALS: Readonly<Record<string, EventBatch>> = {
  empty: batch([]),
  'every-event': batch([
    birthYear(0, '1990', T0),
    country(1, 'UY', T0),
    session(0, 's1', T0, 'SE'),
    money(0, { id: 'a', ts: T0, session: 's1', amount: '0.10', closingBalance: '1E+2' }),
    money(1, { id: 'b', ts: T0 - HOUR, late: T0 }),
    birthYear(2, 'ünï', T0 - 1, T0),
    session(1, 's2', T0 - 1, '', T0),
  ]),
  largest: batch(Array.from({ length: 500 }, (_, n) => money(n, { id: idOf(n), ts: T0 + n, session: idOf(n % 7) }))),
};

export const LEDGER: Readonly<Record<string, LedgerEntry>> = {
  new: { incarnation: { startedAt: T0, runId: 'run-1' } },
  both: {
    incarnation: { startedAt: T0, runId: 'run-1' },
    applied: { seq: 7, partition: 3, offset: 2 ** 40 },
    resolved: { seq: 1, partition: 0, offset: 0 },
  },
};

export const STATES: Readonly<Record<string, StateFixture>> = {
  new: {
    start: { userId: USER },
    next: batch([money(0, { id: 'a', ts: T0 })]),
    applied: ['a first'],
    resolved: [],
    lookups: [],
  },
  empty: {
    start: startOf([]),
    next: batch([money(0, { id: 'a', ts: T0, session: 's' })]),
    applied: [],
    resolved: [],
    lookups: [],
  },
  full: {
    start: startOf([
      [birthYear(0, '1990', T0), country(1, 'UY', T0), session(0, 'old', T0 - DAY, 'DE'), session(1, 's1', T0, 'SE')],
      [money(0, { id: 'a', ts: T0 + 1, session: 's1' }), money(1, { id: 'b', ts: T0 + 2, type: 'WIN' })],
    ]),
    next: batch([
      // A repeat of a coordinate, of an id within the dedup TTL, money as of before and after a change, of an expired session.
      money(1, { id: 'b', ts: T0 + 2, type: 'WIN' }),
      money(2, { id: 'a', ts: T0 + 3, session: 's1' }),
      money(3, { id: 'c', ts: T0 + 4, session: 's1' }),
      birthYear(2, '1991', T0 + HOUR - 1),
      money(4, { id: 'd', ts: T0 + HOUR, type: 'WIN' }),
      money(5, { id: 'e', ts: T0 + HOUR, session: 'old', type: 'FEE' }),
    ]),
    applied: ['c =SE 1990/UY', 'd 1991/UY'],
    resolved: [],
    lookups: ['e'],
  },
  pending: {
    start: startOf([
      [
        birthYear(0, '1990', T0),
        money(0, { id: 'a', ts: T0, session: 's1' }),
        money(1, { id: 'b', ts: T0 + 1, session: 's1' }),
        money(2, { id: 'c', ts: T0 + 2, session: 's2' }),
      ],
    ]),
    next: batch([
      birthYear(1, '1991', T0 + 3),
      session(0, 's1', T0 + 4, 'SE'),
      money(3, { id: 'd', ts: T0 + 2 * HOUR }),
    ]),
    applied: ['d 1991/-'],
    resolved: ['a =SE 1990/- first', 'b =SE 1990/-'],
    lookups: ['c'],
  },
  lookups: {
    start: startOf([
      [
        money(0, { id: 'a', ts: T0, session: 's1', old: true }),
        money(1, { id: 'b', ts: T0, session: 's2', old: true }),
      ],
    ]),
    next: batch([money(2, { id: 'c', ts: T0 + 1 })]),
    applied: ['c'],
    resolved: [],
    lookups: ['a', 'b'],
  },
  unpublished: {
    start: startOf([[money(0, { id: 'a', ts: T0, session: 's1' }), session(0, 's1', T0 + 1, 'SE')]]),
    next: batch([money(1, { id: 'b', ts: T0 + 2, session: 's1' })]),
    applied: ['b =SE'],
    resolved: [],
    lookups: [],
  },
  largest: {
    start: startOf([Array.from({ length: LARGEST }, (_, n) => money(n, { id: idOf(n), ts: T0 + n }))]),
    next: batch([
      money(LARGEST, { id: idOf(0), ts: T0 + LARGEST }),
      money(LARGEST + 1, { id: 'new', ts: T0 + MINUTE }),
    ]),
    applied: ['new'],
    resolved: [],
    lookups: [],
  },
};

function batch(records: EventBatch['records']): EventBatch {
  return { partition: 3, lowWater: [0, 0, 0], rules: RULES, records };
}

/** A life after these batches. */
function startOf(batches: readonly EventBatch['records'][]): Start {
  const life: Life = newLife({ startedAt: T0, runId: 'run-1' });
  for (const records of batches) {
    const { partition, rules, ...rest } = batch(records);
    life.rules = rules;
    life.partition = partition;
    const { applied, resolved } = applyBatch(life.user, { partition, rules, ...rest }, { userId: USER, now: WALL });
    life.published.applied += applied.length;
    life.unpublished.push(...resolved);
  }
  return { userId: USER, life };
}

function idOf(n: number): string {
  return `a0000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}
