import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeRecord, decodeWith } from '../../../src/money/codec/decode.ts';
import { jsonDecoder } from '../../../src/engine/values/value.ts';
import { ID, USER, TS, LIMITS, payment, created, money } from './records.ts';

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
