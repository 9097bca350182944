/**
 * Money, users and sessions. Event time runs faster than the wall clock, or the out-of-orderness would be waited for in real time.
 * A beat is money that comes out at once.
 */
import { createHash } from 'node:crypto';
import type { OutRecord } from '../../../../src/engine/kafka/port.ts';
import type { MoneyInput } from '../../../../src/money/domain/events.ts';
import { clockUsers } from '../../../../src/tools/generate/clock-users.ts';
import { keyOf, moneyEvent, render, timeEvent } from '../../../../src/tools/generate/event-text.ts';
import { trafficOptions } from '../../../../src/tools/generate/options.ts';
import { Random } from '../../../../src/engine/random.ts';
import { generateTraffic } from '../../../../src/tools/generate/traffic.ts';
import { SLICES_PER_SECOND } from '../app.ts';
import type { AppOptions, Slice, TrafficSource } from '../app.ts';

/** In the order of equal times. */
export const INPUTS = ['user', 'session', 'money'] as const;
/** Event time to wall clock: twenty seconds of out-of-orderness are waited for in less than one. */
const SPEED = 30;
/** Event time that passes after the last record, ms: more than the out-of-orderness. */
const AFTERWARDS = 60_000;
/** The second one brings the whole first one out without a wait for silence, which may be set to hours. */
const CLOSING_BEATS = 2;

/** What the session service knows: country; null: there is no such session. */
export type Countries = (sessionId: string) => string | null;

type Plan = Pick<AppOptions, 'seed' | 'users' | 'partitions' | 'rate' | 'seconds'>;

export function moneyTraffic(plan: Plan): TrafficSource {
  return {
    slices: () => slicesOf(plan),
    closing(eventTime) {
      const clocks = clockUsers(new Random(plan.seed + 2), plan.partitions);
      const random = new Random(plan.seed + 3);
      return Array.from({ length: CLOSING_BEATS }, (_, nth) => {
        const timestamp = eventTime + (nth + 1) * AFTERWARDS;
        return {
          timestamp,
          records: INPUTS.map((input) => clocks.map((userId) => beatOf(input, random.uuid(), userId, timestamp))),
        };
      });
    },
  };
}

function generated({ seed, users, partitions, rate, seconds }: Plan) {
  const perSecond = Math.max(8, rate - 3 * partitions);
  const events = Math.ceil(perSecond * seconds);
  return generateTraffic(
    trafficOptions({
      users,
      events,
      seed,
      span: seconds * 1_000 * SPEED,
      start: Date.UTC(2026, 0, 5),
      disorder: 15_000,
      duplicates: 0.05,
      pending: 0.03,
      old: 0.05,
      late: 0.01,
      expiredSessions: 0.01,
      malformed: 0.02,
      tooLarge: false,
    }),
  );
}

function* slicesOf(plan: Plan): Generator<Slice> {
  const random = new Random(plan.seed + 1);
  const clocks = clockUsers(random, plan.partitions);
  const size = Math.max(2, Math.round((plan.rate - 3 * plan.partitions) / SLICES_PER_SECOND));
  let timestamp = 0;
  let index = 0;
  const sliceOf = (
    part: readonly { input: MoneyInput; key: string | null; value: Buffer | null }[],
    beat: boolean,
  ): Slice => {
    const recordsOf = (input: MoneyInput): OutRecord[] => [
      ...part.filter((one) => one.input === input).map(({ key, value }) => ({ key, value, timestamp })),
      ...(beat ? clocks.map((userId) => beatOf(input, random.uuid(), userId, timestamp)) : []),
    ];
    return { timestamp, records: INPUTS.map(recordsOf) };
  };
  let part: { input: MoneyInput; key: string | null; value: Buffer | null; timestamp: number }[] = [];
  for (const record of generated(plan)) {
    part.push(record);
    if (part.length < size) continue;
    timestamp = Math.max(timestamp + 1, record.timestamp);
    yield sliceOf(part, ++index % SLICES_PER_SECOND === 0);
    part = [];
  }
}

function beatOf(input: MoneyInput, id: string, userId: string, timestamp: number): OutRecord {
  const processedAt = new Date(timestamp).toISOString();
  const money = {
    type: 'PaymentEvent',
    id,
    userId,
    userSessionId: null,
    amount: '1',
    openingBalance: '1',
    closingBalance: '2',
    currency: 'EUR',
    moneyType: 'BEAT',
    isOldMoneyEvent: false,
  } as const;
  const { fields } = input === 'money' ? moneyEvent(money, processedAt) : timeEvent(input, id, userId, processedAt);
  return { key: keyOf(userId), value: render(fields), timestamp };
}

/** What the session service says: what the events say; of sessions without one, some are known to it and some are not. */
export function countriesOf(plan: Plan): Countries {
  const announced = new Map<string, string>();
  for (const { input, value } of generated(plan)) {
    if (input !== 'session' || value === null || !value.includes('UserSessionCreatedEvent')) continue;
    const found = /"id":"([0-9a-fA-F-]{36})".*"clientCountryCode":"([A-Z]+)"/.exec(String(value));
    if (found !== null) announced.set(found[1]!.toLowerCase(), found[2]!);
  }
  return (sessionId) => {
    const known = announced.get(sessionId);
    if (known !== undefined) return known;
    const [byte = 0] = createHash('sha1').update(sessionId).digest();
    return byte < 64 ? null : (['UY', 'DE', 'SE', 'BR'][byte % 4] ?? null);
  };
}
