/** Outputs in Avro, read back with the schema file by avsc: each field by hand. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import avsc from 'avsc';
import { createAvroEncoder, outputSchema } from '../../../src/money/codec/avro-output.ts';
import type { Output } from '../../../src/money/domain/events.ts';

const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const ID = '11111111-2222-4333-8444-55555555555a';
const file = JSON.parse(
  readFileSync(new URL('../../../schemas/money-enriched.avsc', import.meta.url), 'utf8'),
) as avsc.Schema;
const money = {
  id: ID,
  ts: 1_769_853_600_000,
  amount: '0.10',
  currency: 'EUR',
  closingBalance: '1E+2',
  moneyType: 'BET é',
  isOldMoneyEvent: false,
};

function written(
  enriched: Partial<Output['enriched']>,
  schemaId = 258,
): { key: unknown; prefix: string; value: unknown } {
  const output: Output = {
    partition: 0,
    offset: 1,
    enriched: { userId: USER, money, firstOccurrence: true, ...enriched },
  };
  const { key, value } = createAvroEncoder(schemaId)(output, USER);
  assert.ok(Buffer.isBuffer(value));
  const decoded: unknown = JSON.parse(JSON.stringify(avsc.Type.forSchema(file).fromBuffer(value.subarray(5))));
  return { key, prefix: value.subarray(0, 5).toString('hex'), value: decoded };
}

const MONEY = {
  id: ID,
  userId: USER,
  userSessionId: null,
  processedAt: '2026-01-31T10:00:00.000Z',
  amount: '0.10',
  currency: 'EUR',
  closingBalance: '1E+2',
  moneyType: 'BET é',
  isOldMoneyEvent: false,
};

test('what is not known is null', () => {
  assert.deepEqual(written({}), {
    key: `"${USER}"`,
    prefix: '0000000102',
    value: { money: MONEY, userInfo: null, sessionInfo: null, firstOccurrence: true },
  });
});

test('what is known is there', () => {
  const { value } = written({
    money: { ...money, userSessionId: ID },
    userInfo: { birthYear: '1984', residentCountryCode: 'DE' },
    sessionInfo: { clientCountryCode: 'UY' },
    firstOccurrence: false,
  });
  assert.deepEqual(value, {
    money: { ...MONEY, userSessionId: ID },
    userInfo: { birthYear: '1984', residentCountryCode: 'DE' },
    sessionInfo: { clientCountryCode: 'UY' },
    firstOccurrence: false,
  });
});

test('one part of the user info may be missing', () => {
  assert.deepEqual((written({ userInfo: { birthYear: '1984' } }).value as { userInfo: unknown }).userInfo, {
    birthYear: '1984',
    residentCountryCode: null,
  });
});

test('a schema id takes four bytes', () => {
  assert.equal(written({}, 0xffff_ffff).prefix, '00ffffffff');
});

test('what is registered is the schema of the file', () => {
  assert.deepEqual(JSON.parse(outputSchema()), file);
});

test('half a surrogate pair, which only JSON can write, is no invalid UTF-8 in the record', () => {
  const output: Output = {
    partition: 0,
    offset: 1,
    enriched: { userId: USER, money, firstOccurrence: true, sessionInfo: { clientCountryCode: 'U\ud800Y' } },
  };
  const { value } = createAvroEncoder(258)(output, USER);
  assert.ok(Buffer.isBuffer(value));
  assert.ok(value.includes(Buffer.from('U\ufffdY')));
  assert.ok(!value.includes(Buffer.from('eda080', 'hex')));
});
