/** Laws of the generated traffic, judged by the independent model where a judgement is needed. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { UNUSABLE_KINDS, unusableRecord } from '../../../src/tools/generate/malformed.ts';
import { trafficOptions } from '../../../src/tools/generate/options.ts';
import type { TrafficOptions } from '../../../src/tools/generate/options.ts';
import { ndjsonLine, produceTraffic } from '../../../src/tools/generate/produce.ts';
import { Random } from '../../../src/engine/random.ts';
import { Schedule } from '../../../src/tools/generate/schedule.ts';
import { generateTraffic } from '../../../src/tools/generate/traffic.ts';
import type { GeneratedRecord } from '../../../src/tools/generate/traffic.ts';
import { DEFAULT_SETTINGS, model } from '../../../src/money/model/model.ts';
import type { ModelResult, LogRecord, Topic } from '../../../src/money/model/model.ts';

const START = Date.UTC(2026, 0, 31, 10);
const BASE = { users: 50, events: 5000, seed: 7, start: START };
const TOPIC_NAMES = { user: 'u', session: 's', money: 'm' };

const generate = (given: Partial<TrafficOptions> = {}): GeneratedRecord[] => [
  ...generateTraffic(trafficOptions({ ...BASE, ...given })),
];

/** The records in one partition. */
function rawRecords(records: readonly GeneratedRecord[]): LogRecord[] {
  const offsets: Record<Topic, number> = { user: 0, session: 0, money: 0 };
  return records.map(({ input, key, value, timestamp }) => ({
    topic: input,
    partition: 0,
    offset: offsets[input]++,
    timestamp,
    key: key === null ? null : Buffer.from(key),
    value,
  }));
}

const judge = (records: readonly GeneratedRecord[]): ModelResult =>
  model({ records: rawRecords(records), settings: DEFAULT_SETTINGS, sessionService: () => 'ZZ' });

const digest = (records: readonly GeneratedRecord[]): string =>
  createHash('sha256')
    .update(records.map((record) => ndjsonLine(record, TOPIC_NAMES)).join(''))
    .digest('hex');

const ALL = { late: 0.05, old: 0.03, pending: 0.1, expiredSessions: 0.1, malformed: 0.03, disorder: 15_000 };

describe('generateTraffic', () => {
  it('gives the same bytes for the same seed and options, others for another seed', () => {
    assert.equal(digest(generate(ALL)), digest(generate(ALL)));
    assert.notEqual(digest(generate(ALL)), digest(generate({ ...ALL, seed: 8 })));
    assert.notEqual(digest(generate({ seed: 7 })), digest(generate({ seed: 7 + 2 ** 32 })));
  });

  it('gives exactly the records asked for, with timestamps that never decrease', () => {
    for (const events of [1, 2, 17, 5000]) {
      const records = generate({ ...ALL, events });
      assert.equal(records.length, events);
      records.forEach((record, i) => assert.ok(i === 0 || record.timestamp >= records[i - 1]!.timestamp));
    }
  });

  it('stays within the disorder, begins at its start, keys by user id in double quotes', () => {
    for (const { key, value, timestamp } of generate({ disorder: 300 })) {
      const { processedAt, userId } = JSON.parse(value!.toString());
      const ts = Math.floor(Date.parse(processedAt));
      assert.ok(ts >= START && ts <= timestamp && timestamp <= ts + 300);
      assert.equal(key, `"${userId.toLowerCase()}"`);
    }
  });

  it('is plain without fractions: nothing dropped, nothing looked up, nothing pending, nothing dead', () => {
    const result = judge(generate({ duplicates: 0, disorder: 20_000 }));
    assert.deepEqual([result.duplicates, result.deadLetters, result.stillPending], [[], [], []]);
    assert.ok(result.outputs.length > 3000);
    assert.deepEqual([...new Set(result.outputs.map(({ path, waited }) => `${path} ${waited}`))], ['applied false']);
  });

  it('has about the fractions that were asked for', () => {
    const share = (given: Partial<TrafficOptions>, of: (result: ModelResult) => number): number => {
      const result = judge(generate({ duplicates: 0, ...given }));
      return of(result) / result.outputs.length;
    };
    const near = (actual: number, wanted: number): void =>
      assert.ok(Math.abs(actual - wanted) < 0.03, `${actual}, not ${wanted}`);
    near(
      share(
        { old: 0.2 },
        ({ outputs }) => outputs.filter(({ value }) => value.includes('"isOldMoneyEvent":true')).length,
      ),
      0.2,
    );
    near(
      share({ pending: 0.2 }, ({ outputs }) => outputs.filter(({ waited }) => waited).length),
      0.19,
    ); // 5 % have no session
    near(
      share({ expiredSessions: 0.2 }, ({ outputs }) => outputs.filter(({ path }) => path === 'lookup').length),
      0.19,
    );
    const records = generate({ duplicates: 0.2 });
    const result = judge(records);
    // One in twenty of the repeats and one more just after the dedup TTL are no duplicates any more.
    near(result.duplicates.length / result.outputs.length, 0.18);
    const ids = result.outputs.map(({ value }) => JSON.parse(value).money.id);
    assert.ok(new Set(ids).size < ids.length);
  });

  it('has late money that comes later than the out-of-orderness', () => {
    const lags = generate({ late: 0.1, disorder: 1000 })
      .filter(({ input, value }) => input === 'money' && value!.includes('moneyType'))
      .map(({ value, timestamp }) => timestamp - Math.floor(Date.parse(JSON.parse(value!.toString()).processedAt)));
    const late = lags.filter((lag) => lag > 20_000).length;
    assert.ok(Math.abs(late / lags.length - 0.1) < 0.02);
    assert.ok(lags.every((lag) => lag <= 1000 || lag > 21_000));
  });

  it('has several events in one millisecond and numbers that no float can carry', () => {
    const texts = generate().map(({ value }) => value!.toString());
    const numbers = texts.flatMap((text) =>
      [...text.matchAll(/"(?:amount|closingBalance)":([^,}]+)/g)].map((match) => match[1]!),
    );
    assert.ok(numbers.some((number) => /\.\d*0$/.test(number)));
    assert.ok(numbers.some((number) => /e/i.test(number)));
    assert.ok(numbers.some((number) => number.replace(/\D/g, '').length >= 40));
    assert.ok(new Set(texts.map((text) => JSON.parse(text).currency)).size > 4);
    const times = texts.map((text) => JSON.parse(text).processedAt);
    assert.ok(new Set(times).size < times.length);
  });

  it('has malformed records with the reasons that the model finds', () => {
    const records = generate({ malformed: 0.2, events: 1000, disorder: 0, maxRecordBytes: 2000 });
    const raw = rawRecords(records);
    const expected = records.flatMap(({ reason }, i) =>
      reason === undefined ? [] : [`${raw[i]!.topic} ${raw[i]!.offset} ${reason}`],
    );
    const settings = { ...DEFAULT_SETTINGS, maxRecordBytes: 2000 };
    const { deadLetters } = model({ records: raw, settings, sessionService: () => null });
    assert.deepEqual(
      deadLetters.map(({ topic, offset, reason }) => `${topic} ${offset} ${reason}`).sort(),
      expected.sort(),
    );
    assert.equal(new Set(records.map(({ reason }) => reason)).size, 7);
    assert.ok(generate({ malformed: 0.2, tooLarge: false }).every(({ reason }) => reason !== 'too-large'));
  });
});

describe('unusableRecord', () => {
  const context = {
    random: new Random(1),
    userId: '00000000-0000-4000-8000-00000000000a',
    timestamp: START,
    maxFutureSkew: 3_600_000,
    maxRecordBytes: 1_048_576,
  };
  it('has every reason, and kinds of unique names', () => {
    assert.deepEqual([...new Set(UNUSABLE_KINDS.map(({ reason }) => reason))].sort(), [
      'future',
      'invalid',
      'key-mismatch',
      'malformed',
      'too-large',
      'unknown-type',
    ]);
    assert.equal(new Set(UNUSABLE_KINDS.map(({ kind }) => kind)).size, UNUSABLE_KINDS.length);
  });
  UNUSABLE_KINDS.forEach(({ kind, reason }, index) => {
    it(`${reason}: ${kind}`, () => {
      const record = unusableRecord(index, context);
      const raw = {
        topic: record.input,
        partition: 0,
        offset: 0,
        timestamp: START,
        key: record.key === null ? null : Buffer.from(record.key),
        value: record.value,
      };
      const { deadLetters } = model({ records: [raw], settings: DEFAULT_SETTINGS, sessionService: () => null });
      assert.deepEqual(
        deadLetters.map((letter) => letter.reason),
        [reason],
      );
    });
  });
});

describe('produceTraffic', () => {
  it('sends everything, each topic in the order of the traffic', async () => {
    const sent: Record<string, unknown[]> = { u: [], s: [], m: [] };
    const records = generate();
    let reached = 0;
    const total = await produceTraffic(records, {
      topics: TOPIC_NAMES,
      paced: false,
      produce: async (topic, batch) => void sent[topic]!.push(...batch),
      onSent: (count) => void (reached = count),
    });
    assert.deepEqual([total, reached], [5000, 5000]);
    for (const input of ['user', 'session', 'money'] as const) {
      const own = records
        .filter((record) => record.input === input)
        .map(({ key, value, timestamp }) => ({ key, value, timestamp }));
      assert.deepEqual(sent[TOPIC_NAMES[input]], own);
    }
  });

  it('sends nothing before its time, and stops when told', async () => {
    const now = Date.now();
    const abort = new AbortController();
    const early: number[] = [];
    const records = [0, 50, 3_600_000].map((after): GeneratedRecord => ({
      input: 'money',
      key: 'k',
      value: null,
      timestamp: now + after,
    }));
    const total = await produceTraffic(records, {
      topics: TOPIC_NAMES,
      paced: true,
      produce: async (_topic, batch) =>
        void early.push(...batch.map(({ timestamp }) => timestamp - Date.now()).filter((ms) => ms > 0)),
      onSent: (count) => {
        if (count === 2) abort.abort();
      },
      signal: abort.signal,
    });
    assert.equal(total, 2);
    assert.deepEqual(early, []);
  });

  it('passes a failure on', async () => {
    const failing = produceTraffic(generate(), {
      topics: TOPIC_NAMES,
      paced: false,
      produce: async () => {
        throw new Error('refused');
      },
    });
    await assert.rejects(failing, /refused/);
  });
});

describe('ndjsonLine', () => {
  it('keeps text as text, other bytes in base64, null as null', () => {
    const line = (value: Buffer | null): string =>
      ndjsonLine({ input: 'money', key: '"k"', value, timestamp: 5 }, TOPIC_NAMES);
    assert.equal(
      line(Buffer.from('{"a":1.00}')),
      '{"topic":"m","key":"\\"k\\"","value":"{\\"a\\":1.00}","timestamp":5}\n',
    );
    assert.equal(line(Buffer.from([0xff])), '{"topic":"m","key":"\\"k\\"","valueBase64":"/w==","timestamp":5}\n');
    assert.equal(line(null), '{"topic":"m","key":"\\"k\\"","value":null,"timestamp":5}\n');
    assert.equal(JSON.parse(line(Buffer.from('\uFEFFx'))).value, '\uFEFFx');
  });
});

describe('Schedule', () => {
  it('gives back by timestamp, equal ones in the order in which they came', () => {
    const schedule = new Schedule<string>();
    [5, 3, 5, 1, 3, 9].forEach((timestamp, i) => schedule.add(timestamp, `${timestamp}${'abcdef'[i]}`));
    assert.deepEqual([...schedule.takeBefore(5)], ['1d', '3b', '3e']);
    assert.deepEqual([...schedule.takeBefore(Infinity)], ['5a', '5c', '9f']);
  });
});
