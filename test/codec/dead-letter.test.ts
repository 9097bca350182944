import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEAD_LETTER_REASONS, deadLetter, readDeadLetterHeaders } from '../../src/codec/dead-letter.ts';

const source = { topic: 'wallet-events', partition: 3, offset: 9_007_199_254_740_991, timestamp: 1_769_853_600_000 };

test('the reasons are the six of the contract, in their order of precedence', () => {
  assert.deepEqual(DEAD_LETTER_REASONS, ['too-large', 'malformed', 'unknown-type', 'invalid', 'key-mismatch', 'future']);
});

test('a dead letter has the raw key and value, and six headers of text', () => {
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
    },
  });
});

test('the headers are read back, as text or as bytes', () => {
  const headers = deadLetter(source, { key: null, value: null }, { reason: 'future', detail: 'é' }).headers ?? {};
  const expected = { reason: 'future', detail: 'é', source };
  assert.deepEqual(readDeadLetterHeaders(headers), expected);
  const bytes = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]));
  assert.deepEqual(readDeadLetterHeaders(bytes), expected);
});

test('a record that is no dead letter is not taken for one', () => {
  assert.equal(readDeadLetterHeaders({}), null);
  const headers = deadLetter(source, { key: null, value: null }, { reason: 'future', detail: '' }).headers ?? {};
  assert.equal(readDeadLetterHeaders({ ...headers, reason: 'because' }), null);
  assert.equal(readDeadLetterHeaders({ ...headers, 'source-offset': '1e3' }), null);
  assert.equal(readDeadLetterHeaders({ ...headers, 'source-topic': undefined }), null);
});
