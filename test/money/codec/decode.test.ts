import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { DecodeResult } from '../../../src/money/codec/decode.ts';
import { decodeRecord, decodeWith } from '../../../src/money/codec/decode.ts';
import { jsonDecoder } from '../../../src/engine/values/value.ts';
import type { MoneyInput } from '../../../src/money/domain/events.ts';

const ID = '11111111-2222-4333-8444-55555555555a';
const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const SESSION = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
const AT = '2026-01-31T10:00:00.000Z';
const TS = 1_769_853_600_000;
const LIMITS = { maxRecordBytes: 1_048_576, maxFutureSkew: 3_600_000 };

const common = { id: ID, userId: USER, processedAt: AT };
const payment = {
  type: 'PaymentEvent',
  ...common,
  userSessionId: SESSION,
  amount: 1.5,
  openingBalance: 10,
  closingBalance: 11.5,
  currency: 'EUR',
  moneyType: 'DEPOSIT',
  paymentRelatedThing: 'card',
  isOldMoneyEvent: false,
};
const { paymentRelatedThing, ...rest } = payment;
const transaction = { ...rest, type: 'TransactionEvent', transactionRelatedThing: paymentRelatedThing };
const wallet = { type: 'KindOfWalletEvent', ...common, somethingInteresting: 'x' };
const birthDate = { type: 'ChangeBirthDateEvent', ...common, birthYear: '1990', birthCityPlace: 'Salto' };
const address = { type: 'ChangeAddressEvent', ...common, address: 'a', residentCountryCode: 'UY', postalCode: '11000' };
const otherUser = { type: 'OtherUserEvent', ...common, somethingUtil: 'x' };
const created = { type: 'UserSessionCreatedEvent', ...common, clientCountryCode: 'AR' };
const closed = { type: 'UserSessionClosedEvent', ...common, reason: 'logout' };

const money = {
  id: ID,
  userSessionId: SESSION,
  ts: TS,
  amount: '1.5',
  currency: 'EUR',
  closingBalance: '11.5',
  moneyType: 'DEPOSIT',
  isOldMoneyEvent: false,
};

function bytes(
  input: MoneyInput,
  value: Buffer | string | null,
  key: string | null = USER,
  timestamp = TS,
): DecodeResult {
  const record = {
    key: key === null ? null : Buffer.from(key),
    value: typeof value === 'string' ? Buffer.from(value) : value,
    timestamp,
  };
  return decodeRecord(input, record, LIMITS);
}

function decode(input: MoneyInput, value: object): DecodeResult {
  return bytes(input, JSON.stringify(value));
}

function reasonOf(result: DecodeResult): string {
  return result.ok ? 'ok' : `${result.reason} | ${result.detail}`;
}

const usable: readonly [input: MoneyInput, value: { readonly type: string }, event: object][] = [
  ['money', payment, { type: 'money', money }],
  ['money', transaction, { type: 'money', money }],
  ['money', wallet, { type: 'time' }],
  ['user', birthDate, { type: 'birthDate', birthYear: '1990' }],
  ['user', address, { type: 'address', residentCountryCode: 'UY' }],
  ['user', otherUser, { type: 'time' }],
  ['session', created, { type: 'session', sessionId: ID, clientCountryCode: 'AR' }],
  ['session', closed, { type: 'time' }],
];

describe('usable records', () => {
  for (const [input, value, event] of usable) {
    test(`${value.type} of the ${input} topic`, () => {
      assert.deepEqual(decode(input, value), { ok: true, userId: USER, ts: TS, event });
    });
  }

  test('fields that a type does not list are ignored', () => {
    assert.ok(decode('session', { ...closed, amount: 'none', extra: [{}] }).ok);
  });

  for (const [name, value] of [
    ['left out', undefined],
    ['null', null],
  ] as const) {
    test(`userSessionId ${name} is an absent one`, () => {
      const { userSessionId: _, ...without } = money;
      assert.deepEqual(decode('money', { ...payment, userSessionId: value }), {
        ok: true,
        userId: USER,
        ts: TS,
        event: { type: 'money', money: without },
      });
    });
  }

  test('UUIDs come out in lower case, whatever the case of value and key', () => {
    const value = {
      ...payment,
      id: ID.toUpperCase(),
      userId: USER.toUpperCase(),
      userSessionId: SESSION.toUpperCase(),
    };
    const expected = { ok: true, userId: USER, ts: TS, event: { type: 'money', money } };
    for (const key of [USER, USER.toUpperCase(), `"${USER}"`, `"${USER.toUpperCase()}"`]) {
      assert.deepEqual(bytes('money', JSON.stringify(value), key), expected);
    }
  });

  test('empty strings are strings', () => {
    assert.ok(decode('user', { ...address, address: '', residentCountryCode: '', postalCode: '' }).ok);
  });

  test('processedAt with an offset and finer digits is UTC milliseconds, cut', () => {
    const result = decode('session', { ...closed, processedAt: '2026-01-31T12:00:00.0009999+02:00' });
    assert.ok(result.ok && result.ts === TS);
  });

  test('keys written with escapes are the same keys', () => {
    const json = JSON.stringify(payment)
      .replace('"amount":1.5', '"\\u0061mount":2.50')
      .replace('"type"', '"\\u0074ype"');
    const result = bytes('money', json);
    assert.ok(result.ok && result.event.type === 'money' && result.event.money.amount === '2.50');
  });

  test('of duplicate keys the last one wins, for numbers too', () => {
    const json = JSON.stringify(payment).replace('"amount":1.5', '"amount":"no","amount":1.0,"amount":2.00');
    const result = bytes('money', json);
    assert.ok(result.ok && result.event.type === 'money' && result.event.money.amount === '2.00');
  });

  test('the key __proto__ is a field like any other that is not listed', () => {
    const json = JSON.stringify(closed).replace('{', '{"__proto__":{"reason":1,"polluted":true},');
    assert.ok(bytes('session', json).ok);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    const { reason: _, ...bare } = closed;
    const inherited = JSON.stringify(bare).replace('{', '{"__proto__":{"reason":"x"},');
    assert.equal(reasonOf(bytes('session', inherited)), 'invalid | reason: expected a string, but it is missing');
  });
});

describe('decimals keep their text', () => {
  const texts = [
    '0',
    '-0',
    '0.10',
    '100.000',
    '-12.3400',
    '1E+2',
    '1e-7',
    '1E400',
    '-1E-400',
    '1234567890123456789012345678901234567890',
    '0.1234567890123456789012345678901234567890',
    '99999999999999999999999999999999999999.90',
    '9'.repeat(100_000),
  ];
  for (const text of texts) {
    test(text.length > 60 ? `${text.length} digits` : text, () => {
      const json = JSON.stringify(payment)
        .replace('"amount":1.5', `"amount":${text}`)
        .replace('"closingBalance":11.5', `"closingBalance" : ${text} `);
      const result = bytes('money', json);
      assert.ok(result.ok && result.event.type === 'money');
      assert.equal(result.event.money.amount, text);
      assert.equal(result.event.money.closingBalance, text);
    });
  }
});

describe('malformed', () => {
  const cases: readonly [name: string, value: Buffer | string | null, detail: string][] = [
    ['null value', null, 'value: expected a value, not null'],
    ['empty value', '', 'value: expected a value, not nothing'],
    ['blank value', ' ', 'value: expected JSON'],
    ['no JSON', 'type=PaymentEvent', 'value: expected JSON'],
    ['cut JSON', JSON.stringify(payment).slice(0, -1), 'value: expected JSON'],
    ['more after it', `${JSON.stringify(payment)}{}`, 'value: expected JSON'],
    ['a comma too many', '{"type":"PaymentEvent",}', 'value: expected JSON'],
    ['a number with a plus', JSON.stringify(payment).replace('1.5', '+1.5'), 'value: expected JSON'],
    ['a number with a leading zero', JSON.stringify(payment).replace('1.5', '01.5'), 'value: expected JSON'],
    ['NaN', JSON.stringify(payment).replace('1.5', 'NaN'), 'value: expected JSON'],
    ['an array', `[${JSON.stringify(payment)}]`, 'value: expected a JSON object'],
    ['a string', '"PaymentEvent"', 'value: expected a JSON object'],
    ['a number', '1', 'value: expected a JSON object'],
    ['null as JSON', 'null', 'value: expected a JSON object'],
    ['a byte order mark', `\ufeff${JSON.stringify(payment)}`, 'value: expected JSON'],
    [
      'a byte that is not UTF-8',
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]),
      'value: expected UTF-8',
    ],
    [
      'an overlong encoding',
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
      'value: expected UTF-8',
    ],
    [
      'a surrogate in UTF-8',
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
      'value: expected UTF-8',
    ],
    [
      'a cut character',
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xe2, 0x82]), Buffer.from('"}')]),
      'value: expected UTF-8',
    ],
    ['half a megabyte of brackets', `${'['.repeat(262_144)}${']'.repeat(262_144)}`, 'value: expected a JSON object'],
  ];
  for (const [name, value, detail] of cases) {
    test(name, () => assert.equal(reasonOf(bytes('money', value)), `malformed | ${detail}`));
  }
});

describe('unknown-type', () => {
  const wallets = 'PaymentEvent, TransactionEvent, KindOfWalletEvent';
  const { type: _, ...untyped } = payment;
  const cases: readonly [name: string, value: object, detail: string][] = [
    ['missing', untyped, `type: missing, expected one of ${wallets}`],
    ['null', { ...payment, type: null }, `type: missing, expected one of ${wallets}`],
    ['a number', { ...payment, type: 1 }, `type: expected one of ${wallets}, not a number`],
    ['an array', { ...payment, type: ['PaymentEvent'] }, `type: expected one of ${wallets}, not an array`],
    [
      'of another topic',
      { ...payment, type: 'OtherUserEvent' },
      `type: expected one of ${wallets}, not "OtherUserEvent"`,
    ],
    ['in another case', { ...payment, type: 'paymentevent' }, `type: expected one of ${wallets}, not "paymentevent"`],
    [
      'a name of Object.prototype',
      { ...payment, type: 'constructor' },
      `type: expected one of ${wallets}, not "constructor"`,
    ],
    ['long', { ...payment, type: 'x'.repeat(50) }, `type: expected one of ${wallets}, not "${'x'.repeat(40)}..."`],
    [
      'signs that steer a terminal',
      { ...payment, type: 'é\u009b31m\u202e\u007f' },
      `type: expected one of ${wallets}, not "\\u00e9\\u009b31m\\u202e\\u007f"`,
    ],
  ];
  for (const [name, value, detail] of cases) {
    test(name, () => assert.equal(reasonOf(decode('money', value)), `unknown-type | ${detail}`));
  }
  test('a type is known in its own topic only', () => {
    for (const [input, value] of usable) {
      for (const other of ['user', 'session', 'money'] as const) {
        if (other !== input) assert.match(reasonOf(decode(other, value)), /^unknown-type/);
      }
    }
  });
});

describe('invalid', () => {
  const isString = 'a string';
  const fields: readonly (readonly [input: MoneyInput, value: object, name: string, expected: string])[] = [
    ...usable.flatMap(([input, value]) =>
      (['id', 'userId', 'processedAt'] as const).map((name) => [input, value, name, isString] as const),
    ),
    ['money', payment, 'amount', 'a decimal number'],
    ['money', payment, 'openingBalance', 'a decimal number'],
    ['money', payment, 'closingBalance', 'a decimal number'],
    ['money', payment, 'currency', isString],
    ['money', payment, 'moneyType', isString],
    ['money', payment, 'paymentRelatedThing', isString],
    ['money', transaction, 'transactionRelatedThing', isString],
    ['money', payment, 'isOldMoneyEvent', 'true or false'],
    ['money', wallet, 'somethingInteresting', isString],
    ['user', birthDate, 'birthYear', isString],
    ['user', birthDate, 'birthCityPlace', isString],
    ['user', address, 'address', isString],
    ['user', address, 'residentCountryCode', isString],
    ['user', address, 'postalCode', isString],
    ['user', otherUser, 'somethingUtil', isString],
    ['session', created, 'clientCountryCode', isString],
    ['session', closed, 'reason', isString],
  ];
  for (const [input, value, name, expected] of fields) {
    test(`${(value as { type: string }).type}.${name} missing, null or of another type`, () => {
      const start = `invalid | ${name}: expected ${expected}`;
      assert.equal(reasonOf(decode(input, { ...value, [name]: undefined })), `${start}, but it is missing`);
      assert.equal(reasonOf(decode(input, { ...value, [name]: null })), `${start}, but it is missing`);
      assert.equal(reasonOf(decode(input, { ...value, [name]: {} })), `${start}, not an object`);
      assert.equal(reasonOf(decode(input, { ...value, [name]: [] })), `${start}, not an array`);
      if (expected !== isString) {
        assert.equal(reasonOf(decode(input, { ...value, [name]: '1' })), `${start}, not a string`);
      }
      if (expected !== 'a decimal number') {
        assert.equal(reasonOf(decode(input, { ...value, [name]: 1 })), `${start}, not a number`);
        if (expected === isString) {
          assert.equal(reasonOf(decode(input, { ...value, [name]: true })), `${start}, not a boolean`);
        }
      }
    });
  }

  const notUuid = [
    '',
    'x',
    ID.slice(1),
    `${ID}0`,
    ID.replaceAll('-', ''),
    `{${ID}}`,
    ID.replace('1', 'g'),
    ` ${ID}`,
    `${ID}\n`,
  ];
  for (const name of ['id', 'userId', 'userSessionId'] as const) {
    test(`${name} that is no UUID`, () => {
      for (const text of notUuid) {
        assert.equal(reasonOf(decode('money', { ...payment, [name]: text })), `invalid | ${name}: expected a UUID`);
      }
    });
  }
  test('userSessionId of another type', () => {
    assert.equal(
      reasonOf(decode('money', { ...payment, userSessionId: 5 })),
      'invalid | userSessionId: expected a string, not a number',
    );
  });
  test('processedAt that is no date', () => {
    assert.equal(
      reasonOf(decode('money', { ...payment, processedAt: '2026-02-30T10:00:00Z' })),
      'invalid | processedAt: expected an ISO-8601 date and time with an offset or Z',
    );
  });
  test('currency that is not of ISO 4217', () => {
    assert.equal(
      reasonOf(decode('money', { ...payment, currency: 'eur' })),
      'invalid | currency: expected a code of ISO 4217, not "eur"',
    );
  });
  test('a number written as text is no decimal number', () => {
    for (const text of ['1.5', 'NaN', 'Infinity']) {
      assert.match(reasonOf(decode('money', { ...payment, amount: text })), /^invalid \| amount: /);
    }
  });
});

describe('texts that are remembered of a user', () => {
  const of: readonly (readonly [input: MoneyInput, value: object, name: string])[] = [
    ['money', payment, 'moneyType'],
    ['money', transaction, 'moneyType'],
    ['user', birthDate, 'birthYear'],
    ['user', address, 'residentCountryCode'],
    ['session', created, 'clientCountryCode'],
  ];
  for (const [input, value, name] of of) {
    test(`${name} has at most 1,000 characters of Unicode`, () => {
      for (const text of ['x'.repeat(1_000), '漢'.repeat(1_000), '\u{1f600}'.repeat(1_000)]) {
        assert.ok(decode(input, { ...value, [name]: text }).ok);
      }
      for (const text of ['x'.repeat(1_001), '\u{1f600}'.repeat(1_001), 'x'.repeat(900_000)]) {
        assert.equal(
          reasonOf(decode(input, { ...value, [name]: text })),
          `invalid | ${name}: expected at most 1000 characters`,
        );
      }
    });
  }

  test('no other text has such a limit, and no number', () => {
    const long = 'x'.repeat(2_000);
    assert.ok(decode('user', { ...address, address: long, postalCode: long }).ok);
    assert.ok(decode('user', { ...birthDate, birthCityPlace: long }).ok);
    assert.ok(decode('money', { ...payment, paymentRelatedThing: long }).ok);
    assert.ok(decode('session', { ...closed, reason: long }).ok);
  });
});

describe('key-mismatch', () => {
  const quoted = `"${USER}"`;
  const keys = [
    null,
    '',
    'x',
    SESSION,
    quoted.slice(1),
    quoted.slice(0, -1),
    `'${USER}'`,
    ` ${USER} `,
    `${USER}\n`,
    `""${USER}""`,
  ];
  for (const key of keys) {
    test(`key ${JSON.stringify(key)}`, () => {
      assert.equal(
        reasonOf(bytes('money', JSON.stringify(payment), key)),
        'key-mismatch | key: expected the userId of the value, bare or in double quotes',
      );
    });
  }
});

describe('Kafka timestamps', () => {
  const detailOf = (timestamp: number, value: object = wallet, key = USER) =>
    reasonOf(bytes('money', JSON.stringify(value), key, timestamp));
  const NONE =
    'expected epoch milliseconds: let the producer or the topic (message.timestamp.type) set one; dead-letters retry gives it a new one';

  test('no Kafka timestamp (-1, as before Kafka 0.10, or 0) is said to be missing, not to be in the future', () => {
    assert.equal(detailOf(-1), `invalid | no Kafka timestamp (-1), ${NONE}`);
    assert.equal(detailOf(0), `invalid | no Kafka timestamp (0), ${NONE}`);
  });

  test('no Kafka timestamp comes after the fields, and before the key', () => {
    assert.equal(detailOf(-1, { ...wallet, id: '?' }), 'invalid | id: expected a UUID');
    assert.match(detailOf(-1, wallet, 'somebody'), /^invalid \| no Kafka timestamp/);
    assert.match(detailOf(0, { type: 'x' }), /^unknown-type/);
  });

  const cases: readonly [name: string, timestamp: number, value: object, expected: string][] = [
    [
      'seconds',
      1_769_853_601,
      wallet,
      "future | processedAt: 1768083746399 ms after the record's timestamp, expected at most 3600000; the record's Kafka timestamp is probably in seconds, expected epoch milliseconds",
    ],
    [
      "Go's zero time",
      -6_795_364_578_871,
      wallet,
      "future | processedAt: 8565218178871 ms after the record's timestamp, expected at most 3600000; the record's Kafka timestamp is Go's zero time (-6795364578871), expected epoch milliseconds",
    ],
    ['microseconds', 1_769_853_600_000_000, { type: 'x' }, ''],
    [
      'nanoseconds',
      1_769_853_600_123_456_800,
      { ...wallet, id: '?' },
      "invalid | id: expected a UUID; the record's Kafka timestamp is probably in nanoseconds, expected epoch milliseconds",
    ],
  ];
  for (const [name, timestamp, value, expected] of cases) {
    test(`a rejection says so where the Kafka timestamp is not in milliseconds: ${name}`, () => {
      if (expected === '') {
        assert.match(
          detailOf(timestamp, value),
          /^unknown-type .*; the record's Kafka timestamp is probably in microseconds, expected epoch milliseconds$/,
        );
      } else assert.equal(detailOf(timestamp, value), expected);
    });
  }

  test('a Kafka timestamp in micro- or nanoseconds alone makes no record unusable: only the future is judged by it', () => {
    assert.ok(bytes('money', JSON.stringify(wallet), USER, 1_769_853_600_000_000).ok);
    assert.ok(bytes('money', JSON.stringify(wallet), USER, 1_769_853_600_123_456_800).ok);
  });
});

describe('limits', () => {
  const value = Buffer.from(JSON.stringify(closed));
  const record = { key: Buffer.from(USER), value, timestamp: TS };

  test('a value of exactly maxRecordBytes is taken, one byte more is too large', () => {
    assert.ok(decodeRecord('session', record, { ...LIMITS, maxRecordBytes: value.length }).ok);
    assert.equal(
      reasonOf(decodeRecord('session', record, { ...LIMITS, maxRecordBytes: value.length - 1 })),
      `too-large | value: ${value.length} bytes, expected at most ${value.length - 1}`,
    );
  });

  test('bytes are counted, not characters', () => {
    // Each sign is two UTF-16 units and four bytes.
    const wide = { ...record, value: Buffer.from(JSON.stringify({ ...closed, reason: '😀😀😀' })) };
    const size = value.length - 'logout'.length + 12;
    assert.ok(decodeRecord('session', wide, { ...LIMITS, maxRecordBytes: size }).ok);
    assert.match(reasonOf(decodeRecord('session', wide, { ...LIMITS, maxRecordBytes: size - 1 })), /^too-large/);
  });

  test('processedAt exactly maxFutureSkew after the record is taken, a millisecond more is the future', () => {
    const skew = LIMITS.maxFutureSkew;
    assert.ok(decodeRecord('session', { ...record, timestamp: TS - skew }, LIMITS).ok);
    assert.equal(
      reasonOf(decodeRecord('session', { ...record, timestamp: TS - skew - 1 }, LIMITS)),
      "future | processedAt: 3600001 ms after the record's timestamp, expected at most 3600000",
    );
  });

  test('the past is never too far', () => {
    assert.ok(decodeRecord('session', { ...record, timestamp: 253_402_300_799_999 }, LIMITS).ok);
  });
});

test('where several reasons fit, the first of their order is given', () => {
  const future = { ...payment, processedAt: '2999-01-01T00:00:00Z' };
  const wrongKey = SESSION;
  const small = { ...LIMITS, maxRecordBytes: 10 };
  const record = (value: object | string) => ({
    key: Buffer.from(wrongKey),
    value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    timestamp: TS,
  });
  const reason = (result: DecodeResult) => (result.ok ? 'ok' : result.reason);
  assert.equal(reason(decodeRecord('money', record('{{{{{{{{{{{{'), small)), 'too-large');
  assert.equal(reason(decodeRecord('money', record('{{{{{{{{{{{{'), LIMITS)), 'malformed');
  assert.equal(reason(decodeRecord('money', record({ ...future, type: '?', id: '?' }), LIMITS)), 'unknown-type');
  assert.equal(reason(decodeRecord('money', record({ ...future, id: '?' }), LIMITS)), 'invalid');
  assert.equal(reason(decodeRecord('money', record(future), LIMITS)), 'key-mismatch');
  assert.equal(reason(decodeRecord('money', { ...record(future), key: Buffer.from(USER) }, LIMITS)), 'future');
});

test('a detail quotes nothing of a person', () => {
  const secret = 'PERSONAL';
  const fields = [
    'id',
    'userId',
    'userSessionId',
    'processedAt',
    'amount',
    'moneyType',
    'paymentRelatedThing',
  ] as const;
  for (const name of fields) {
    for (const value of [secret, [secret], { [secret]: secret }]) {
      const result = decode('money', { ...payment, [name]: value });
      assert.ok(!JSON.stringify(result.ok ? '' : result.detail).includes(secret), name);
    }
  }
  assert.ok(!reasonOf(bytes('money', `{"address":"${secret}`)).includes(secret));
  assert.ok(!reasonOf(bytes('money', JSON.stringify(payment), secret)).includes(secret));
});

test('property: no bytes make it throw', () => {
  const fieldValue = fc.oneof(fc.anything(), fc.constantFrom(ID, USER, AT, 'EUR', 1, true, null));
  const recordOf = fc.record(
    Object.fromEntries(
      Object.keys(payment).map((name) => [
        name,
        name === 'type' ? fc.constantFrom('PaymentEvent', '__proto__', 1) : fieldValue,
      ]),
    ),
    { requiredKeys: [] },
  );
  const value = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    recordOf.map((object) => Buffer.from(jsonOf(object))),
    fc.json().map((json) => Buffer.from(json)),
  );
  const key = fc.option(fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)));
  fc.assert(
    fc.property(fc.constantFrom('user', 'session', 'money'), key, value, fc.integer(), (input, k, v, timestamp) => {
      const result = decodeRecord(
        input as MoneyInput,
        { key: k, value: v, timestamp },
        { ...LIMITS, maxRecordBytes: 150 },
      );
      assert.equal(typeof result.ok, 'boolean');
    }),
    { numRuns: 2000 },
  );
});

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v)) ?? 'null';
  } catch {
    return '{"cyclic":true}';
  }
}

describe('headers that money hands on', () => {
  const limits = { ...LIMITS, forwardHeaders: ['tracestate', 'traceparent', 'bytes'] };
  const headers = {
    traceparent: Buffer.from('00-ab-cd-01'),
    other: Buffer.from('x'),
    bytes: [Buffer.from([0xff, 0x00]), null],
  };
  const record = { key: Buffer.from(USER), value: Buffer.from(JSON.stringify(payment)), timestamp: TS, headers };
  const own = { ok: true, userId: USER, ts: TS };

  test('are those that are named, in the order of the names', () => {
    const forwarded = {
      headers: [
        { name: 'traceparent', value: '00-ab-cd-01' },
        { name: 'bytes', value: '\u00ff\0' },
        { name: 'bytes', value: '' },
      ],
    };
    assert.deepEqual(decodeRecord('money', record, limits), {
      ...own,
      event: { type: 'money', money: { ...money, forwarded } },
      headerBytes: 34,
    });
  });

  test('are none where none is named, or the record has none of these, or is no money', () => {
    const without = { ...own, event: { type: 'money', money } };
    assert.deepEqual(decodeRecord('money', record, LIMITS), without);
    assert.deepEqual(
      decodeRecord('money', record, { ...LIMITS, forwardHeaders: ['toString', 'Traceparent'] }),
      without,
    );
    const value = Buffer.from(JSON.stringify(created));
    assert.deepEqual(decodeRecord('session', { ...record, value }, limits), {
      ...own,
      event: { type: 'session', sessionId: ID, clientCountryCode: 'AR' },
    });
  });

  test('are left out where they are too large, and counted', () => {
    const large = { ...record, headers: { traceparent: Buffer.alloc(2_048), tracestate: Buffer.from('a=b') } };
    const forwarded = { headers: [{ name: 'tracestate', value: 'a=b' }] };
    assert.deepEqual(decodeRecord('money', large, limits), {
      ...own,
      event: { type: 'money', money: { ...money, forwarded } },
      headerBytes: 13,
      headersDropped: 1,
    });
    const dropped: number[] = [];
    decodeWith(limits, (count) => dropped.push(count))(2, large, jsonDecoder);
    assert.deepEqual(dropped, [1]);
  });
});
