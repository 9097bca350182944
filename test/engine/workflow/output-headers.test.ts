import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PUBLISHER_HEADERS, sourceHeaders, sourceIn } from '../../../src/engine/workflow/output-headers.ts';

test('the names are those of the contract', () => {
  assert.deepEqual(PUBLISHER_HEADERS, ['incarnation', 'stream', 'seq', 'source-partition', 'source-offset']);
  assert.deepEqual(sourceHeaders({ partition: 3, offset: 70 }), { 'source-partition': '3', 'source-offset': '70' });
});

test('a source is read from text or bytes, and from nothing else', () => {
  const source = { partition: 3, offset: 70 };
  assert.deepEqual(sourceIn(sourceHeaders(source)), source);
  assert.deepEqual(sourceIn({ 'source-partition': Buffer.from('3'), 'source-offset': Buffer.from('70') }), source);
  for (const wrong of [undefined, null, '', '-1', '1.5', 'x', ['3', '4'], '1'.repeat(16)]) {
    assert.equal(sourceIn({ ...sourceHeaders(source), 'source-offset': wrong }), undefined, String(wrong));
    assert.equal(sourceIn({ ...sourceHeaders(source), 'source-partition': wrong }), undefined, String(wrong));
  }
  assert.equal(sourceIn(), undefined);
});
