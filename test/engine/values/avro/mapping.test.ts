/** What each Avro type reads as, by hand: src/engine/values/avro/record.ts has the table. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeRecord } from '../../../../src/money/codec/decode.ts';
import { decoded, decoderOf, fieldOf, ID, typeOf, wire } from './given.ts';

const decimal = (precision: number, scale?: number) => ({
  type: 'bytes',
  logicalType: 'decimal',
  precision,
  ...(scale === undefined ? {} : { scale }),
});
const fixed = (size: number, more = {}) => ({ type: 'fixed', name: 'F', size, ...more });
const hex = (text: string) => Buffer.from(text, 'hex');

describe('the decimal text of a number', () => {
  const cases: [name: string, type: unknown, value: unknown, text: string | null][] = [
    ['a string keeps its zeros', 'string', '0.10', '0.10'],
    ['a string keeps its exponent', 'string', '1E+2', '1E+2'],
    [
      'a string of forty digits',
      'string',
      '1234567890123456789012345678901234567890',
      '1234567890123456789012345678901234567890',
    ],
    ['a negative string', 'string', '-0.00', '-0.00'],
    ...['', ' 1', '1 ', '+1', '01', '.5', '1.', '1e', 'NaN', 'Infinity', '0x10', '1,5', '1_000', '١'].map(
      (text): [string, unknown, unknown, null] => [
        `the string ${JSON.stringify(text)} is no JSON number`,
        'string',
        text,
        null,
      ],
    ),
    ['a decimal of scale 2', decimal(9, 2), hex('041a'), '10.50'],
    ['a decimal keeps its zeros', decimal(9, 4), hex('00'), '0.0000'],
    ['a decimal below one', decimal(9, 2), hex('05'), '0.05'],
    ['a negative decimal', decimal(9, 2), hex('fb'), '-0.05'],
    ['a negative decimal of two bytes', decimal(9, 1), hex('fbe6'), '-105.0'],
    ['a decimal without a scale', decimal(9), hex('2a'), '42'],
    ['a decimal with more sign bytes than it needs', decimal(3, 1), hex('000000000000000000007f'), '12.7'],
    ['a negative one with more sign bytes than it needs', decimal(3, 1), hex('ffffffffffffffffffff80'), '-12.8'],
    [
      'a decimal of 38 digits',
      decimal(38, 10),
      hex('4b3b4ca85a86c47a098a223fffffffff'),
      '9999999999999999999999999999.9999999999',
    ],
    ['a decimal of its very precision', decimal(3, 1), hex('03e7'), '99.9'],
    ['a decimal above its precision', decimal(3, 1), hex('03e8'), null],
    ['a decimal of no bytes', decimal(3, 1), Buffer.alloc(0), null],
    ['a fixed decimal', fixed(4, { logicalType: 'decimal', precision: 9, scale: 3 }), hex('fffffb2e'), '-1.234'],
    ['bytes that are no decimal', 'bytes', hex('2a'), null],
    ['a decimal whose scale is above its precision is bytes', decimal(2, 3), hex('2a'), null],
    ['a decimal of precision 0 is bytes', decimal(0, 0), hex('2a'), null],
    ['an int', 'int', -2_147_483_648, '-2147483648'],
    ['a long', 'long', 42n, '42'],
    ['a long above 2^53', 'long', 9_007_199_254_740_993n, '9007199254740993'],
    ['the least long', 'long', -9_223_372_036_854_775_808n, '-9223372036854775808'],
    ['the largest long', 'long', 9_223_372_036_854_775_807n, '9223372036854775807'],
    ['a timestamp is no amount', { type: 'long', logicalType: 'timestamp-millis' }, 42n, null],
    ['a double', 'double', 0.1, '0.1'],
    ['a double of seventeen digits', 'double', 0.1 + 0.2, '0.30000000000000004'],
    ['a large double', 'double', 1e21, '1e+21'],
    ['a small double', 'double', 5e-324, '5e-324'],
    ['a whole double', 'double', 100, '100'],
    ['the negative zero', 'double', -0, '-0'],
    ['not a number', 'double', Number.NaN, null],
    ['infinity', 'double', Infinity, null],
    ['a float reads back as the same float', 'float', Math.fround(0.1), '0.1'],
    ['a float of eight digits', 'float', Math.fround(16_777_216.5), '16777216'],
    ['a float of nine digits', 'float', Math.fround(1.00000012), '1.0000001'],
    ['a float that is not a number', 'float', Number.NaN, null],
    ['a boolean', 'boolean', true, null],
    ['null', 'null', null, null],
    ['an absent number in a union', ['null', 'double'], null, null],
    ['a string in a union', ['null', 'string'], { string: '7.10' }, '7.10'],
    ['a decimal in a union', ['null', decimal(9, 2)], { bytes: hex('041a') }, '10.50'],
    ['a long in a union of many', ['null', 'string', 'double', 'long'], { long: 3n }, '3'],
  ];
  for (const [name, type, value, text] of cases) {
    test(name, () => assert.equal(fieldOf(type, value).decimal, text));
  }

  test('a decimal above a thousand digits of precision is only bytes', () => {
    assert.equal(fieldOf(decimal(1_000, 0), hex('2a')).decimal, '42');
    assert.equal(fieldOf(decimal(1_001, 0), hex('2a')).decimal, null);
  });

  test('a megabyte under a decimal type is not turned into digits', () => {
    const before = performance.now();
    assert.equal(fieldOf(decimal(1_000, 0), Buffer.alloc(1_000_000, 0x55)).decimal, null);
    assert.ok(performance.now() - before < 500);
  });
});

describe('a field', () => {
  const millis = { type: 'long', logicalType: 'timestamp-millis' };
  const micros = { type: 'long', logicalType: 'timestamp-micros' };
  const nanos = { type: 'long', logicalType: 'timestamp-nanos' };
  const cases: [name: string, type: unknown, value: unknown, field: unknown][] = [
    ['a string', 'string', 'Peñarol', 'Peñarol'],
    ['a string that says how Java holds it', { type: 'string', 'avro.java.string': 'String' }, 'x', 'x'],
    ['an empty string', 'string', '', ''],
    ['an enum is its symbol', { type: 'enum', name: 'E', symbols: ['EUR', 'USD'] }, 'USD', 'USD'],
    ['a boolean', 'boolean', false, false],
    ['milliseconds are an ISO text', millis, 1_769_853_600_001n, '2026-01-31T10:00:00.001Z'],
    ['finer digits are cut', micros, 1_769_853_600_001_999n, '2026-01-31T10:00:00.001Z'],
    ['also before 1970', micros, -1n, '1969-12-31T23:59:59.999Z'],
    ['whole milliseconds before 1970', micros, -1_000n, '1969-12-31T23:59:59.999Z'],
    ['nanoseconds', nanos, 1_769_853_600_001_999_999n, '2026-01-31T10:00:00.001Z'],
    ['the last time of four digits of year', millis, 253_402_300_799_999n, '9999-12-31T23:59:59.999Z'],
    ['a time after it stays a number', millis, 253_402_300_800_000n, 253_402_300_800_000],
    ['a time far after it', millis, 9_223_372_036_854_775_807n, 9_223_372_036_854_775_807n],
    ['a local time is only a number', { type: 'long', logicalType: 'local-timestamp-millis' }, 5n, 5],
    ['a date is only a number', { type: 'int', logicalType: 'date' }, 5, 5],
    [
      'a UUID of sixteen bytes',
      fixed(16, { logicalType: 'uuid' }),
      hex('0a7f5c366d0c4f6e9a520f8f1d3b2c11'),
      '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11',
    ],
    [
      'a UUID in a string',
      { type: 'string', logicalType: 'uuid' },
      '0A7F5C36-6d0c-4f6e-9a52-0f8f1d3b2c11',
      '0A7F5C36-6d0c-4f6e-9a52-0f8f1d3b2c11',
    ],
    ['null', 'null', null, null],
    ['nothing in a union', ['null', 'string'], null, null],
    ['something in a union', ['null', 'string'], { string: 'x' }, 'x'],
    ['something in a union that ends with null', ['string', 'null'], { string: 'x' }, 'x'],
    ['an int', 'int', -5, -5],
    ['a long above 2^53', 'long', 9_007_199_254_740_993n, 9_007_199_254_740_993n],
    ['a double', 'double', 1.5, 1.5],
    ['a float', 'float', 1.5, 1.5],
    ['bytes are nothing that an event has', 'bytes', hex('2a'), {}],
    ['nor is a record', { type: 'record', name: 'I', fields: [{ name: 'a', type: 'int' }] }, { a: 1 }, {}],
    ['nor an array', { type: 'array', items: 'string' }, ['a'], []],
    ['nor a map', { type: 'map', values: 'string' }, { a: 'b' }, {}],
  ];
  for (const [name, type, value, field] of cases) {
    test(name, () => assert.deepEqual(fieldOf(type, value).field, field));
  }

  test('that the schema does not have is absent, whatever its name', () => {
    const schema = {
      type: 'record',
      name: 'R',
      fields: [
        { name: '__proto__', type: 'string' },
        { name: 'a', type: 'int' },
      ],
    };
    // Written by hand: avsc would set the prototype.
    const raw = decoded(schema, Buffer.from([2, 0x78, 4]));
    assert.ok(!('malformed' in raw));
    for (const name of ['constructor', 'toString', 'b', '']) assert.equal(raw.field(name), undefined, name);
    assert.equal(raw.field('__proto__'), 'x');
    assert.equal(raw.field('a'), 2);
    assert.deepEqual(raw.decimalTexts(['constructor', 'a']), [null, '2']);
  });
});

describe('the type of an event', () => {
  const record = (name: string, fields: object[]) => ({ type: 'record', name, namespace: 'com.example', fields });
  const typeIs = (schema: unknown, bytes: Buffer) => {
    const raw = decoded(schema, bytes);
    assert.ok(!('malformed' in raw));
    return raw.field('type');
  };

  test('is its field, where there is one', () => {
    assert.equal(typeIs(record('Envelope', [{ name: 'type', type: 'string' }]), Buffer.from([2, 0x61])), 'a');
  });

  test('may be an enum', () => {
    const type = { type: 'enum', name: 'T', symbols: ['PaymentEvent', 'TransactionEvent'] };
    assert.equal(typeIs(record('Envelope', [{ name: 'type', type }]), Buffer.from([2])), 'TransactionEvent');
  });

  test('is the name of the record, without its namespace, where there is none, or null', () => {
    assert.equal(typeIs(record('PaymentEvent', []), Buffer.alloc(0)), 'PaymentEvent');
    assert.equal(
      typeIs({ type: 'record', name: 'com.example.PaymentEvent', fields: [] }, Buffer.alloc(0)),
      'PaymentEvent',
    );
    assert.equal(
      typeIs(record('PaymentEvent', [{ name: 'type', type: ['null', 'string'] }]), Buffer.from([0])),
      'PaymentEvent',
    );
  });

  test('is that of the branch, where the topic has a union of records', () => {
    const schema = [record('PaymentEvent', []), record('TransactionEvent', [{ name: 'a', type: 'int' }])];
    assert.equal(typeIs(schema, Buffer.from([2, 8])), 'TransactionEvent');
  });
});

describe('an event', () => {
  const LIMITS = { maxRecordBytes: 1_048_576, maxFutureSkew: 3_600_000 };
  const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
  const schema = {
    type: 'record',
    name: 'PaymentEvent',
    fields: [
      { name: 'unknown', type: { type: 'array', items: 'long' } },
      { name: 'id', type: { type: 'string', logicalType: 'uuid' } },
      { name: 'userId', type: 'string' },
      { name: 'processedAt', type: { type: 'long', logicalType: 'timestamp-micros' } },
      { name: 'userSessionId', type: ['null', 'string'], default: null },
      { name: 'amount', type: decimal(20, 2) },
      { name: 'openingBalance', type: 'double' },
      { name: 'closingBalance', type: ['null', 'string'] },
      { name: 'currency', type: { type: 'enum', name: 'Currency', symbols: ['EUR', 'UYU'] } },
      { name: 'moneyType', type: 'string' },
      { name: 'paymentRelatedThing', type: 'string' },
      { name: 'isOldMoneyEvent', type: 'boolean' },
    ],
  };
  const value = {
    unknown: [1n, 2n],
    id: '11111111-2222-4333-8444-55555555555A',
    userId: USER,
    processedAt: 1_769_853_600_000_999n,
    userSessionId: null,
    amount: hex('041a'),
    openingBalance: 0.1,
    closingBalance: { string: '1E+2' },
    currency: 'UYU',
    moneyType: 'BET',
    paymentRelatedThing: 'x',
    isOldMoneyEvent: true,
  };
  const result = (bytes: Buffer, key = USER) =>
    decodeRecord(
      'money',
      { key: Buffer.from(key), value: bytes, timestamp: 1_769_853_600_000 },
      LIMITS,
      decoderOf(schema),
    );

  test('is the same as from JSON', () => {
    assert.deepEqual(result(wire(typeOf(schema).toBuffer(value))), {
      ok: true,
      userId: USER,
      ts: 1_769_853_600_000,
      event: {
        type: 'money',
        money: {
          id: '11111111-2222-4333-8444-55555555555a',
          ts: 1_769_853_600_000,
          amount: '10.50',
          currency: 'UYU',
          closingBalance: '1E+2',
          moneyType: 'BET',
          isOldMoneyEvent: true,
        },
      },
    });
  });

  test('is judged by the same rules', () => {
    const reason = (change: object, key?: string) => {
      const judged = result(wire(typeOf(schema).toBuffer({ ...value, ...change })), key);
      return judged.ok ? 'ok' : `${judged.reason}: ${judged.detail}`;
    };
    assert.equal(reason({ id: 'x' }), 'invalid: id: expected a UUID');
    assert.equal(reason({ moneyType: 'x'.repeat(1_001) }), 'invalid: moneyType: expected at most 1000 characters');
    assert.equal(
      reason({ closingBalance: null }),
      'invalid: closingBalance: expected a decimal number, but it is missing',
    );
    assert.equal(
      reason({ openingBalance: Number.NaN }),
      'invalid: openingBalance: expected a decimal number, not a number',
    );
    assert.equal(reason({ processedAt: 10n ** 18n }), 'invalid: processedAt: expected a string, not a number');
    assert.equal(
      reason({}, 'someone'),
      'key-mismatch: key: expected the userId of the value, bare or in double quotes',
    );
    assert.match(reason({ processedAt: 1_769_857_201_000_000n }), /^future: /);
  });

  test('that is not in the wire format, or of a schema that cannot be used, is malformed', () => {
    const why = (bytes: Buffer) => {
      const judged = result(bytes);
      return judged.ok ? 'ok' : `${judged.reason}: ${judged.detail}`;
    };
    const expected =
      'malformed: value: expected Avro in the Confluent wire format: a zero byte and a schema id of four bytes';
    assert.equal(why(Buffer.from('{"type":"PaymentEvent"}')), expected);
    assert.equal(why(Buffer.from([0, 0, 0, 0])), expected);
    assert.equal(why(Buffer.from([1, 0, 0, 0, ID])), expected);
    assert.equal(
      why(Buffer.from([0, 0, 0, 0, ID])),
      `malformed: value: not Avro of schema ${ID}: expected a number at 5, found the end`,
    );
    assert.equal(
      why(Buffer.concat([wire(typeOf(schema).toBuffer(value)), Buffer.from([0])])).replace(/\d+, found/, 'N, found'),
      `malformed: value: not Avro of schema ${ID}: expected the end at N, found 1 bytes more`,
    );
    assert.equal(
      why(wire(typeOf(schema).toBuffer(value), 9)),
      'malformed: value: schema 9 cannot be used: it was not asked for',
    );
  });
});
