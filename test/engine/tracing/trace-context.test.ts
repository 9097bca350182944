import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newSpanId, newTraceId, readTraceparent, writeTraceparent } from '../../../src/engine/tracing/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test('a traceparent is read and written as W3C has it', () => {
  const context = { traceId: TRACE, spanId: SPAN, sampled: true };
  assert.deepEqual(readTraceparent(`00-${TRACE}-${SPAN}-01`), context);
  assert.equal(writeTraceparent(context), `00-${TRACE}-${SPAN}-01`);
  assert.equal(writeTraceparent({ ...context, sampled: false }), `00-${TRACE}-${SPAN}-00`);
  // Other flags are none of ours; a later version may have more fields.
  assert.equal(readTraceparent(`00-${TRACE}-${SPAN}-02`)?.sampled, false);
  assert.deepEqual(readTraceparent(`01-${TRACE}-${SPAN}-03-more`), context);
});

test('what is no traceparent begins no trace', () => {
  for (const text of [
    '',
    'x',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
  ]) {
    assert.equal(readTraceparent(text), undefined, text);
  }
});

test('ids are hex of their length', () => {
  assert.match(newTraceId(), /^[0-9a-f]{32}$/);
  assert.match(newSpanId(), /^[0-9a-f]{16}$/);
});
