/**
 * The fold of src/money/domain against the independent model, on random traffic with short times to live, so that every
 * boundary is met. The driver reads the logs and keeps the watermark by itself; decoding is the model's, since it is the
 * fold that is judged here.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { advance, applyBatch, resolveLookup } from '../../../src/money/domain/apply.ts';
import type { Answer, Effects } from '../../../src/money/domain/apply.ts';
import type { Applicable, Enriched, MoneyInput, Output } from '../../../src/money/domain/events.ts';
import { initialState } from '../../../src/money/domain/state.ts';
import type { UserState } from '../../../src/money/domain/state.ts';
import {
  addressChanged,
  birthDateChanged,
  moneyEvent,
  render,
  sessionCreated,
  timeEvent,
} from '../../../src/tools/generate/event-text.ts';
import type { EventText } from '../../../src/tools/generate/event-text.ts';
import { trafficOptions } from '../../../src/tools/generate/options.ts';
import { generateTraffic } from '../../../src/tools/generate/traffic.ts';
import { Random } from '../../../src/engine/random.ts';
import { decode } from '../../../src/money/model/decode.ts';
import type { Usable } from '../../../src/money/model/decode.ts';
import { DEFAULT_SETTINGS, model } from '../../../src/money/model/model.ts';
import type { ModelSettings, LogRecord } from '../../../src/money/model/model.ts';

const START = Date.UTC(2026, 0, 31, 10);
const PARTITIONS = 2;
const ORDER = { user: 0, session: 1, money: 2 } as const;

/** Found, not found or unavailable, by the session id alone. */
function sessionService(sessionId: string): string | null | undefined {
  const choice = Number.parseInt(sessionId.slice(-1), 16) % 4;
  return choice === 0 ? null : choice === 1 ? undefined : `S${choice}`;
}

function answerOf(sessionId: string): Answer {
  const country = sessionService(sessionId);
  if (country === null) return { status: 'not-found' };
  return country === undefined ? { status: 'given-up' } : { status: 'found', clientCountryCode: country };
}

function applicable({ ts, offset, content }: Usable, late: number | null): Applicable | null {
  const place = { ts, offset, ...(late === null ? {} : { late }) };
  switch (content.is) {
    case 'time':
      return null;
    case 'birthYear':
      return { ...place, event: { type: 'birthDate', birthYear: content.value } };
    case 'country':
      return { ...place, event: { type: 'address', residentCountryCode: content.value } };
    case 'session':
      return { ...place, event: { type: 'session', sessionId: content.sessionId, clientCountryCode: content.country } };
    case 'money': {
      const { sessionId, isOld, ...money } = content.money;
      const session = sessionId === null ? {} : { userSessionId: sessionId };
      return { ...place, event: { type: 'money', money: { ...money, ...session, isOldMoneyEvent: isOld } } };
    }
  }
}

/** The value of an output record as the contract writes it. */
function textOf({ userId, money, userInfo, sessionInfo, firstOccurrence }: Enriched): string {
  const q = JSON.stringify;
  const session = money.userSessionId === undefined ? '' : `"userSessionId":${q(money.userSessionId)},`;
  const year = userInfo?.birthYear === undefined ? [] : [`"birthYear":${q(userInfo.birthYear)}`];
  const country =
    userInfo?.residentCountryCode === undefined ? [] : [`"residentCountryCode":${q(userInfo.residentCountryCode)}`];
  return (
    `{"money":{"id":${q(money.id)},"userId":${q(userId)},${session}"processedAt":${q(new Date(money.ts).toISOString())},` +
    `"amount":${money.amount},"currency":${q(money.currency)},"closingBalance":${money.closingBalance},` +
    `"moneyType":${q(money.moneyType)},"isOldMoneyEvent":${money.isOldMoneyEvent}},` +
    (userInfo === undefined ? '' : `"userInfo":{${[...year, ...country].join(',')}},`) +
    (sessionInfo === undefined ? '' : `"sessionInfo":{"clientCountryCode":${q(sessionInfo.clientCountryCode)}},`) +
    `"firstOccurrence":${firstOccurrence}}`
  );
}

interface Outcome {
  readonly outputs: string[];
  readonly duplicates: number;
  readonly pending: string[];
}

/** Feeds the fold in batches of random size, with redeliveries, lookups that end at any time, and watermarks in between. */
function drive(records: readonly LogRecord[], settings: ModelSettings, random: Random): Outcome {
  const rules = { ...settings, lookupGiveUpAfter: 600_000, bounds: { ...settings.bounds, bytes: Infinity } };
  const outcome: Outcome = { outputs: [], duplicates: 0, pending: [] };
  let duplicates = 0;
  const note = ({ partition, offset, enriched, incomplete }: Output): void => {
    outcome.outputs.push(`${partition}/${offset} ${incomplete === true ? 'incomplete ' : ''}${textOf(enriched)}`);
  };
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const users = new Map<string, { state: UserState; waiting: Applicable[]; last: Applicable[] }>();
    const perform = ({ applied, resolved }: Effects): void => [...applied, ...resolved].forEach(note);
    const flush = (userId: string, all: boolean): void => {
      const user = users.get(userId)!;
      while (user.waiting.length > 0) {
        const batch = user.waiting.splice(0, 1 + random.below(5));
        const again = random.chance(0.1) ? user.last : [];
        const sent = { partition, lowWater: [0, 0, 0] as const, rules, records: [...again, ...batch] };
        perform(applyBatch(user.state, sent, { userId, now: null }));
        user.last = batch;
        if (!all && random.chance(0.3)) break;
      }
      while (user.state.lookups.length > 0 && (all || random.chance(0.5))) {
        const lookup = random.pick(user.state.lookups);
        note(resolveLookup(user.state, lookup, answerOf(lookup.money.userSessionId), { userId, now: null }));
      }
    };
    const apply = (record: Usable, late: number | null): void => {
      const user = users.get(record.userId) ?? { state: initialState(), waiting: [], last: [] };
      users.set(record.userId, user);
      const event = applicable(record, late);
      if (event !== null) user.waiting.push(event);
      if (random.chance(0.3)) flush(record.userId, false);
    };
    const pass = (watermark: number): void => {
      for (const [userId, { state }] of users) {
        flush(userId, true);
        advance(state, watermark, rules, { userId, now: null });
      }
    };

    const log = records
      .filter((record) => record.partition === partition)
      .sort((a, b) => a.timestamp - b.timestamp || ORDER[a.topic] - ORDER[b.topic] || a.offset - b.offset);
    const newest = [-Infinity, -Infinity, -Infinity];
    let watermark = -Infinity;
    let held: Usable[] = [];
    const release = (): void => {
      const ready = held.filter((record) => record.ts < watermark);
      held = held.filter((record) => record.ts >= watermark);
      ready.sort((a, b) => a.ts - b.ts || ORDER[a.topic] - ORDER[b.topic] || a.offset - b.offset);
      for (const record of ready) apply(record, null);
    };
    for (const raw of log) {
      const record = decode(raw, settings);
      if (typeof record === 'string') continue;
      if (record.ts < watermark) {
        apply(record, watermark);
        continue;
      }
      held.push(record);
      newest[ORDER[record.topic]] = Math.max(newest[ORDER[record.topic]]!, record.ts);
      watermark = Math.max(watermark, Math.min(...newest) - settings.outOfOrderness);
      release();
      if (random.chance(0.02) && watermark > -Infinity) pass(watermark);
    }
    if (held.length > 0) watermark = Math.max(...held.map((record) => record.ts)) + 1;
    release();
    pass(watermark);
    for (const [userId, { state }] of users) {
      flush(userId, true);
      duplicates += state.counters.duplicatesDropped;
      for (const list of Object.values(state.pending)) {
        outcome.pending.push(...list.map((m) => `${m.partition}/${m.offset}`));
      }
    }
  }
  return { ...outcome, duplicates };
}

const workload = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  users: fc.integer({ min: 1, max: 6 }),
  events: fc.integer({ min: 1, max: 500 }),
  span: fc.integer({ min: 0, max: 20_000 }),
  disorder: fc.integer({ min: 0, max: 600 }),
  outOfOrderness: fc.integer({ min: 0, max: 500 }),
  sessionTtl: fc.integer({ min: 1, max: 4000 }),
  dedupTtl: fc.integer({ min: 0, max: 1000 }),
  pendingTimeout: fc.integer({ min: 1, max: 2000 }),
  duplicates: fc.double({ min: 0, max: 0.5, noNaN: true }),
  late: fc.double({ min: 0, max: 0.4, noNaN: true }),
  old: fc.double({ min: 0, max: 0.2, noNaN: true }),
  pending: fc.double({ min: 0, max: 0.4, noNaN: true }),
  expiredSessions: fc.constantFrom(0, 0.1, 0.3),
  malformed: fc.constantFrom(0, 0.1),
  moneyTypes: fc.integer({ min: 1, max: 8 }),
});

/** So small that they are met. */
const bounds = fc.record({
  dedupEntries: fc.integer({ min: 1, max: 4 }),
  sessions: fc.integer({ min: 1, max: 3 }),
  pending: fc.integer({ min: 1, max: 4 }),
  changes: fc.integer({ min: 1, max: 4 }),
  moneyTypes: fc.integer({ min: 1, max: 3 }),
});

function assertAgreement(records: readonly LogRecord[], settings: ModelSettings, seed: number): void {
  const expected = model({ records, settings, sessionService });
  const actual = drive(records, settings, new Random(seed));
  assert.deepEqual(
    actual.outputs.sort(),
    expected.outputs.map((o) => `${o.partition}/${o.offset} ${o.incomplete ? 'incomplete ' : ''}${o.value}`).sort(),
  );
  assert.deepEqual(actual.pending.sort(), expected.stillPending.map((p) => `${p.partition}/${p.offset}`).sort());
  assert.equal(actual.duplicates, expected.duplicates.length);
}

/** Events of one user in a few dozen milliseconds, of very few ids: dense in boundaries, ties and repeats. */
const dense = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  outOfOrderness: fc.integer({ min: 0, max: 10 }),
  sessionTtl: fc.integer({ min: 1, max: 12 }),
  dedupTtl: fc.integer({ min: 0, max: 12 }),
  pendingTimeout: fc.integer({ min: 1, max: 12 }),
  events: fc.array(
    fc.record({
      kind: fc.constantFrom(
        'money',
        'money',
        'money',
        'old',
        'session',
        'birthDate',
        'address',
        'userTime',
        'sessionTime',
        'moneyTime',
      ),
      // Time goes on by a step an event, and an event may be far behind it.
      step: fc.integer({ min: 0, max: 3 }),
      behind: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 40 })),
      id: fc.integer({ min: 1, max: 4 }),
      session: fc.option(fc.integer({ min: 1, max: 4 })),
      value: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 1, maxLength: 120, size: 'max' },
  ),
});

interface DenseEvent {
  readonly kind: string;
  readonly id: number;
  readonly session: number | null;
  readonly value: number;
}

const USER = '00000000-0000-4000-8000-00000000000a';
const idOf = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;

function denseText({ kind, id, session, value }: DenseEvent, ts: number): EventText {
  const date = new Date(ts).toISOString();
  switch (kind) {
    case 'session':
      return sessionCreated(idOf(id), USER, date, `C${value}`);
    case 'birthDate':
      return birthDateChanged(idOf(id), USER, date, `Y${value}`);
    case 'address':
      return addressChanged(idOf(id), USER, date, `A${value}`);
    case 'userTime':
    case 'sessionTime':
    case 'moneyTime':
      return timeEvent(kind.slice(0, -4) as MoneyInput, idOf(id), USER, date);
    default: {
      const balance = {
        amount: `${value}.0`,
        openingBalance: '0',
        closingBalance: '0',
        currency: 'EUR',
        moneyType: `T${value}`,
      };
      const ids = { id: idOf(id), userId: USER, userSessionId: session === null ? null : idOf(session) };
      return moneyEvent({ type: 'PaymentEvent', ...ids, ...balance, isOldMoneyEvent: kind === 'old' }, date);
    }
  }
}

function trafficRecords(given: Omit<Parameters<typeof trafficOptions>[0], 'start'>): LogRecord[] {
  const offsets = new Map<string, number>();
  const records: LogRecord[] = [];
  for (const { input, key, value, timestamp } of generateTraffic(
    trafficOptions({ ...given, start: START, maxRecordBytes: 5000 }),
  )) {
    const partition = Number.parseInt(key?.[1] ?? '0', 16) % PARTITIONS || 0;
    const offset = offsets.get(`${input}${partition}`) ?? 0;
    offsets.set(`${input}${partition}`, offset + 1);
    records.push({ topic: input, partition, offset, timestamp, key: key === null ? null : Buffer.from(key), value });
  }
  return records;
}

function denseRecords(
  events: readonly (DenseEvent & { readonly step: number; readonly behind: number })[],
): LogRecord[] {
  const offsets = { user: 0, session: 0, money: 0 };
  let clock = START;
  return events.map((event, index): LogRecord => {
    clock += event.step;
    const { input, fields } = denseText(event, clock - event.behind);
    const value = Buffer.from(render(fields));
    return {
      topic: input,
      partition: 0,
      offset: offsets[input]++,
      timestamp: START + index,
      key: Buffer.from(USER),
      value,
    };
  });
}

describe('the fold agrees with the independent model', () => {
  it('on random traffic, whatever the batches, redeliveries and the time of answers', () => {
    fc.assert(
      fc.property(workload, (given) => {
        const settings: ModelSettings = { ...DEFAULT_SETTINGS, ...given, maxRecordBytes: 5000, pendingAtEnd: 'leave' };
        assertAgreement(trafficRecords(given), settings, given.seed + 1);
      }),
      { numRuns: 60 },
    );
  });

  it('on dense events of one user: repeated sessions and money, ties, very late records', () => {
    fc.assert(
      fc.property(dense, ({ events, seed, ...given }) => {
        assertAgreement(denseRecords(events), { ...DEFAULT_SETTINGS, ...given, pendingAtEnd: 'leave' }, seed);
      }),
      { numRuns: 1000 },
    );
  });

  it('where bounds are met, on dense events of one user', () => {
    fc.assert(
      fc.property(dense, bounds, ({ events, seed, ...given }, small) => {
        assertAgreement(
          denseRecords(events),
          { ...DEFAULT_SETTINGS, ...given, bounds: small, pendingAtEnd: 'leave' },
          seed,
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('where bounds are met, on random traffic', () => {
    fc.assert(
      fc.property(workload, bounds, (given, small) => {
        assertAgreement(
          trafficRecords(given),
          { ...DEFAULT_SETTINGS, ...given, maxRecordBytes: 5000, bounds: small, pendingAtEnd: 'leave' },
          given.seed + 1,
        );
      }),
      { numRuns: 60 },
    );
  });
});
