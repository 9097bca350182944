/** The table of semantics, section 3, row by row: expected values are the contract's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide } from '../../../src/money/domain/decide.ts';
import { DAY, HOUR, MINUTE, money, RULES, T0, User } from './given.ts';

const S = '00000000-0000-4000-8000-000000000001';

/** What is decided of money that comes after these records, at its own time or, if it is late, at `late`. */
function decided(before: (user: User) => void, fields: Parameters<typeof money>[1]) {
  const user = new User();
  before(user);
  const { event, late } = money(99, fields);
  assert.ok(event.type === 'money');
  const copy = structuredClone(user.state);
  const decision = decide(user.state, event.money, {
    tau: Math.max(late ?? fields.ts, user.state.tau ?? -Infinity),
    isLate: late !== undefined,
    rules: RULES,
  });
  assert.deepEqual(user.state, copy, 'a decision changes nothing');
  return decision.type === 'lookup'
    ? `lookup: ${decision.why}`
    : decision.type === 'pending'
      ? `pending until ${decision.dueAt - T0}`
      : decision.type;
}

const nothing = (): void => undefined;
const withSession = (ts: number) => (user: User) => void user.session(S, ts);

const ROWS: readonly (readonly [string, Parameters<typeof decided>, string])[] = [
  ['no session id', [nothing, { ts: T0 }], 'no-session'],
  [
    'the same id within the dedup TTL, to the millisecond',
    [(user) => void user.money({ ts: T0, id: 'm' }), { ts: T0 + MINUTE, id: 'm' }],
    'duplicate',
  ],
  [
    'the same id a millisecond later',
    [(user) => void user.money({ ts: T0, id: 'm' }), { ts: T0 + MINUTE + 1, id: 'm' }],
    'no-session',
  ],
  ['old money, though its session is known', [withSession(T0), { ts: T0, session: S, old: true }], 'lookup: old-money'],
  ['its session is visible, to the millisecond', [withSession(T0), { ts: T0 + DAY, session: S }], 'joined'],
  ['its session is expired', [withSession(T0), { ts: T0 + DAY + 1, session: S }], 'lookup: session-expired'],
  [
    'its session is expired, to the millisecond',
    [withSession(T0), { ts: T0 + 2 * DAY, session: S }],
    'lookup: session-expired',
  ],
  [
    'its session is forgotten',
    [withSession(T0), { ts: T0 + 2 * DAY + 1, session: S }],
    `pending until ${2 * DAY + 1 + HOUR}`,
  ],
  ['its session is not known and it is on time', [nothing, { ts: T0, session: S }], `pending until ${HOUR}`],
  [
    'its session is not known and it is late',
    [nothing, { ts: T0, late: T0 + 1, session: S }],
    'lookup: late-and-unknown',
  ],
  ['its session is known and it is late', [withSession(T0), { ts: T0 - 1, late: T0 + 1, session: S }], 'joined'],
];

for (const [what, given, expected] of ROWS) {
  test(`${what}: ${expected}`, () => assert.equal(decided(...given), expected));
}
