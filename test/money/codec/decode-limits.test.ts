import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeRecord } from '../../../src/money/codec/decode.ts';
import { USER, TS, LIMITS, wallet, closed, bytes, reasonOf } from './records.ts';

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
