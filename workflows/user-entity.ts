/**
 * The entity of this application: one user. What the engine asks of it, in terms of the pure fold of src/money/domain and of what
 * is stored and on the wire.
 */
import type { Entity, EntityNotes } from '../src/engine/workflow/entity/entity.ts';
import { partitionsOf } from '../src/engine/workflow/redelivery.ts';
import { advance, applyBatch, emptyAt, passWallClock, type Answer } from '../src/money/domain/apply.ts';
import { boundedBytes } from '../src/money/domain/bounds.ts';
import { keptOf } from '../src/money/domain/kept.ts';
import type { EventBatch, Life, Lookup, Output, Start, UserState } from '../src/money/domain/types.ts';
import { whyNotABatch } from './batches.ts';
import { carriedBytes, growthOf } from './carried.ts';
import { details } from './details.ts';
import { earlierReleases } from './earlier-releases.ts';
import { newLife, type Snapshot } from './life.ts';
import { sessionLookups } from './lookups.ts';
import { QUERIES } from './messages.ts';
import { userIn, whyNotAStart } from './starts.ts';
import { pendingView, sessionView, stateView, userInfoView } from './views.ts';

type UserEntity = Entity<Life, EventBatch, Output, Lookup, Answer>;

const HOUR = 3_600_000;
const NONE: readonly Output[] = [];

const wire: UserEntity['wire'] = {
  whyNotAStart,
  readStart(argument) {
    const { userId, life } = argument as Start;
    return { key: userId, ...(life && { life }) };
  },
  startOf: (userId, life): Start => ({ userId, life }),
  keyIn: userIn,
  whyNotABatch,
  keyOf: ({ userId }) => userId,
  publishRequest: ({ key: userId, ...request }) => ({ userId, ...request }),
  watermarkRequest: ({ partition, key: userId, passes }) => ({
    partition,
    userId,
    ...(passes !== undefined && { passes }),
  }),
};

const rules: UserEntity['rules'] = {
  newLife,
  apply: (life, batch, { key: userId, now }) => applyBatch(life.user, batch, { userId, now }),
  // What a deadline makes due is looked up: no output follows at once.
  advance(life, watermark, { key: userId, now }) {
    if (life.rules !== null) advance(life.user, watermark, life.rules, { userId, now });
    return NONE;
  },
  passWallClock(life, { key: userId, now }) {
    if (life.rules !== null) passWallClock(life.user, life.rules, { userId, now });
    return NONE;
  },
  eventTimeDue: ({ user }) => keptOf(user).pending.earliestDue,
  wallClockDue: ({ user }) => keptOf(user).pending.earliestWallDue,
  forgetsIn({ user, rules: now }) {
    const empty = now === null ? undefined : emptyAt(user, now);
    return empty === undefined ? undefined : Math.max(empty - user.tau!, Math.min(HOUR, now!.sessionTtl));
  },
};

const memory: UserEntity['memory'] = {
  remember: ({ user }) => JSON.stringify(user),
  goBack(life, user, lookups) {
    life.user = { ...(JSON.parse(user) as UserState), lookups: life.user.lookups.slice(0, lookups) };
  },
};

const notes: EntityNotes<Life, Output> = {
  noun: 'a user',
  rebuild: 'rebuild it with "bootstrap"',
  aboutBounds: 'see docs/bounds.md',
  owesTo: 'Kafka and the session service',
  foreign: ({ user }) => void (user.counters.notOurs += 1),
  reset: ({ user }) => void (user.counters.resets += 1),
  forgotten: ({ user: { counters } }) => ({
    dedup: counters.duplicatesForgotten,
    session: counters.sessionsForgotten,
    pending: counters.pendingHurried,
    change: counters.changesForgotten,
    'money-type': counters.moneyTypesForgotten,
  }),
  partitions: ({ user }) => partitionsOf(user.redelivery).length,
  details,
  queries: {
    [QUERIES.state]: 'all that is known of the user: times, sessions, money that waits, counters',
    [QUERIES.userInfo]: 'the user info as of the event time reached',
    [QUERIES.sessionInfo]: 'one session; argument: its id',
    [QUERIES.pendingMoney]: 'the money that waits for a session; argument: its id',
    [QUERIES.snapshot]: 'what is carried to the next run, as it is',
  },
  alarms: {
    givesUp: 'a lookup is given up',
    waits: 'money waits for its session until then',
    forgets: 'a session or what else is remembered may be forgotten',
  },
};

const queries: UserEntity['queries'] = {
  [QUERIES.state]: ({ key, life, waitsForRoom }) => stateView(key ?? '', life, waitsForRoom),
  [QUERIES.userInfo]: ({ life }) => userInfoView(life),
  [QUERIES.sessionInfo]: ({ life }, sessionId: string) => sessionView(life, sessionId),
  [QUERIES.pendingMoney]: ({ life }, sessionId: string) => pendingView(life, sessionId),
  [QUERIES.snapshot]: ({ key, life, settled }): Snapshot | null =>
    settled && key !== undefined ? { userId: key, life } : null,
};

export const userEntity: UserEntity = {
  wire,
  rules,
  questions: sessionLookups,
  sizes: { carried: carriedBytes, kept: ({ user }) => boundedBytes(user), growth: growthOf },
  memory,
  notes,
  queries,
  earlier: earlierReleases,
};
