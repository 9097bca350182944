import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES, type LookupOutcome } from '../../activities/contract.ts';
import { QUERIES } from '../../workflows/messages.ts';
import { birthYear, country, DAY, HOUR, MINUTE, money, SECOND, session, T0 } from '../money/domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { noAnswer, WorkflowUser } from './harness.ts';

const found = (sessionId: string, clientCountryCode: string): LookupOutcome => ({
  sessionId,
  status: 'found',
  clientCountryCode,
});

describe('the workflow of a user', () => {
  it('applies signals in order and publishes their outputs by a local activity, numbered without a gap', async (t) => {
    const user = await WorkflowUser.create(t);
    await user.signal([birthYear(0, '1990', T0), session(0, 's', T0), money(0, { id: 'a', ts: T0, session: 's' })]);
    await user.signal([money(1, { id: 'b', ts: T0 + 1 }), money(2, { id: 'c', ts: T0 + 2, type: 'WIN' })]);
    await user.signal([country(1, 'UY', T0 + 3), money(3, { id: 'd', ts: T0 + 3 })]);
    await user.hasPublished('applied', 'a =UY 1990/- first', 'b 1990/-', 'c 1990/- first', 'd 1990/UY');
    assert.ok(user.fake.published.every(({ isLocal, request }) => isLocal && request.stream === 'applied'));
    const [{ request }] = user.fake.published as [(typeof user.fake.published)[0]];
    const { startTime, runId } = await user.handle.describe();
    assert.deepEqual([request.userId, request.incarnation], [user.userId, { startedAt: startTime.getTime(), runId }]);
  });

  it('does nothing for a signal that comes twice', async (t) => {
    const user = await WorkflowUser.create(t);
    const records = [money(0, { id: 'a', ts: T0 }), money(1, { id: 'b', ts: T0 })];
    await user.signal(records);
    await user.signal(records);
    await user.signal([money(2, { id: 'c', ts: T0 })]);
    await user.hasPublished('applied', 'a first', 'b', 'c');
    assert.equal((await user.state()).counters.redeliveriesDropped, 2);
  });

  it('publishes pending money when its session comes, by a regular activity', async (t) => {
    const user = await WorkflowUser.create(t);
    await user.signal([money(0, { id: 'waits', ts: T0, session: 's' }), money(1, { id: 'b', ts: T0 })]);
    await user.hasPublished('applied', 'b');
    await user.signal([session(0, 's', T0 + 1, 'DE')]);
    await user.hasPublished('resolved', 'waits =DE first');
    assert.deepEqual(
      user.fake.published.map(({ isLocal, request }) => [request.stream, isLocal, request.first]),
      [
        ['applied', true, 1],
        ['resolved', false, 1],
      ],
    );
  });

  it('publishes what is too large for an activity in history by a local one, after what it follows from is in history', async (t) => {
    const user = await WorkflowUser.create(t);
    const long = (n: number) =>
      Buffer.from(Uint32Array.from({ length: 180_000 }, (_, i) => Math.imul(i + 1, 2_654_435_761 + 2 * n)).buffer)
        .toString('base64')
        .slice(0, 900_000);
    await user.signal([country(0, long(1), T0 - 1)]);
    await user.signal([money(0, { id: 'waits', ts: T0, session: 's', type: long(2) })]);
    await user.signal([session(0, 's', T0 + 1, long(3))]);
    await user.signal([money(1, { id: 'next', ts: T0 + 2 })]);
    await eventually('both are published', () => user.fake.published.length >= 2);
    const resolved = user.fake.published.filter(({ request }) => request.stream === 'resolved');
    assert.deepEqual(
      resolved.map(({ isLocal, request }) => [isLocal, request.first, request.outputs[0]!.enriched.money.id]),
      [[true, 1, 'waits']],
    );
    await eventually('its publishing is noted', async () => (await user.state()).counters.unpublished === 0);
  });

  it('publishes resolved outputs one call at a time, in order, however often it fails', async (t) => {
    const user = await WorkflowUser.create(t);
    let failures = 2;
    let letGo: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    user.fake.onPublish = async ({ stream }) => {
      if (stream === 'applied') return;
      await gate;
      if (failures-- > 0) {
        throw ApplicationFailure.create({ type: FAILURES.publishFailed, message: 'the broker is away' });
      }
    };
    for (const n of [0, 1, 2]) {
      await user.signal([money(n, { id: `m${n}`, ts: T0 + n, session: `s${n}` }), session(n, `s${n}`, T0 + n)]);
      await eventually(`${n} is under way or waits`, async () => (await user.state()).counters.joined === n + 1);
    }
    assert.equal(user.fake.published.length, 1);
    letGo();
    await user.hasPublished('resolved', 'm0 =UY first', 'm1 =UY', 'm2 =UY');
    assert.equal(user.fake.mostUnderWay.resolved, 1);
    await eventually('everything is acknowledged', async () => (await user.state()).counters.unpublished === 0);
    assert.equal((await user.state()).counters.published, 3);
  });

  it('looks old, expired and late money up without holding up anything', async (t) => {
    const user = await WorkflowUser.create(t);
    let letGo: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    user.fake.onLookup = async ({ sessionIds }) => {
      await gate;
      return sessionIds.map((id) => found(id, `of ${id}`));
    };
    await user.signal([
      session(0, 'expired', T0 - 2 * DAY),
      money(0, { id: 'old', ts: T0, session: 's1', old: true }),
      money(1, { id: 'e', ts: T0 - DAY + 1, late: T0, session: 'expired' }),
      money(2, { id: 'late', ts: T0 - 1, late: T0, session: 's2' }),
      money(3, { id: 'old2', ts: T0, session: 's1', old: true }),
    ]);
    await user.signal([money(4, { id: 'free', ts: T0 })]);
    await user.hasPublished('applied', 'free');
    letGo();
    await eventually('all are resolved', () => user.fake.outputs('resolved').length === 4);
    assert.deepEqual(user.fake.outputs('resolved').sort(), [
      'e =of expired',
      'late =of s2',
      'old =of s1 first',
      'old2 =of s1',
    ]);
    // Several sessions in one call, each session once.
    assert.deepEqual(
      user.fake.lookups.map(({ sessionIds }) => [...sessionIds].sort()),
      [['expired', 's1', 's2']],
    );
  });

  it('asks again for the sessions that were not answered, and for these only', async (t) => {
    const user = await WorkflowUser.create(t);
    const answers: LookupOutcome[][] = [
      [
        found('s1', 'DE'),
        { sessionId: 's2', status: 'retry' },
        { sessionId: 's3', status: 'not-found' },
        { sessionId: 's4', status: 'given-up' },
      ],
      [found('s2', 'SE')],
    ];
    user.fake.onLookup = () => answers.shift() ?? noAnswer();
    await user.signal([1, 2, 3, 4].map((n) => money(n, { id: `m${n}`, ts: T0, session: `s${n}`, old: true })));
    await user.hasPublished('resolved', 'm1 =DE first', 'm3', 'm4 !', 'm2 =SE');
    assert.deepEqual(
      user.fake.lookups.map(({ sessionIds }) => sessionIds),
      [['s1', 's2', 's3', 's4'], ['s2']],
    );
    const { counters } = await user.state();
    assert.deepEqual([counters.lookedUp, counters.incomplete], [4, 1]);
  });

  it('goes on asking while there is no answer, with the same time to give up', async (t) => {
    const user = await WorkflowUser.create(t);
    let attempts = 0;
    user.fake.onLookup = ({ sessionIds }) =>
      ++attempts < 5 ? noAnswer() : sessionIds.map((sessionId) => ({ sessionId, status: 'given-up' }));
    await user.signal([money(0, { id: 'm', ts: T0, session: 's', old: true })]);
    await eventually('it is asked', () => attempts > 0);
    await user.sleep(10 * MINUTE);
    await user.hasPublished('resolved', 'm ! first');
    const [first, ...rest] = user.fake.lookups;
    assert.equal(rest.length, 4);
    for (const request of rest) assert.deepEqual(request, first);
  });

  it('looks pending money up when the wall clock passes its timeout, by a durable timer', async (t) => {
    const user = await WorkflowUser.create(t);
    await user.signal([money(0, { id: 'm', ts: T0, session: 's' })]);
    await eventually('it is pending', async () => (await user.state()).sizes.pendingMoney === 1);
    await user.sleep(HOUR - MINUTE);
    assert.equal((await user.state()).sizes.pendingMoney, 1);
    assert.deepEqual(user.fake.lookups, []);
    await user.sleep(2 * MINUTE);
    await user.hasPublished('resolved', 'm =of s first');
    // Event time did not move.
    assert.equal((await user.state()).effectiveTime, '2026-01-31T10:00:00.000Z');
  });

  it('looks pending money up when the watermark passes its deadline, long before the wall clock does', async (t) => {
    const user = await WorkflowUser.create(t);
    user.fake.watermark = T0 + HOUR;
    await user.signal([money(0, { id: 'm', ts: T0, session: 's' })], { partition: 3 });
    await eventually('it is pending', async () => (await user.state()).sizes.pendingMoney === 1);
    await user.sleep(MINUTE);
    // At its deadline exactly: not passed.
    assert.deepEqual(user.fake.lookups, []);
    assert.ok(user.fake.watermarks.length > 0);
    for (const request of user.fake.watermarks) {
      assert.deepEqual(request, { partition: 3, userId: user.userId, passes: T0 + HOUR });
    }
    user.fake.watermark = T0 + HOUR + 1;
    await user.sleep(MINUTE);
    await user.hasPublished('resolved', 'm =of s first');
    assert.equal((await user.state()).effectiveTime, '2026-01-31T11:00:00.001Z');
  });

  it('stops watching the watermark when nothing is pending any more', async (t) => {
    const user = await WorkflowUser.create(t);
    await user.signal([money(0, { id: 'm', ts: T0, session: 's' })]);
    await eventually('it is pending', async () => (await user.state()).sizes.pendingMoney === 1);
    await user.sleep(20 * SECOND);
    assert.ok(user.fake.watermarks.length > 0);
    await user.signal([session(0, 's', T0 + 1)]);
    await user.hasPublished('resolved', 'm =UY first');
    await eventually(
      'the watch is over',
      async () => ((await user.handle.describe()).raw.pendingActivities ?? []).length === 0,
    );
  });

  it('forgets what has expired though no record comes any more', async (t) => {
    const user = await WorkflowUser.create(t, { rules: { sessionTtl: HOUR } });
    await user.signal([session(0, 's', T0), money(0, { id: 'm', ts: T0, session: 's' })]);
    await user.hasPublished('applied', 'm =UY first');
    const { sizes } = await user.state();
    assert.deepEqual([sizes.sessions, sizes.dedupEntries], [1, 1]);
    user.fake.watermark = T0 + 2 * HOUR + 1;
    await user.sleep(3 * HOUR);
    await eventually('it is forgotten', async () => {
      const after = (await user.state()).sizes;
      return after.sessions === 0 && after.dedupEntries === 0;
    });
    const { firstOccurrences } = await user.state();
    assert.deepEqual(firstOccurrences, ['BET']);
  });

  it('repeats a publish that failed for another reason within the task', async (t) => {
    const user = await WorkflowUser.create(t);
    let failures = 3;
    user.fake.onPublish = () => {
      if (failures-- > 0) {
        throw ApplicationFailure.create({ type: FAILURES.publishFailed, message: 'the broker is away' });
      }
    };
    await user.signal([money(0, { id: 'a', ts: T0 })]);
    await user.hasPublished('applied', 'a first');
    assert.equal(user.fake.published.length, 4);
  });

  it('publishes many outputs in several calls', async (t) => {
    const user = await WorkflowUser.create(t);
    const records = Array.from({ length: 500 }, (_, n) =>
      money(n, { id: `m${n}`, ts: T0, amount: `1.${'0'.repeat(900)}` }),
    );
    await user.signal(records);
    await eventually('all are published', () => user.fake.outputs('applied').length === 500, 20_000);
    const calls = user.fake.published.map(({ request }) => [request.first, request.outputs.length]);
    assert.ok(calls.length > 1);
    assert.equal(user.fake.mostUnderWay.applied, 1);
    for (const { request } of user.fake.published) assert.ok(JSON.stringify(request).length < 450_000);
  });
});

describe('the queries of a user', () => {
  it('say what is in the state', async (t) => {
    const user = await WorkflowUser.create(t);
    user.fake.onLookup = noAnswer;
    await user.signal(
      [
        session(0, 'over', T0 - DAY - 1),
        session(1, 's', T0 - MINUTE, 'DE'),
        birthYear(0, '1990', T0 - 5),
        country(1, 'UY', T0 - 5),
        money(0, { id: 'a', ts: T0, session: 's' }),
        money(1, { id: 'waits', ts: T0, session: 'missing', type: 'WIN', amount: '0.10' }),
        money(2, { id: 'asked', ts: T0, session: 'x', old: true }),
      ],
      { partition: 5 },
    );
    await user.hasPublished('applied', 'a =DE 1990/UY first');
    const state = await user.state();
    const { startTime, runId } = await user.handle.describe();
    const [lookup] = state.lookups;
    assert.ok(lookup?.givenUpAt);
    const [waiting] = state.pendingMoney['missing']!;
    assert.ok(waiting?.wallClockDueAt);
    assert.deepEqual(state, {
      userId: user.userId,
      effectiveTime: '2026-01-31T10:00:00.000Z',
      userInfo: { birthYear: '1990', residentCountryCode: 'UY' },
      sessions: [
        {
          sessionId: 'over',
          clientCountryCode: 'UY',
          createdAt: '2026-01-30T09:59:59.999Z',
          expiresAt: '2026-01-31T09:59:59.999Z',
          status: 'expired',
        },
        {
          sessionId: 's',
          clientCountryCode: 'DE',
          createdAt: '2026-01-31T09:59:00.000Z',
          expiresAt: '2026-02-01T09:59:00.000Z',
          status: 'visible',
        },
      ],
      pendingMoney: {
        missing: [
          {
            moneyId: 'waits',
            processedAt: '2026-01-31T10:00:00.000Z',
            moneyType: 'WIN',
            amount: '0.10',
            currency: 'EUR',
            dueAt: '2026-01-31T11:00:00.000Z',
            wallClockDueAt: waiting.wallClockDueAt,
          },
        ],
      },
      lookups: [{ moneyId: 'asked', sessionId: 'x', givenUpAt: lookup.givenUpAt }],
      firstOccurrences: ['BET', 'WIN'],
      counters: {
        moneyApplied: 3,
        duplicatesDropped: 0,
        redeliveriesDropped: 0,
        late: 0,
        joined: 1,
        lookedUp: 0,
        incomplete: 0,
        moneyByCurrency: { EUR: 3 },
        published: 1,
        unpublished: 0,
        duplicatesForgotten: 0,
        sessionsForgotten: 0,
        pendingHurried: 0,
        changesForgotten: 0,
        moneyTypesForgotten: 0,
        notOurs: 0,
        resets: 0,
      },
      sizes: {
        sessions: 2,
        pendingMoney: 1,
        lookups: 1,
        firstOccurrences: 2,
        dedupEntries: 3,
        bytes: state.sizes.bytes,
      },
      waitsForRoom: false,
      partitions: [5],
      partition: 5,
      incarnation: { startedAt: startTime.toISOString(), runId },
    });

    assert.deepEqual(await user.handle.query(QUERIES.userInfo), { birthYear: '1990', residentCountryCode: 'UY' });
    assert.deepEqual(await user.handle.query(QUERIES.sessionInfo, 's'), state.sessions[1]);
    assert.deepEqual(await user.handle.query(QUERIES.sessionInfo, 'S'), state.sessions[1]);
    assert.equal(await user.handle.query(QUERIES.sessionInfo, 'missing'), null);
    assert.deepEqual(await user.handle.query(QUERIES.pendingMoney, 'missing'), state.pendingMoney['missing']);
    assert.deepEqual(await user.handle.query(QUERIES.pendingMoney, 's'), []);
  });

  it('have an answer before anything was applied', async (t) => {
    const user = await WorkflowUser.create(t);
    await user.signal([]);
    const state = await user.state();
    assert.deepEqual([state.effectiveTime, state.userInfo, state.sessions, state.pendingMoney], [null, null, [], {}]);
    assert.equal(await user.handle.query(QUERIES.userInfo), null);
    assert.equal(await user.handle.query(QUERIES.sessionInfo, 's'), null);
    assert.deepEqual(await user.handle.query(QUERIES.pendingMoney, 's'), []);
  });
});
