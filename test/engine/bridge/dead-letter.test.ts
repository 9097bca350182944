import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHash } from 'node:crypto';
import { bytesOf } from '../../../src/engine/kafka/port.ts';
import {
  cutDeadLetter,
  deadLetter,
  ownHeaders,
  readDeadLetterHeaders,
} from '../../../src/engine/bridge/dead-letter.ts';
import { DEAD_LETTER_REASONS } from '../../../src/engine/ordering/rejection.ts';
import { DEAD_LETTER_HEADERS } from '../../support/dead-letter-headers.ts';

const source = { topic: 'wallet-events', partition: 3, offset: 9_007_199_254_740_991, timestamp: 1_769_853_600_000 };

test('the reasons are the six of the contract, in their order of precedence', () => {
  assert.deepEqual(DEAD_LETTER_REASONS, [
    'too-large',
    'malformed',
    'unknown-type',
    'invalid',
    'key-mismatch',
    'future',
  ]);
});

test('a dead letter has the raw key and value, and headers of text by our names and by those of Kafka Connect', () => {
  const key = Buffer.from([0xff, 0x00]);
  assert.deepEqual(deadLetter(source, { key, value: null }, { reason: 'malformed', detail: 'value: why' }), {
    key,
    value: null,
    headers: {
      reason: 'malformed',
      detail: 'value: why',
      'source-topic': 'wallet-events',
      'source-partition': '3',
      'source-offset': '9007199254740991',
      'source-timestamp': '1769853600000',
      '__connect.errors.topic': 'wallet-events',
      '__connect.errors.partition': '3',
      '__connect.errors.offset': '9007199254740991',
      '__connect.errors.stage': 'VALUE_CONVERTER',
      '__connect.errors.exception.class.name': 'malformed',
      '__connect.errors.exception.message': 'value: why',
    },
  });
});

test('for Kafka Connect, a key that does not fit failed where keys are converted', () => {
  const { headers } = deadLetter(source, { key: null, value: null }, { reason: 'key-mismatch', detail: 'key: why' });
  assert.equal(headers?.['__connect.errors.stage'], 'KEY_CONVERTER');
  assert.equal(headers?.['__connect.errors.exception.class.name'], 'key-mismatch');
});

test('what a record brings from the dead letters of Kafka Connect stays its own', () => {
  const own = { '__connect.errors.topic': 'orders', '__connect.errors.stage': ['TRANSFORMATION', 'TASK_PUT'] };
  const { headers } = deadLetter(source, { key: null, value: null, headers: own }, WHY);
  assert.deepEqual(headers!['__connect.errors.topic'], ['orders', 'wallet-events']);
  assert.deepEqual(headers!['__connect.errors.stage'], ['TRANSFORMATION', 'TASK_PUT', 'VALUE_CONVERTER']);
  assert.deepEqual(ownHeaders(headers!), own);
});

test('of a letter of 0.2.0, which says nothing by the names of Kafka Connect, those are all its own', () => {
  const own = {
    '__connect.errors.topic': 'orders',
    '__connect.errors.partition': '0',
    '__connect.errors.offset': '7',
    '__connect.errors.stage': 'VALUE_CONVERTER',
    '__connect.errors.exception.class.name': 'too-large',
    '__connect.errors.exception.message': 'd',
  };
  const ours = {
    reason: 'too-large',
    detail: 'd',
    'source-topic': 'wallet-events',
    'source-partition': '3',
    'source-offset': '11',
    'source-timestamp': '1769853600000',
  };
  assert.deepEqual(ownHeaders({ ...own, ...ours }), own);
});

test('the headers are read back, as text or as bytes', () => {
  const headers = deadLetter(source, { key: null, value: null }, { reason: 'future', detail: 'é' }).headers ?? {};
  const expected = { reason: 'future', detail: 'é', source };
  assert.deepEqual(readDeadLetterHeaders(headers), expected);
  const bytes = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text as string)]));
  assert.deepEqual(readDeadLetterHeaders(bytes), expected);
});

test('a record that is no dead letter is not taken for one', () => {
  assert.equal(readDeadLetterHeaders({}), null);
  const headers = deadLetter(source, { key: null, value: null }, { reason: 'future', detail: '' }).headers ?? {};
  assert.equal(readDeadLetterHeaders({ ...headers, reason: 'because' }), null);
  assert.equal(readDeadLetterHeaders({ ...headers, 'source-offset': '1e3' }), null);
  assert.equal(readDeadLetterHeaders({ ...headers, 'source-topic': undefined }), null);
});

const WHY = { reason: 'too-large', detail: 'd' } as const;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('a timestamp in nanoseconds is the very number in the header, and is read back', () => {
  const nanoseconds = { ...source, timestamp: Number('1769853600123456789'), timestampText: '1769853600123456789' };
  const { headers } = deadLetter(nanoseconds, { key: null, value: null }, WHY);
  assert.equal(headers?.['source-timestamp'], '1769853600123456789');
  assert.deepEqual(readDeadLetterHeaders(headers!)?.source, nanoseconds);
  for (const text of ['-1', '0', '9223372036854775807', '-6795364578871']) {
    const read = readDeadLetterHeaders({ ...headers, 'source-timestamp': text });
    assert.equal(read!.source.timestampText ?? String(read!.source.timestamp), text);
  }
});

test("the record's own headers stay, before ours", () => {
  const own = { trace: 'abc', twice: ['1', Buffer.from('2')], none: null };
  const { headers } = deadLetter(source, { key: null, value: null, headers: own }, WHY);
  assert.deepEqual(Object.keys(headers!), ['trace', 'twice', 'none', ...DEAD_LETTER_HEADERS]);
  assert.deepEqual(ownHeaders(headers!), own);
});

test('a header of the record that is named like ours confuses nobody: the last one is ours', () => {
  const own = { reason: 'because', 'source-offset': ['1', '2'], 'value-cut': 'true', 'value-bytes': '9', other: 'x' };
  const { headers } = deadLetter(source, { key: null, value: Buffer.from('v'), headers: own }, WHY);
  assert.deepEqual(headers!['reason'], ['because', 'too-large']);
  assert.deepEqual(headers!['source-offset'], ['1', '2', String(source.offset)]);
  assert.deepEqual(readDeadLetterHeaders(headers!), { ...WHY, source });
  assert.deepEqual(ownHeaders(headers!), own);
});

test('a value that no request can carry is cut, and its size and SHA-256 tell the whole', () => {
  const value = Buffer.alloc(50_000, 'abc');
  const letter = cutDeadLetter(
    source,
    { key: Buffer.from('key'), value, headers: { trace: 'abc', 'value-cut': 'mine' } },
    WHY,
    4_000,
  );
  assert.ok(bytesOf(letter) <= 4_000 && bytesOf(letter) > 3_900, `${bytesOf(letter)} bytes`);
  assert.ok(value.subarray(0, (letter.value as Buffer).length).equals(letter.value as Buffer));
  assert.equal(letter.headers!['value-bytes'], '50000');
  assert.equal(letter.headers!['value-sha256'], sha256(value));
  assert.deepEqual(letter.headers!['value-cut'], ['mine', 'true']);
  assert.deepEqual(letter.key, Buffer.from('key'));
  assert.deepEqual(readDeadLetterHeaders(letter.headers!), {
    ...WHY,
    source,
    cut: { value: { bytes: 50_000, sha256: sha256(value) } },
  });
  assert.deepEqual(ownHeaders(letter.headers!), { trace: 'abc', 'value-cut': 'mine' });
});

test('a key and headers that no request can carry are cut as well, and a null value stays null', () => {
  const key = Buffer.alloc(30_000, 'k');
  const letter = cutDeadLetter(source, { key, value: null, headers: { huge: 'h'.repeat(9_000) } }, WHY, 4_000);
  assert.ok(bytesOf(letter) <= 4_000);
  assert.equal(letter.value, null);
  assert.deepEqual(letter.key, key.subarray(0, 1_000));
  const { cut } = readDeadLetterHeaders(letter.headers!)!;
  assert.deepEqual(cut, { key: { bytes: 30_000, sha256: sha256(key) }, headers: { bytes: 9_014 } });
  assert.equal(letter.headers!['huge'], undefined);
});

test('what fits beside a part that is cut stays whole', () => {
  const letter = cutDeadLetter(source, { key: Buffer.alloc(9_000), value: Buffer.from('small') }, WHY, 4_000);
  assert.equal((letter.value as Buffer).toString(), 'small');
  assert.equal(letter.headers!['value-cut'], undefined);
});
