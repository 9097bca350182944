import assert from 'node:assert/strict';
import { test } from 'node:test';
import { avroDecoder, PREFIX, type KnownSchema } from '../../../src/engine/values/avro/decoder.ts';
import { parseReaderSchema } from '../../../src/engine/values/avro/reader-schema.ts';
import { parseWriterSchema } from '../../../src/engine/values/avro/schema.ts';
import { decodeRecord, type Limits } from '../../../src/money/codec/decode.ts';
import { FOREIGN, READER_SCHEMA } from '../../system/foreign/records.ts';

const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const SESSION = '5e551014-0000-4000-8000-000000000001';
const at = (time: string) => Date.parse(`2026-01-31T10:00:0${time}Z`);

test('events that other clients wrote are read digit by digit', () => {
  const reader = parseReaderSchema(JSON.stringify(READER_SCHEMA));
  assert.ok(!('unusable' in reader));
  const limits: Limits = { maxRecordBytes: 1_000, maxFutureSkew: 0, readerSchemas: { money: reader } };
  const decoded = FOREIGN.flatMap(({ references, records }) =>
    records.map(({ what, input, key, timestamp, schema, references: named, value }) => {
      const texts = named.length === 0 ? [] : references.map((reference) => reference.schema);
      const known = new Map<number, KnownSchema>([[0, parseWriterSchema(schema, texts)]]);
      const bytes = Buffer.concat([Buffer.alloc(PREFIX), Buffer.from(value, 'hex')]);
      const result = decodeRecord(
        input,
        { key: Buffer.from(key), value: bytes, timestamp },
        limits,
        avroDecoder(known),
      );
      assert.ok(result.ok, `${what}: ${JSON.stringify(result)}`);
      assert.deepEqual([result.userId, result.ts], [USER, timestamp], what);
      return result.event;
    }),
  );
  const money = (id: number, fields: object) => ({
    type: 'money',
    money: { id: `00000000-0000-4000-8000-00000000000${id}`, ...fields },
  });
  assert.deepEqual(decoded, [
    { type: 'session', sessionId: SESSION, clientCountryCode: 'AR' },
    money(1, {
      userSessionId: SESSION,
      ts: at('2.001'),
      amount: '-123456789012345678901234567890.10',
      currency: 'EUR',
      closingBalance: '0.00',
      moneyType: 'BET',
      isOldMoneyEvent: false,
    }),
    money(2, {
      ts: at('3.000'),
      amount: '0.01',
      currency: 'UYU',
      closingBalance: '7.10',
      moneyType: 'WIN',
      isOldMoneyEvent: false,
    }),
    { type: 'address', residentCountryCode: 'UY' },
    money(3, {
      userSessionId: SESSION,
      ts: at('4.000'),
      amount: '-99999999999999999999999999.0001',
      currency: 'EUR',
      closingBalance: '100000000000000000.99',
      moneyType: 'BET',
      isOldMoneyEvent: true,
    }),
  ]);
});
