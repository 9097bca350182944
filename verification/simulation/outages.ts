/**
 * Outages that last: hours or days in which the output takes no writes, or Temporal or the session service is away, while
 * money goes on coming in. Nothing may grow with time; when it is over, all goes on by itself and is exact.
 */
import { createHash } from 'node:crypto';
import { BOUNDS } from '../../src/money/domain/bounds.ts';
import { partitionOf } from '../../src/engine/kafka/partitioner.ts';
import { DEFAULT_SETTINGS, model, type LogRecord } from '../../src/money/model/model.ts';
import { differences, stateOutOfBounds, unfinished } from './checks.ts';
import { Scheduler } from './kernel/scheduler.ts';
import { Log } from './logged.ts';
import { Meddled } from './meddled.ts';
import { scenarioOf, type Scenario } from './scenario.ts';
import { TOPICS, SimSystem } from './system.ts';
import { Touched } from './touched.ts';

export const OUTAGES = ['output unwritable', 'temporal away', 'session service away'] as const;
export type Outage = (typeof OUTAGES)[number];

interface Grown {
  /** Of the longest and the largest history of any user. */
  readonly events: number;
  readonly bytes: number;
  readonly steps: number;
}

export interface OutageReport {
  /** At the half and at the end of the outage. */
  readonly half: Grown;
  readonly end: Grown;
  /** ms after its end until everything was out. */
  readonly recovery: number;
  /** Empty when all is exact. */
  readonly problems: readonly string[];
}

const USERS = 12;
const PARTITIONS = 2;
/** Records of each input and partition while it lasts. */
const ARRIVALS = 300;
/** ms before and after the outage */
const AROUND = 120_000;
/** ms of event time and more until all is out, once it is over. */
const LIMIT = 4 * 3_600_000;
const rules = {
  sessionTtl: 86_400_000,
  dedupTtl: 60_000,
  pendingTimeout: 3_600_000,
  lookupGiveUpAfter: 600_000,
  bounds: BOUNDS,
};

/** `lasts`: ms of simulated time. */
export async function runOutage(outage: Outage, lasts: number, seed = 1): Promise<OutageReport> {
  const every = lasts / ARRIVALS;
  const scenario: Scenario = {
    ...scenarioOf(seed, []),
    partitions: PARTITIONS,
    shards: 2,
    bridges: 1,
    workers: 1,
    lostTasks: 0,
    eviction: 0.2,
    suggestAfter: [100_000, 100_000],
    deadSessions: 0,
    settings: {
      ...scenarioOf(seed, []).settings,
      outOfOrderness: 2_000,
      idleTimeout: 3 * every + AROUND,
      rules: { ...scenarioOf(seed, []).settings.rules, ...rules },
    },
  };
  const scheduler = new Scheduler(seed);
  const countryOf =
    outage === 'session service away' ? () => undefined : (id: string) => (id.endsWith('7') ? null : 'UY');
  const log = new Log(scenario);
  const system = new SimSystem(scheduler, scenario, countryOf, (topic, partition, offset) =>
    log.place(topic, partition, offset, 0),
  );
  arrivals(scheduler, system, log, lasts, every);
  system.start('bridge');
  system.start('worker');
  await scheduler.run(() => false, AROUND);
  begin(system, outage, scenario);
  await scheduler.run(() => false, lasts / 2);
  const half = grown(system, scheduler);
  await scheduler.run(() => false, lasts / 2);
  const end = grown(system, scheduler);
  over(system, outage, scenario);
  const expectedOf = (records: readonly LogRecord[]) =>
    model({
      records,
      settings: {
        ...DEFAULT_SETTINGS,
        ...scenario.settings.limits,
        outOfOrderness: 2_000,
        sessionTtl: rules.sessionTtl,
        dedupTtl: rules.dedupTtl,
        pendingTimeout: rules.pendingTimeout,
        pendingAtEnd: 'lookup',
      },
      sessionService: countryOf,
    });
  const began = scheduler.now;
  await scheduler.run(() => false, 2 * AROUND);
  const wanted = expectedOf(log.records);
  let lookAgain = 0;
  const all = await scheduler.run(() => {
    if (scheduler.now < lookAgain) return false;
    lookAgain = scheduler.now + 5_000;
    system.collect();
    return system.outputs.length >= wanted.outputs.length && unfinished(system, scenario, log).length === 0;
  }, LIMIT + scenario.settings.idleTimeout);
  const nobody = { meddled: new Meddled(), operator: { accepted: new Map() }, touched: new Touched(scheduler) };
  const problems = [
    ...differences({ system, log, scenario, ...nobody, expectedOf }, wanted),
    ...(all ? [] : unfinished(system, scenario, log)),
    ...(await stateOutOfBounds(system, wanted, scenario)),
  ];
  return { half, end, recovery: scheduler.now - began, problems };
}

function begin(system: SimSystem, outage: Outage, { shards }: Scenario): void {
  if (outage === 'temporal away') system.temporal.stop();
  else if (outage === 'session service away') system.sessions.mood = 'down';
  else for (let shard = 0; shard < shards; shard += 1) system.kafka.setWritable(TOPICS.output, shard, false);
}

function over(system: SimSystem, outage: Outage, { shards }: Scenario): void {
  if (outage === 'temporal away') system.temporal.start();
  else if (outage === 'session service away') system.sessions.mood = 'well';
  else for (let shard = 0; shard < shards; shard += 1) system.kafka.setWritable(TOPICS.output, shard, true);
}

function grown(system: SimSystem, scheduler: Scheduler): Grown {
  const runs = [...system.temporal.runs.values()];
  return {
    events: Math.max(...runs.map(({ events }) => events)),
    bytes: Math.max(...runs.map(({ bytes }) => bytes)),
    steps: scheduler.steps,
  };
}

/** Of every user money that needs no session, that waits for one, and that is looked up; and the other inputs beside it. */
function arrivals(scheduler: Scheduler, system: SimSystem, log: Log, lasts: number, every: number): void {
  const users = Array.from({ length: USERS }, (_, n) => idOf('user', n));
  let n = 0;
  const append = (input: 'user' | 'session' | 'money', userId: string, fields: object): void => {
    const { now } = scheduler;
    const value = Buffer.from(
      JSON.stringify({ id: idOf(input, (n += 1)), userId, processedAt: new Date(now).toISOString(), ...fields }),
    );
    const partition = partitionOf(userId, PARTITIONS);
    const offset = system.kafka.append(input, partition, { key: userId, value, timestamp: now });
    log.add({ topic: input, partition, offset, timestamp: now, key: Buffer.from(userId), value }, now);
  };
  const money = {
    type: 'PaymentEvent',
    amount: 1,
    openingBalance: 0,
    closingBalance: 2,
    currency: 'EUR',
    moneyType: 'BET',
    paymentRelatedThing: 'x',
    isOldMoneyEvent: false,
  };
  for (let at = 1_000; at < lasts + 2 * AROUND; at += every) {
    const round = Math.round(at / every);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const mine = users.filter((id) => partitionOf(id, PARTITIONS) === partition);
      const userId = mine[round % mine.length]!;
      scheduler.after(at, null, () => {
        append('user', userId, { type: 'OtherUserEvent', somethingUtil: 'x' });
        append('session', userId, {
          type: 'UserSessionCreatedEvent',
          id: idOf('created', round),
          clientCountryCode: 'UY',
        });
        // Each user's own turn: two in a row need no session.
        const kind = [0, 0, 1, 2][Math.floor(round / mine.length) % 4]!;
        append('money', userId, {
          ...money,
          ...(kind === 1 && { userSessionId: idOf('created', round + mine.length) }),
          ...(kind === 2 && { userSessionId: idOf('old', round), isOldMoneyEvent: true }),
        });
      });
    }
  }
}

function idOf(what: string, n: number): string {
  const hex = createHash('sha256').update(`${what} ${n}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
