/**
 * Traffic that flows all the time, and of which the model says one exact outcome: the records of a slice carry the time
 * of its end as their Kafka timestamp and are written topic after topic in the order user, session, money, each
 * acknowledged before the next, so that the logs always hold a beginning of the merged order (semantics, section 2).
 * Each partition is written by itself: one that cannot be written holds up no other.
 *
 * Event time runs faster than the wall clock, or the out-of-orderness would be waited for in real time. Beats go to every
 * partition of every topic each second: records that only move time, and money that comes out at once, so that a partition
 * of which nothing comes out stands still and is not only quiet.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MoneyInput } from '../../src/money/domain/events.ts';
import type { OutRecord } from '../../src/engine/kafka/port.ts';
import { partitionOf } from '../../src/engine/kafka/partitioner.ts';
import { keyOf, moneyEvent, render, timeEvent } from '../../src/tools/generate/event-text.ts';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { Random } from '../../src/tools/generate/random.ts';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import type { Countries } from './session-service.ts';

const INPUTS = ['user', 'session', 'money'] as const;
const SLICES_PER_SECOND = 4;
/** Event time that passes after the last record, ms: more than the out-of-orderness. */
const AFTERWARDS = 60_000;
/** The second one brings the whole first one out without a wait for silence, which may be set to hours. */
const CLOSING_BEATS = 2;
const RETRY_MS = 500;
/** Records of one partition that wait to be written; with more there is no new slice for any. */
const MAX_WAITING = 5_000;
const ROOM_POLL_MS = 20;

export interface TrafficPlan {
  readonly seed: number;
  readonly users: number;
  readonly partitions: number;
  /** Records a second, beats among them. */
  readonly rate: number;
  /** There is no more traffic after this time, seconds. */
  readonly seconds: number;
  /** Event time passes that many times as fast as the wall clock. */
  readonly speed: number;
}

interface Slice {
  /** Of all its records, epoch ms; larger than that of the slice before. */
  readonly timestamp: number;
  readonly records: Readonly<Record<MoneyInput, readonly OutRecord[]>>;
}

function generated({ seed, users, partitions, rate, seconds, speed }: TrafficPlan) {
  const perSecond = Math.max(8, rate - 3 * partitions);
  const events = Math.ceil(perSecond * seconds);
  return generateTraffic(
    trafficOptions({
      users,
      events,
      seed,
      span: seconds * 1_000 * speed,
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

function* slicesOf(plan: TrafficPlan): Generator<Slice> {
  const random = new Random(plan.seed + 1);
  const clocks = clockUsers(random, plan.partitions);
  const size = Math.max(2, Math.round((plan.rate - 3 * plan.partitions) / SLICES_PER_SECOND));
  let timestamp = 0;
  let index = 0;
  const sliceOf = (
    part: readonly { input: MoneyInput; key: string | null; value: Buffer | null }[],
    beat: boolean,
  ): Slice => {
    const records: Record<MoneyInput, OutRecord[]> = { user: [], session: [], money: [] };
    for (const { input, key, value } of part) records[input].push({ key, value, timestamp });
    for (const input of beat ? INPUTS : []) {
      for (const userId of clocks) {
        records[input].push(beatOf(input, random.uuid(), userId, timestamp));
      }
    }
    return { timestamp, records };
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
export function countriesOf(plan: TrafficPlan): Countries {
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

/** A user id for each partition. */
function clockUsers(random: Random, partitions: number): string[] {
  const found = new Map<number, string>();
  while (found.size < partitions) {
    const userId = random.uuid();
    found.set(partitionOf(keyOf(userId), partitions), userId);
  }
  return [...found.values()];
}

export interface Traffic {
  /** Event time of the newest slice, epoch ms: nothing with a later one was ever sent. */
  readonly eventTime: number;
  /** Records written. */
  readonly written: number;
  /** Sends that failed and were repeated. */
  readonly repeated: number;
  /** The plan ran out before it was told to end: nothing flows any more. */
  readonly exhausted: boolean;
  /** Ends when the slices so far are written, and lets event time pass behind them. */
  end(): Promise<void>;
  /** Ends at once: what is not written stays unwritten. */
  abandon(): Promise<void>;
}

export type Send = (input: MoneyInput, records: readonly OutRecord[], partition: number) => Promise<void>;

/** `send` resolves when the records are written; what it throws makes it be asked again. */
export function startTraffic(plan: TrafficPlan, send: Send): Traffic {
  const state = { eventTime: 0, written: 0, repeated: 0, exhausted: false };
  const ending = new AbortController();
  let abandoned = false;
  let turn = 0;
  const lanes = Array.from({ length: plan.partitions }, () => ({ waiting: 0, last: Promise.resolve() }));

  const writeTo = async (partition: number, records: Slice['records']): Promise<void> => {
    for (const input of INPUTS) {
      const own = records[input];
      while (own.length > 0 && !abandoned) {
        try {
          await send(input, own, partition);
          break;
        } catch {
          state.repeated += 1; // whether it was written or not, the logs are what the model reads
          await sleep(RETRY_MS);
        }
      }
      state.written += own.length;
    }
  };
  const write = ({ timestamp, records }: Slice): void => {
    state.eventTime = timestamp;
    const split = lanes.map((): Record<MoneyInput, OutRecord[]> => ({ user: [], session: [], money: [] }));
    for (const input of INPUTS) {
      for (const record of records[input]) {
        split[record.key === null ? turn++ % lanes.length : partitionOf(record.key, lanes.length)]![input].push(record);
      }
    }
    for (const [partition, lane] of lanes.entries()) {
      const own = split[partition]!;
      const count = INPUTS.reduce((sum, input) => sum + own[input].length, 0);
      lane.waiting += count;
      lane.last = lane.last.then(() => writeTo(partition, own)).then(() => void (lane.waiting -= count));
    }
  };
  const room = async (): Promise<void> => {
    while (!ending.signal.aborted && lanes.some(({ waiting }) => waiting > MAX_WAITING)) await sleep(ROOM_POLL_MS);
  };
  const run = async (): Promise<void> => {
    let next = Date.now();
    for (const slice of slicesOf(plan)) {
      await room();
      if (ending.signal.aborted) break;
      write(slice);
      next = Math.max(Date.now(), next + 1_000 / SLICES_PER_SECOND);
      await sleep(next - Date.now());
    }
    state.exhausted = !ending.signal.aborted;
    const clocks = clockUsers(new Random(plan.seed + 2), plan.partitions);
    const random = new Random(plan.seed + 3);
    for (let nth = 1; nth <= CLOSING_BEATS; nth += 1) {
      const timestamp = state.eventTime + AFTERWARDS;
      const beat = (input: MoneyInput): OutRecord[] =>
        clocks.map((userId) => beatOf(input, random.uuid(), userId, timestamp));
      write({ timestamp, records: { user: beat('user'), session: beat('session'), money: beat('money') } });
    }
    await Promise.all(lanes.map(({ last }) => last));
  };
  const running = run();
  running.catch(() => undefined); // end() tells
  return {
    get eventTime() {
      return state.eventTime;
    },
    get written() {
      return state.written;
    },
    get repeated() {
      return state.repeated;
    },
    get exhausted() {
      return state.exhausted;
    },
    async end() {
      ending.abort();
      await running;
    },
    async abandon() {
      abandoned = true;
      ending.abort();
      await running;
    },
  };
}
