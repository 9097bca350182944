/**
 * What a touch costs does not grow with what is remembered of its user. A ratio of times in one process, small and large in turn, the
 * quickest quarter of each: a scan over all that is remembered makes it ten and more.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { applyBatch } from '../../../src/money/domain/apply.ts';
import type { Money, Rules } from '../../../src/money/domain/events.ts';
import { initialState, type UserState } from '../../../src/money/domain/state.ts';
import type { Life } from '../../../workflows/life.ts';
import { userEntity } from '../../../workflows/user-entity.ts';

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const RULES: Rules = {
  sessionTtl: 24 * HOUR,
  dedupTtl: HOUR,
  pendingTimeout: HOUR,
  lookupGiveUpAfter: 600_000,
  bounds: { dedupEntries: 100_000, sessions: 50_000, pending: 50_000, changes: 1_000, moneyTypes: 1_000, bytes: 1e9 },
};
const BATCH = 20;
const TURNS = 200;
/** The aim is 1.5; the rest is for a machine that does other work as well. */
const MOST = 2.5;

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
const moneyAt = (ts: number, userSessionId: string): Money & { readonly userSessionId: string } => ({
  id: randomUUID(),
  ts,
  userSessionId,
  amount: '10.25',
  currency: 'EUR',
  closingBalance: '1000.50',
  moneyType: 'BET',
  isOldMoneyEvent: false,
});

/** Fills a state with `count` of a kind. */
type Fill = (state: UserState, count: number) => void;

class User {
  readonly life: Life;
  readonly #session = randomUUID();
  #offset = 1_000_000;
  #ts = NOW + 1;

  constructor(fill: Fill, count: number) {
    const user = initialState();
    user.tau = NOW;
    user.sessions[this.#session] = { ts: NOW, offset: 0, clientCountryCode: 'UY' };
    fill(user, count);
    const incarnation = { startedAt: NOW, runId: 'r' };
    this.life = { ...userEntity.rules.newLife(incarnation), rules: RULES, user };
  }

  /** A touch: some money, and what the shell asks afterwards. Returns ms. */
  touch(): number {
    const records = times(BATCH, () => ({
      input: 2 as const,
      offset: (this.#offset += 1),
      ts: (this.#ts += 1),
      event: { type: 'money' as const, money: moneyAt(this.#ts, this.#session) },
    }));
    const from = records[0]!.offset;
    const { life } = this;
    const began = performance.now();
    applyBatch(life.user, { partition: 0, lowWater: [from, from, from], rules: RULES, records } as never, {
      userId: 'u',
      now: NOW,
    });
    userEntity.rules.forgetsIn(life);
    userEntity.rules.wallClockDue(life);
    userEntity.rules.eventTimeDue(life);
    userEntity.notes.details(life, []);
    return performance.now() - began;
  }
}

/** Touches of a user with many in times of those of one with few. */
function growth(fill: Fill, few: number, many: number): number {
  const small = new User(fill, few);
  const large = new User(fill, many);
  const took = { small: [] as number[], large: [] as number[] };
  for (let turn = 0; turn < 2 * TURNS; turn += 1) {
    const [a, b] = [small.touch(), large.touch()];
    // The code is warm by then.
    if (turn < TURNS) continue;
    took.small.push(a);
    took.large.push(b);
  }
  const quarter = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 2]!;
  return quarter(took.large) / quarter(took.small);
}

const KINDS: readonly (readonly [string, Fill, number, number])[] = [
  ['ids', (state, count) => void times(count, () => (state.dedup[randomUUID()] = NOW + 30_000)), 10, 60_000],
  [
    'sessions',
    (state, count) =>
      void times(count, (offset) => (state.sessions[randomUUID()] = { ts: NOW, offset, clientCountryCode: 'UY' })),
    10,
    5_000,
  ],
  [
    'money events that wait',
    (state, count) =>
      void times(count, (offset) => {
        const money = moneyAt(NOW, randomUUID());
        const pending = {
          partition: 0,
          offset,
          money,
          firstOccurrence: false,
          dueAt: NOW + HOUR,
          wallDueAt: NOW + HOUR,
        };
        state.pending[money.userSessionId] = [pending];
      }),
    10,
    5_000,
  ],
];

for (const [name, fill, few, many] of KINDS) {
  test(`a touch of a user with ${many} ${name} costs what one with ${few} costs`, () => {
    const found: number[] = [];
    // One of three: what else the machine does can only make it look worse.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      found.push(growth(fill, few, many));
      if (found.at(-1)! <= MOST) return;
    }
    assert.fail(`${found.map((ratio) => ratio.toFixed(1)).join(', ')} times`);
  });
}
