import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headline } from '../../../src/tools/explain/render.ts';
import { birthYear, country, DAY, HOUR, MINUTE, money, session, short, T0 } from '../../money/domain/given.ts';
import { emptyLife, happenings, History, stories, story, WALL } from './given.ts';

test('joined: the session and the changes it was joined with, each with its place', async () => {
  const given = new History()
    .signal(
      0,
      session(4, 's', T0),
      birthYear(2, '1980', T0),
      birthYear(3, '1990', T0 + 5),
      country(7, 'UY', T0 + 1),
      money(9, { id: 'm', ts: T0 + 2, session: 's' }),
    )
    .task(30, 1)
    .timer(30);
  const one = await story('m', given);
  assert.deepEqual(one.decision, {
    type: 'joined',
    session: { topic: 'sessions', partition: 0, offset: 4, ts: T0, clientCountryCode: 'UY', expiresAt: T0 + DAY },
  });
  assert.deepEqual(one.joined, {
    userInfo: {
      birthYear: { topic: 'users', partition: 0, offset: 2, ts: T0, value: '1980' },
      residentCountryCode: { topic: 'users', partition: 0, offset: 7, ts: T0 + 1, value: 'UY' },
    },
    firstOccurrence: true,
  });
  assert.deepEqual(one.publication, { stream: 'applied', seq: 1, acknowledgedAt: WALL + 30 });
  assert.equal(one.record!.receivedAt, WALL);
  assert.equal(headline(one), 'It came out at once, joined with its session (UY).');
});

test('the rows of the table that need no waiting for a session', async () => {
  const given = new History()
    .signal(
      0,
      session(0, 's', T0),
      money(0, { id: 'bare', ts: T0 }),
      money(1, { id: 'old', ts: T0 + 1, session: 's', old: true }),
      money(2, { id: 'expired', ts: T0 + DAY + 1, session: 's' }),
      money(3, { id: 'late', ts: T0, late: T0 + DAY + MINUTE, session: 'nobody' }),
    )
    .task(1, 1);
  given.lookup(1);
  given.timer(1);
  assert.deepEqual((await story('bare', given)).decision, { type: 'no-session' });
  assert.deepEqual((await story('old', given)).decision, { type: 'lookup', why: 'old-money' });
  const expired = (await story('expired', given)).decision;
  assert.equal(expired?.type === 'lookup' && expired.why, 'session-expired');
  assert.equal(expired?.type === 'lookup' && expired.session?.offset, 0);
  const late = await story('late', given);
  assert.deepEqual(late.decision, { type: 'lookup', why: 'late-and-unknown' });
  assert.equal(late.record!.effectiveTime, T0 + DAY + MINUTE);
  assert.deepEqual(late.joined!.firstBy, {
    place: { topic: 'wallet', partition: 0, offset: 0 },
    ts: T0,
    moneyId: 'bare',
  });
});

test('a duplicate names the money that it repeats; a redelivery is no second story', async () => {
  const given = new History()
    .signal(
      0,
      money(0, { id: 'm', ts: T0 }),
      money(1, { id: 'm', ts: T0 + MINUTE }),
      money(2, { id: 'm', ts: T0 + MINUTE + 1 }),
    )
    .task(1, 1)
    .timer(1)
    .signal(2, money(0, { id: 'm', ts: T0 }))
    .task(3);
  const { ofMoney } = await stories('m', given);
  assert.deepEqual(
    ofMoney.map(({ decision }) => decision?.type),
    ['no-session', 'duplicate', 'no-session'],
  );
  const [first, second] = ofMoney;
  assert.deepEqual(second!.decision, {
    type: 'duplicate',
    of: { place: { topic: 'wallet', partition: 0, offset: 0 }, ts: T0, moneyId: 'm' },
  });
  assert.deepEqual(first!.redeliveredAt, [WALL + 3]);
});

test('pending: released by its session', async () => {
  const given = new History()
    .signal(0, money(0, { id: 'm', ts: T0, session: 's' }))
    .task(1)
    .timer(1)
    .signal(500, session(6, 's', T0 + 5, 'BR'))
    .task(501);
  const call = given.publish(501);
  given.add(510, { type: 'completed', scheduled: call, result: undefined });
  given.task(511);
  const one = await story('m', given);
  assert.deepEqual(one.decision, { type: 'pending', dueAt: T0 + HOUR, wallDueAt: WALL + 1 + HOUR });
  assert.equal(one.released!.at, WALL + 501);
  const { by } = one.released!;
  assert.equal(by.type === 'session' && by.session.offset, 6);
  assert.equal(short(one.output!), 'm =BR first');
  assert.deepEqual(one.publication, { stream: 'resolved', seq: 1, askedAt: WALL + 501, acknowledgedAt: WALL + 511 });
});

test('pending: its deadline passes in event time by a record, or by the watermark', async () => {
  const byRecord = new History()
    .signal(0, money(0, { id: 'm', ts: T0, session: 's' }))
    .task(1)
    .timer(1)
    .signal(2, money(1, { ts: T0 + HOUR + 1 }))
    .task(3, 1);
  byRecord.lookup(3);
  assert.deepEqual((await story('m', byRecord)).released!.by, {
    type: 'event-time',
    reached: T0 + HOUR + 1,
    by: { topic: 'wallet', partition: 0, offset: 1 },
  });
  const byWatermark = new History()
    .signal(0, money(0, { id: 'm', ts: T0, session: 's' }))
    .task(1)
    .timer(1);
  byWatermark.timerFired(3_001).task(3_001);
  const watch = byWatermark.watch(3_001);
  byWatermark.timer(3_001);
  byWatermark.add(3_009, { type: 'completed', scheduled: watch, result: T0 + HOUR + 7 });
  byWatermark.task(3_010).lookup(3_010);
  byWatermark.timerCancelled(3_010);
  assert.deepEqual((await story('m', byWatermark)).released, {
    at: WALL + 3_010,
    by: { type: 'event-time', reached: T0 + HOUR + 7 },
  });
});

test('pending: its deadline passes on the wall clock; signals go before the timer', async () => {
  const given = new History()
    .signal(0, money(0, { id: 'm', ts: T0, session: 's' }))
    .task(1)
    .timer(1);
  given.timerFired(HOUR + 1);
  given.task(HOUR + 2).watch(HOUR + 2);
  given.lookup(HOUR + 2);
  assert.deepEqual((await story('m', given)).released, { at: WALL + HOUR + 2, by: { type: 'wall-clock' } });
  const together = new History()
    .signal(0, money(0, { id: 'm', ts: T0, session: 's' }))
    .task(1)
    .timer(1);
  together.timerFired(HOUR + 1);
  together
    .signal(HOUR + 1, session(0, 's', T0 + 1))
    .task(HOUR + 2)
    .publish(HOUR + 2);
  together.watch(HOUR + 2);
  assert.equal((await story('m', together)).released!.by.type, 'session');
});

for (const [status, text] of [
  ['found', 'm =AR first'],
  ['not-found', 'm first'],
  ['given-up', 'm ! first'],
] as const) {
  test(`a lookup, ${status} after two attempts`, async () => {
    const given = new History().signal(0, money(0, { id: 'm', ts: T0, session: 's', old: true })).task(1);
    const call = given.lookup(1);
    given.timer(1);
    const outcome =
      status === 'found' ? { sessionId: 's', status, clientCountryCode: 'AR' } : { sessionId: 's', status };
    given.answer(900, call, 2, outcome, 'status 500').task(901);
    given.publish(901);
    const one = await story('m', given);
    assert.equal(short(one.output!), text);
    assert.equal(one.lookups.length, 1);
    const { askedAt, endedAt, attempts, lastFailure } = one.lookups[0]!;
    assert.deepEqual(
      [one.lookups[0]!.status, askedAt, endedAt, attempts, lastFailure],
      [status, WALL + 1, WALL + 901, 2, 'status 500'],
    );
  });
}

test('a story goes on over continue-as-new, and the carried state is compared', async () => {
  const first = new History()
    .signal(0, money(0, { id: 'm', ts: T0, session: 's' }))
    .task(1, 0, { suggested: true })
    .timer(1);
  first.add(1, { type: 'continued-as-new' });
  const pending = { ...moneyOf('m', 's'), dueAt: T0 + HOUR, wallDueAt: WALL + 1 + HOUR };
  const life = emptyLife();
  life.user.pending['s'] = [pending];
  const next = new History('run-2', life).signal(5, session(0, 's', T0 + 1)).task(6);
  next.publish(6);
  next.timer(6);
  const told = await stories('m', first, next);
  assert.equal(told.ofMoney[0]!.released!.at, WALL + 6);
  // The state written here lacks the redelivery set, counters and dedup entry of the first run.
  assert.deepEqual(
    told.runs.map(({ runId, agrees }) => [runId, agrees]),
    [
      ['run-1', undefined],
      ['run-2', false],
    ],
  );
});

test('the oldest run is lost: what was carried is known, and what came before is not', async () => {
  const life = emptyLife();
  life.user.pending['s'] = [{ ...moneyOf('m', 's'), dueAt: T0 + HOUR }];
  life.user.dedup['dup'] = T0;
  life.user.moneyTypes.push('BET');
  const given = new History('run-7', life)
    .signal(0, money(5, { id: 'dup', ts: T0 + 1 }), money(6, { id: 'new', ts: T0 + 2 }), session(8, 's', T0 + 3))
    .task(1, 1);
  given.publish(1);
  given.timer(1);
  const carried = await stories('m', given);
  assert.equal(carried.complete, false);
  assert.equal(carried.ofMoney[0]!.carried, 'pending');
  assert.equal(short(carried.ofMoney[0]!.output!), 'm =UY first');
  assert.deepEqual((await story('dup', given)).decision, { type: 'duplicate', of: { ts: T0, moneyId: 'dup' } });
  assert.deepEqual((await story('new', given)).joined!.firstBy, {});
});

test('a signal that no task has applied is received, and no more; a failed task is repeated', async () => {
  const given = new History().signal(0, money(0, { id: 'm', ts: T0 }));
  given.add(1, { type: 'task-started', bytes: 0, continueAsNewSuggested: false, newVersion: false });
  given.add(2, { type: 'task-failed', message: 'shard moved' });
  assert.equal(headline(await story('m', given)), 'Its signal is in Temporal, and no worker has applied it yet.');
  given.task(3, 1).timer(3);
  assert.deepEqual((await story('m', given)).publication, { stream: 'applied', seq: 1, acknowledgedAt: WALL + 3 });
  assert.deepEqual(
    (await happenings(given)).map(({ type }) => type),
    ['run', 'task-failed', 'money', 'published'],
  );
});

function moneyOf(id: string, sessionId: string) {
  const { event } = money(0, { id, ts: T0, session: sessionId });
  if (event.type !== 'money') throw new Error('not money');
  return { partition: 0, offset: 0, money: { ...event.money, userSessionId: sessionId }, firstOccurrence: true };
}
