import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { RefusedBatch } from '../../../src/engine/kafka/topic-rooms.ts';
import {
  describe,
  outputRefused,
  refusalOf,
  unpublished,
  WorkflowReset,
} from '../../../src/engine/publish/refusals.ts';
import { output, request, SECOND_LIFE } from '../../support/publishing.ts';

/** A key that must be in no message. */
const KEY = 'secret-key';
const WORKFLOW = 'of the workflow started at 1970-01-01T00:00:01.000Z (run run-1)';

test('a request is called by its stream, its numbers and its workflow', () => {
  assert.equal(describe(request(KEY, 4, 4)), `applied outputs 4 ${WORKFLOW}`);
  assert.equal(describe(request(KEY, 4, 6, { stream: 'resolved' })), `resolved outputs 4..6 ${WORKFLOW}`);
});

test('a gap names the last output of the ledger', () => {
  const { code, message } = refusalOf(request(KEY, 7, 7), { type: 'gap', last: 5 });
  assert.equal(code, 'SEQUENCE_GAP');
  assert.equal(
    message,
    `applied outputs 7 ${WORKFLOW}: the ledger ends at 5, the outputs between are lost. Nothing was published`,
  );
});

test('what an older workflow asks names the newer one', () => {
  const { code, message } = refusalOf(request(KEY, 7, 7), { type: 'stale', newer: SECOND_LIFE });
  assert.equal(code, 'STALE_INCARNATION');
  assert.equal(
    message,
    `applied outputs 7 ${WORKFLOW}: a newer workflow of this key has published, started at 1970-01-01T00:00:02.000Z (run run-2)`,
  );
});

test('a divergence names both places, of the output with the number of the mark', () => {
  const mark = { seq: 5, partition: 3, offset: 105 };
  const wanted = { ...request(KEY, 4, 6), outputs: [output(KEY, 104), output(KEY, 999), output(KEY, 106)] };
  const { code, message } = refusalOf(wanted, { type: 'divergence', mark });
  assert.equal(code, 'DIVERGENCE');
  assert.equal(
    message,
    `applied outputs 4..6 ${WORKFLOW}: output 5 was published for the record at partition 3, offset 105, ` +
      "and now stands for partition 0, offset 999: the workflow's history was altered",
  );
});

test('a reset carries the number after which the workflow goes on', () => {
  const error = refusalOf(request(KEY, 2, 2), { type: 'reset', last: 9 });
  assert.ok(error instanceof WorkflowReset);
  assert.deepEqual([error.code, error.last], ['WORKFLOW_RESET', 9]);
  assert.equal(
    error.message,
    `applied outputs 2 ${WORKFLOW}: the workflow was reset to an earlier event, and had published 9 by then. It goes on after them`,
  );
});

test('a refused output that is too large says to what the topic is to be set: a tenth more, in whole steps of 64 KiB', () => {
  const why = { bytes: 100_000, limit: 90_000 };
  const { code, message } = outputRefused(request(KEY, 4, 12), 11, 'out', why);
  assert.equal(code, 'OUTPUT_REFUSED');
  assert.equal(
    message,
    `applied output 11 ${WORKFLOW} is refused by out, and what follows it in this workflow waits; ` +
      'it has 100000 bytes as written, and max.message.bytes is 90000: set max.message.bytes of out to 131072 or more',
  );
  assert.match(
    outputRefused(request(KEY, 4, 12), 11, 'out', { bytes: 62_000 }).message,
    /; it has 62000 bytes as written: set max\.message\.bytes of out to 131072 or more$/,
  );
});

test('a refused output that is too large for the broker says no other than one for which no setting was seen', () => {
  const batch = { records: [{ key: 'k', value: 'v' }], bytes: 59_000, compressed: false };
  const cause = new RefusedBatch('out', batch, 'size', new Error('MESSAGE_TOO_LARGE'));
  const error = outputRefused(request(KEY, 1, 1), 1, 'out', { bytes: 59_000, limit: undefined, cause });
  assert.match(error.message, /it has 59000 bytes as written: set max\.message\.bytes of out to 65536 or more$/);
  assert.equal(error.cause, cause);
});

test('an output that is refused for its content names what the broker said, and where to look', () => {
  const batch = { records: [{ key: 'k', value: 'v' }], bytes: 100, compressed: false };
  const cause = new RefusedBatch('out', batch, 'content', new Error('against our policy'));
  const { message } = outputRefused(request(KEY, 1, 1), 1, 'out', { bytes: 100, cause });
  assert.match(
    message,
    /^applied output 1 of the workflow .* is refused by out, .* waits; against our policy: look for/,
  );
  assert.match(message, /a policy of the broker, and at the topic's cleanup\.policy and message\.timestamp settings$/);
});

test('one that was not published in time says why', () => {
  const cause = new CodedError('KAFKA', 'no broker');
  const error = unpublished(request(KEY, 1, 2), cause);
  assert.deepEqual([error.code, error.cause], ['KAFKA', cause]);
  assert.equal(error.message, `applied outputs 1..2 ${WORKFLOW}: not published in time: no broker`);
});

test('no message has the key', () => {
  const errors = [
    refusalOf(request(KEY, 7, 7), { type: 'gap', last: 5 }),
    outputRefused(request(KEY, 1, 1), 1, 'out', { bytes: 1 }),
    unpublished(request(KEY, 1, 1), new Error('x')),
  ];
  for (const { message } of errors) assert.ok(!message.includes(KEY), message);
});
