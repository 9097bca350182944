import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeRecord } from '../../../src/money/codec/decode.ts';
import type { DecodeResult } from '../../../src/money/codec/decode.ts';
import type { MoneyInput } from '../../../src/money/domain/events.ts';
import {
  ID,
  USER,
  SESSION,
  AT,
  TS,
  LIMITS,
  payment,
  transaction,
  wallet,
  birthDate,
  address,
  otherUser,
  created,
  closed,
  money,
  bytes,
  decode,
  reasonOf,
  jsonOf,
} from './records.ts';

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
