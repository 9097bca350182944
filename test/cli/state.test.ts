import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderState } from '../../src/cli/state.ts';
import type { UserStateView } from '../../workflows/views.ts';

const empty: UserStateView = {
  userId: '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11',
  effectiveTime: null,
  userInfo: null,
  sessions: [],
  pendingMoney: {},
  lookups: [],
  firstOccurrences: [],
  counters: { published: 0, unpublished: 0 } as UserStateView['counters'],
  sizes: { sessions: 0, pendingMoney: 0, lookups: 0, firstOccurrences: 0, dedupEntries: 0, bytes: 0 },
  waitsForRoom: false,
  partitions: [3],
  partition: 3,
  incarnation: { startedAt: '2026-01-31T10:00:00.000Z', runId: 'r' },
};

test('a user of whom nothing is known yet', () => {
  assert.equal(
    renderState(empty),
    `user                  0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11
effective time        none yet
user info             none known
first occurrences     none
remembered for dedup  0
partition             3
running since         2026-01-31T10:00:00.000Z

sessions: none

pending money: none

lookups in flight: none

counters
  counter      value
  published    0
  unpublished  0`,
  );
});

test('sessions, pending money by session and lookups are tables, and say when they are cut', () => {
  const text = renderState({
    ...empty,
    effectiveTime: '2026-01-31T10:00:00.000Z',
    userInfo: { birthYear: '1990', residentCountryCode: 'U\u001b[31mY' },
    sessions: [
      {
        sessionId: 'session-1',
        clientCountryCode: 'UY',
        createdAt: '2026-01-31T09:00:00.000Z',
        expiresAt: '2026-02-01T09:00:00.000Z',
        status: 'visible',
      },
    ],
    pendingMoney: {
      'session-2': [
        {
          moneyId: 'money-1',
          processedAt: '2026-01-31T09:30:00.000Z',
          moneyType: 'DEPOSIT',
          amount: '0.10',
          currency: 'EUR',
          dueAt: '2026-01-31T10:30:00.000Z',
          wallClockDueAt: null,
        },
      ],
    },
    lookups: [{ moneyId: 'money-2', sessionId: 'session-3', givenUpAt: null }],
    firstOccurrences: ['DEPOSIT', 'BET'],
    sizes: { sessions: 250, pendingMoney: 1, lookups: 1, firstOccurrences: 7, dedupEntries: 2, bytes: 0 },
  });
  assert.match(text, /^user info +birthYear 1990, residentCountryCode U\\u001b\[31mY$/m);
  assert.match(text, /^first occurrences +DEPOSIT, BET, and 5 more$/m);
  assert.match(text, /^sessions \(250, the first 1 shown\)$/m);
  assert.match(text, /^ {2}session-1 +UY +2026-01-31T09:00:00.000Z +2026-02-01T09:00:00.000Z +visible$/m);
  assert.match(
    text,
    /^ {2}session-2 +money-1 +2026-01-31T09:30:00.000Z +DEPOSIT +0\.10 EUR +2026-01-31T10:30:00.000Z$/m,
  );
  assert.match(text, /^ {2}session-3 +money-2 +not started$/m);
});
