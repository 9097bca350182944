/** Cases computed by hand from the specification. Times are ms after `T0`; one user, one partition unless said. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDate } from '../../../src/money/model/decode.ts';
import { readFields } from '../../../src/money/model/json-text.ts';
import { DEFAULT_SETTINGS, model } from '../../../src/money/model/model.ts';
import type { ModelResult, ModelSettings, LogRecord, Topic } from '../../../src/money/model/model.ts';

const T0 = Date.UTC(2026, 0, 31, 10);
const USER = '11111111-1111-4111-8111-11111111111a';
const KEY = Buffer.from(`"${USER}"`);
const SETTINGS: ModelSettings = {
  ...DEFAULT_SETTINGS,
  outOfOrderness: 10,
  sessionTtl: 1000,
  dedupTtl: 50,
  pendingTimeout: 300,
};

function uuid(name: string): string {
  return `00000000-0000-4000-8000-${Buffer.from(name).toString('hex').padStart(12, '0')}`;
}

interface Step {
  readonly topic: Topic;
  readonly fields: string;
  readonly at: number;
  /** Kafka timestamp after T0; the place in the list when absent, so that the list is the reading order. */
  readonly kafka?: number;
}

function step(topic: Topic, type: string, at: number, id: string, fields: string): Step {
  const processedAt = new Date(T0 + at).toISOString();
  const common = `"type":"${type}","id":"${uuid(id)}","userId":"${USER}","processedAt":"${processedAt}"`;
  return { topic, at, fields: `{${common},${fields}}` };
}

interface MoneyExtra {
  session?: string;
  old?: boolean;
  moneyType?: string;
  amount?: string;
}

function money(at: number, id: string, extra: MoneyExtra = {}): Step {
  const { session, old = false, moneyType = 'BET', amount = '0.10' } = extra;
  const sessionField = session === undefined ? '' : `"userSessionId":"${uuid(session)}",`;
  return step(
    'money',
    'PaymentEvent',
    at,
    id,
    `${sessionField}"amount":${amount},"openingBalance":1,"closingBalance":1E+2,"currency":"EUR","moneyType":"${moneyType}",` +
      `"paymentRelatedThing":"x","isOldMoneyEvent":${old}`,
  );
}
const session = (at: number, id: string, country = 'UY'): Step =>
  step('session', 'UserSessionCreatedEvent', at, id, `"clientCountryCode":"${country}"`);
const born = (at: number, year: string): Step =>
  step('user', 'ChangeBirthDateEvent', at, 'b', `"birthYear":"${year}","birthCityPlace":"x"`);
const moved = (at: number, country: string): Step =>
  step('user', 'ChangeAddressEvent', at, 'a', `"address":"x","residentCountryCode":"${country}","postalCode":"1"`);
/** Moves the watermark of the partition to `at` - 10. */
const time = (at: number): Step[] => [
  step('user', 'OtherUserEvent', at, 't', '"somethingUtil":"x"'),
  step('session', 'UserSessionClosedEvent', at, 't', '"reason":"x"'),
  step('money', 'KindOfWalletEvent', at, 't', '"somethingInteresting":"x"'),
];

/** Steps in the order in which they are read. */
function run(
  steps: readonly Step[],
  settings: Partial<ModelSettings> = {},
  answer: string | null | undefined = 'ZZ',
): ModelResult {
  const offsets: Record<Topic, number> = { user: 0, session: 0, money: 0 };
  const records: LogRecord[] = steps.map(({ topic, fields, kafka }, index) => ({
    topic,
    partition: 0,
    offset: offsets[topic]++,
    timestamp: T0 + 10_000_000 + (kafka ?? index),
    key: KEY,
    value: Buffer.from(fields),
  }));
  const result = model({ records, settings: { ...SETTINGS, ...settings }, sessionService: () => answer });
  assert.deepEqual(result.deadLetters, []);
  return result;
}

/** One short line an output: id, session country, path, first occurrence, birth year / country. */
function lines(result: ModelResult): string[] {
  return result.outputs.map(({ value, path, waited, incomplete }) => {
    const parsed = JSON.parse(value);
    const id = Buffer.from(parsed.money.id.slice(-12).replace(/^(00)+/, ''), 'hex').toString();
    const info =
      parsed.userInfo === undefined
        ? '-'
        : `${parsed.userInfo.birthYear ?? ''}/${parsed.userInfo.residentCountryCode ?? ''}`;
    const how = `${path}${waited ? '+waited' : ''}${incomplete ? '+incomplete' : ''}`;
    return `${id} ${parsed.sessionInfo?.clientCountryCode ?? '-'} ${how} ${parsed.firstOccurrence ? 'first' : 'again'} ${info}`;
  });
}

describe('model: output text', () => {
  it('keeps number texts and field order, leaves absent parts out', () => {
    const digits = '1234567890123456789012345678901234567890';
    assert.equal(
      run([money(5, 'm', { amount: `-${digits}.10` })]).outputs[0]?.value,
      `{"money":{"id":"${uuid('m')}","userId":"${USER}","processedAt":"2026-01-31T10:00:00.005Z","amount":-${digits}.10,` +
        '"currency":"EUR","closingBalance":1E+2,"moneyType":"BET","isOldMoneyEvent":false},"firstOccurrence":true}',
    );
  });
  it('puts user and session info between money and firstOccurrence', () => {
    const result = run([moved(0, 'DE'), born(0, '1990'), session(0, 's'), money(5, 'm', { session: 's' })]);
    const value = result.outputs[0]?.value ?? '';
    assert.ok(
      value.endsWith(
        '},"userInfo":{"birthYear":"1990","residentCountryCode":"DE"},"sessionInfo":{"clientCountryCode":"UY"},"firstOccurrence":true}',
      ),
      value,
    );
    assert.ok(value.includes(`"userId":"${USER}","userSessionId":"${uuid('s')}","processedAt"`), value);
    assert.equal(result.outputs[0]?.key, `"${USER}"`);
  });
});

describe('model: sessions', () => {
  it('is visible to the last ms of its ttl, then looked up until twice the ttl, then pending', () => {
    const result = run([
      session(0, 's'),
      ...[1000, 1001, 2000, 2001].map((at) => money(at, `m${at}`, { session: 's' })),
    ]);
    assert.deepEqual(lines(result), [
      'm1000 UY applied first -',
      'm1001 ZZ lookup again -',
      'm2000 ZZ lookup again -',
      'm2001 ZZ lookup+waited again -',
    ]);
  });
  it('looks up old money whatever is known, but not without a session id', () => {
    assert.deepEqual(
      lines(run([session(0, 's'), money(1, 'a', { session: 's', old: true }), money(2, 'b', { old: true })])),
      ['a ZZ lookup first -', 'b - applied again -'],
    );
  });
  it('lets the newest (ts, offset) of a session id win', () => {
    const later = run([
      session(5, 's', 'AA'),
      session(5, 's', 'BB'),
      session(4, 's', 'CC'),
      money(6, 'm', { session: 's' }),
    ]);
    assert.deepEqual(lines(later), ['m BB applied first -']);
  });
  it('looks up late money of an unknown session, takes a known one', () => {
    const steps = [session(0, 's'), ...time(100), money(50, 'a', { session: 's' }), money(50, 'b', { session: 'x' })];
    assert.deepEqual(lines(run(steps)), ['a UY applied first -', 'b ZZ lookup again -']);
  });
  it('judges late money by the watermark: expired at tau although not at its own time', () => {
    const steps = [session(0, 's'), ...time(1011), money(500, 'a', { session: 's' })];
    assert.deepEqual(lines(run(steps)), ['a ZZ lookup first -']); // tau = 1001
    const before = [session(0, 's'), ...time(1010), money(500, 'a', { session: 's' })];
    assert.deepEqual(lines(run(before)), ['a UY applied first -']); // tau = 1000
  });
  it('leaves session info out when the service knows nothing or is unavailable', () => {
    const steps = [money(1, 'a', { session: 's', old: true })];
    assert.deepEqual(lines(run(steps, {}, null)), ['a - lookup first -']);
    const records: LogRecord[] = steps.map(({ topic, fields }) => ({
      topic,
      partition: 0,
      offset: 0,
      timestamp: T0,
      key: KEY,
      value: Buffer.from(fields),
    }));
    const result = model({ records, settings: SETTINGS, sessionService: () => undefined });
    assert.deepEqual(lines(result), ['a - lookup+incomplete first -']);
  });
});

describe('model: pending money', () => {
  it('waits for its session, keeps what was decided when it was applied', () => {
    const steps = [born(0, '1990'), money(5, 'm', { session: 's' }), born(4, '1991'), money(6, 'n'), session(8, 's')];
    assert.deepEqual(lines(run(steps)), ['n - applied again 1991/', 'm UY session+waited first 1991/']);
  });
  it('reaches its deadline strictly after the timeout: by tau of any record of the user', () => {
    assert.deepEqual(lines(run([money(0, 'm', { session: 's' }), session(300, 's')])), ['m UY session+waited first -']);
    assert.deepEqual(lines(run([money(0, 'm', { session: 's' }), session(301, 's')])), ['m ZZ lookup+waited first -']);
  });
  it('reaches its deadline by the watermark alone', () => {
    const result = run([money(0, 'm', { session: 's' }), ...time(300)], { pendingAtEnd: 'leave' });
    assert.deepEqual(lines(result), ['m ZZ lookup+waited first -']); // the last watermark is 301
    const earlier = run([money(0, 'm', { session: 's' }), ...time(299)], { pendingAtEnd: 'leave' });
    assert.deepEqual(earlier.stillPending, [{ partition: 0, offset: 0 }]); // 300
    assert.deepEqual(lines(run([money(0, 'm', { session: 's' }), ...time(299)])), ['m ZZ lookup+waited first -']);
  });
  it('applies what is held before the watermark passes a deadline', () => {
    const steps = [money(0, 'm', { session: 's' }), session(20, 's'), ...time(5000)];
    assert.deepEqual(lines(run(steps)), ['m UY session+waited first -']);
  });
  it('is looked up when its session arrives expired or forgotten', () => {
    const slow = { pendingTimeout: 100_000 };
    const steps = (sessionAt: number): Step[] => [
      ...time(5000),
      money(5000, 'm', { session: 's' }),
      ...time(5020),
      session(sessionAt, 's'),
    ];
    // The session is late, tau = 5010: expired before 4010, forgotten before 3010.
    assert.deepEqual(lines(run(steps(4010), slow)), ['m UY session+waited first -']);
    assert.deepEqual(lines(run(steps(4009), slow)), ['m ZZ lookup+waited first -']);
    assert.deepEqual(lines(run(steps(3009), slow)), ['m ZZ lookup+waited first -']);
    const after = (sessionAt: number): Step[] => [...steps(sessionAt), money(5030, 'n', { session: 's' })];
    assert.deepEqual(lines(run(after(4009), slow))[1], 'n ZZ lookup again -');
    assert.deepEqual(lines(run(after(3009), slow))[1], 'n ZZ lookup+waited again -');
  });
});

describe('model: dedup and first occurrence', () => {
  it('drops a duplicate to the last ms of the ttl; a duplicate does not refresh it', () => {
    const result = run([
      money(0, 'm'),
      money(30, 'm'),
      money(50, 'm'),
      money(51, 'm'),
      money(101, 'm'),
      money(102, 'm'),
    ]);
    assert.deepEqual(
      result.duplicates,
      [1, 2, 4].map((offset) => ({ partition: 0, offset })),
    );
    assert.deepEqual(
      result.outputs.map(({ offset }) => offset),
      [0, 3, 5],
    );
  });
  it('judges a late duplicate at the watermark', () => {
    assert.equal(run([money(0, 'm'), ...time(60), money(0, 'm')]).duplicates.length, 1); // tau = 50
    assert.equal(run([money(0, 'm'), ...time(61), money(0, 'm')]).duplicates.length, 0);
  });
  it('marks the first of each type in the order of application; a duplicate decides nothing', () => {
    const steps = [
      money(9, 'a'),
      money(3, 'b'),
      money(3, 'b', { moneyType: 'WIN' }),
      money(10, 'c', { moneyType: 'WIN' }),
    ];
    assert.deepEqual(lines(run(steps)), ['b - applied first -', 'a - applied again -', 'c - applied first -']);
  });
  it('applies a coordinate once', () => {
    const record: LogRecord = {
      topic: 'money',
      partition: 0,
      offset: 7,
      timestamp: T0,
      key: KEY,
      value: Buffer.from(money(0, 'm').fields),
    };
    const result = model({ records: [record, record], settings: SETTINGS, sessionService: () => null });
    assert.equal(result.outputs.length, 1);
    assert.equal(result.duplicates.length, 0);
  });
});

describe('model: user info', () => {
  it('is that of the event time, inclusive, the larger offset among equal times', () => {
    const steps = [born(10, '1'), moved(12, 'DE'), born(12, '2'), born(12, '3'), born(13, '4')];
    const result = run([...steps, ...[9, 10, 11, 12, 13].map((at) => money(at, `m${at}`))]);
    assert.deepEqual(
      lines(result).map((line) => line.split(' ').at(-1)),
      ['-', '1/', '1/', '3/DE', '4/DE'],
    );
  });
  it('forgets what is older than the newest value at tau - sessionTtl', () => {
    // tau = 2000, bound 1000: of 500 and 1000 only 1000 is kept; 1001 is young.
    const history = [born(500, '1'), born(1000, '2'), born(1001, '3')];
    const late = [500, 999, 1000, 1001].map((at) => money(at, `m${at}`));
    const result = run([...history, ...time(2010), ...late]);
    assert.deepEqual(
      lines(result).map((line) => line.split(' ').at(-1)),
      ['-', '-', '2/', '3/'],
    );
    // bound 999: 500 is the newest of the old.
    assert.deepEqual(
      lines(run([...history, ...time(2009), ...late])).map((line) => line.split(' ').at(-1)),
      ['1/', '1/', '2/', '3/'],
    );
  });
});

describe('model: time', () => {
  it('holds to the slowest topic, and everything while one is silent', () => {
    const steps = [money(0, 'a'), money(1000, 'b'), money(-500, 'c', { session: 'x' })];
    // In the order of event time: c is applied first, and a's time passes its deadline.
    assert.deepEqual(lines(run(steps)), ['c ZZ lookup+waited first -', 'a - applied again -', 'b - applied again -']);
  });
  it('is late strictly below the watermark', () => {
    const at = (ts: number): string[] =>
      lines(run([...time(100), money(ts, 'm', { session: 'x' })], { pendingAtEnd: 'leave' }));
    assert.deepEqual(at(89), ['m ZZ lookup first -']);
    assert.deepEqual(at(90), []);
  });
  it('merges the topics by Kafka timestamp, user before session before money', () => {
    const money1 = { ...money(50, 'm', { session: 'x' }), kafka: 5 };
    const times = time(100).map((record) => ({ ...record, kafka: 5 }));
    // Equal timestamps: user and session are read first, the money log in the order of its offsets.
    assert.deepEqual(lines(run([money1, ...times], { pendingAtEnd: 'leave' })), []);
    assert.deepEqual(lines(run([...times, money1], { pendingAtEnd: 'leave' })), ['m ZZ lookup first -']);
  });
});

describe('model: input that cannot be used', () => {
  const good = money(0, 'm').fields;
  const reason = (
    value: string | Buffer | null,
    topic: Topic = 'money',
    key: string | null = USER,
    timestamp = T0,
  ): string => {
    const record: LogRecord = {
      topic,
      partition: 3,
      offset: 4,
      timestamp,
      key: key === null ? null : Buffer.from(key),
      value: typeof value === 'string' ? Buffer.from(value) : value,
    };
    const result = model({
      records: [record],
      settings: { ...SETTINGS, maxRecordBytes: 2000 },
      sessionService: () => null,
    });
    assert.equal(result.outputs.length + result.deadLetters.length, 1);
    return result.deadLetters[0]?.reason ?? 'ok';
  };
  const withField = (name: string, text: string): string =>
    good.replace(new RegExp(`"${name}":("[^"]*"|[^,}]+)`), `"${name}":${text}`);
  const without = (name: string): string => good.replace(new RegExp(`,"${name}":("[^"]*"|[^,}]+)`), '');

  it('too-large: over the limit, before everything else', () => {
    assert.equal(reason(good.padEnd(2000)), 'ok');
    assert.equal(reason(good.padEnd(2001)), 'too-large');
    assert.equal(reason('x'.repeat(2001)), 'too-large');
  });
  it('malformed', () => {
    const bad = [
      null,
      '',
      ' ',
      '{',
      'null',
      '[]',
      '"x"',
      '7',
      `${good}x`,
      `\uFEFF${good}`,
      `[${good}]`,
      Buffer.concat([Buffer.from(good.slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')]),
      withField('amount', '01'),
      withField('amount', 'NaN'),
      withField('amount', '+1'),
      withField('amount', '.5'),
      withField('amount', '1.'),
    ];
    for (const value of bad) assert.equal(reason(value), 'malformed', String(value));
  });
  it('unknown-type: of its topic', () => {
    assert.equal(reason(without('id').replace('PaymentEvent', 'OtherUserEvent')), 'unknown-type');
    assert.equal(reason('{}'), 'unknown-type');
    assert.equal(reason(good.replace('"PaymentEvent"', 'null')), 'unknown-type');
    assert.equal(reason(good, 'session'), 'unknown-type');
    assert.equal(reason('{"type":"toString"}'), 'unknown-type');
  });
  it('invalid', () => {
    const names = [
      'id',
      'userId',
      'processedAt',
      'amount',
      'openingBalance',
      'closingBalance',
      'currency',
      'moneyType',
      'paymentRelatedThing',
      'isOldMoneyEvent',
    ];
    for (const name of names) {
      assert.equal(reason(without(name)), 'invalid', name);
      assert.equal(reason(withField(name, 'null')), 'invalid', name);
      assert.equal(reason(withField(name, '[]')), 'invalid', name);
    }
    for (const [name, text] of [
      ['amount', '"1"'],
      ['currency', '"eur"'],
      ['currency', '"QQQ"'],
      ['isOldMoneyEvent', '"true"'],
      ['id', '"x"'],
      ['processedAt', '"2026-02-30T00:00:00Z"'],
      ['processedAt', '1'],
      ['moneyType', '5'],
    ] as const) {
      assert.equal(reason(withField(name, text)), 'invalid', name);
    }
    assert.equal(reason(good.replace('"amount"', '"userSessionId":"x","amount"')), 'invalid');
    assert.equal(reason(good.replace('"amount"', '"userSessionId":null,"amount"')), 'ok');
    assert.equal(reason(withField('currency', '"DEM"')), 'ok');
  });
  it('key-mismatch: bare or quoted, in any case', () => {
    for (const key of [USER, `"${USER}"`, USER.toUpperCase()]) assert.equal(reason(good, 'money', key), 'ok');
    for (const key of [null, '', `"${USER}`, ` ${USER}`, uuid('other')]) {
      assert.equal(reason(good, 'money', key), 'key-mismatch');
    }
  });
  it('future: beyond the skew, after key-mismatch', () => {
    assert.equal(reason(good, 'money', USER, T0 - 3_600_000), 'ok');
    assert.equal(reason(good, 'money', USER, T0 - 3_600_001), 'future');
    assert.equal(reason(good, 'money', null, T0 - 3_600_001), 'key-mismatch');
  });
  it('never moves the watermark', () => {
    const future: LogRecord[] = (['user', 'session', 'money'] as const).map((topic, index) => ({
      topic,
      partition: 0,
      offset: 0,
      timestamp: T0 - 4_000_000,
      key: KEY,
      value: Buffer.from((time(0)[index] as Step).fields),
    }));
    const late: LogRecord = {
      topic: 'money',
      partition: 0,
      offset: 1,
      timestamp: T0,
      key: KEY,
      value: Buffer.from(money(-900, 'm', { session: 'x' }).fields),
    };
    const result = model({
      records: [...future, late],
      settings: { ...SETTINGS, pendingAtEnd: 'leave' },
      sessionService: () => null,
    });
    assert.equal(result.deadLetters.length, 3);
    assert.equal(result.stillPending.length, 1);
  });
  it('takes the last of two equal names and ignores unlisted fields of any shape', () => {
    const value = good.replace('"amount":0.10', '"amount":"x","\\u0061mount":7.00,"more":[{"a":"}]\\"\\\\"},[[]],1e5]');
    assert.equal(reason(value), 'ok');
    assert.equal(reason(`${good.slice(0, -1)},"amount":"x"}`), 'invalid');
  });
  it('lower-cases ids', () => {
    const value = money(0, 'm').fields.replaceAll(USER, USER.toUpperCase());
    const record: LogRecord = {
      topic: 'money',
      partition: 0,
      offset: 0,
      timestamp: T0,
      key: KEY,
      value: Buffer.from(value),
    };
    const result = model({ records: [record], settings: SETTINGS, sessionService: () => null });
    assert.ok(result.outputs[0]?.value.includes(`"userId":"${USER}"`));
  });
});

describe('model: texts', () => {
  it('reads dates with an offset or Z, cuts finer digits', () => {
    assert.equal(parseDate('2026-01-31T10:00:00Z'), T0);
    assert.equal(parseDate('2026-01-31T10:00:00.9999999Z'), T0 + 999);
    assert.equal(parseDate('2026-01-31T10:00:00.5Z'), T0 + 500);
    assert.equal(parseDate('2026-01-31T12:00:00+02:00'), T0);
    assert.equal(parseDate('2026-01-31T12:30:00+0230'), T0);
    assert.equal(parseDate('2026-01-31T05:00:00-05'), T0);
    assert.equal(parseDate('1969-12-31T23:59:59.999Z'), -1);
    assert.equal(parseDate('2024-02-29T00:00:00Z'), Date.UTC(2024, 1, 29));
    assert.equal(parseDate('0000-01-01T00:00:00Z'), -62167219200000);
    assert.equal(parseDate('9999-12-31T23:59:59.999Z'), 253402300799999);
  });
  it('refuses what is not such a date', () => {
    const bad = [
      '',
      '2026-01-31',
      '2026-01-31T10Z',
      '2026-01-31T10:00:00',
      '2026-01-31 10:00:00Z',
      '2026-02-29T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-00-01T00:00:00Z',
      '2026-01-00T00:00:00Z',
      '2026-01-31T24:00:00Z',
      '2026-01-31T10:60:00Z',
      '2026-01-31T10:00:60Z',
      '2026-01-31T10:00:00.Z',
      '2026-01-31T10:00:00+24:00',
      '2026-01-31T10:00:00+01:60',
      '20260131T100000Z',
      '0000-01-01T00:00:00+00:01',
      '9999-12-31T23:59:59-00:01',
      '+002026-01-31T10:00:00Z',
      '2026-01-31T10:00:00Z\n',
    ];
    for (const text of bad) assert.equal(parseDate(text), null, text);
  });
  it('keeps the text of numbers', () => {
    const fields = readFields(' { "a" : -0.10e+05 , "b":"x\\"}" ,"c":[1,{"d":"]"}] , "e":true} ');
    assert.deepEqual(
      [...(fields ?? [])].map(([name, { kind, text }]) => `${name} ${kind} ${text}`),
      ['a number -0.10e+05', 'b string "x\\"}"', 'c nested [1,{"d":"]"}]', 'e boolean true'],
    );
  });
});
