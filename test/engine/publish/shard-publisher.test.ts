/** What one shard's publisher answers, and what it tells. When it begins and ends is in shard-life.test.ts, its protocol in exactly-once.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { soon } from '../../support/gate.ts';
import { output, request, SECOND_LIFE, withCode } from '../../support/publishing.ts';
import { committing, opened } from './given.ts';

test('a commit is told with what went into it', async () => {
  const { publisher, clock, ofType, first: before, commit } = await committing(request('other', 1, 1));
  const both = [publisher.publish(request('u', 1, 2)), publisher.publish(request('v', 1, 1))];
  clock.advance(700);
  commit();
  await Promise.all([before, ...both]);
  const [first, second] = ofType('committed');
  assert.deepEqual(
    [first!.shard, first!.outputs, first!.keys, first!.requests, first!.ledgerKeys, first!.ms],
    [0, 1, 1, 1, 1, 700],
  );
  assert.deepEqual(
    [second!.outputs, second!.keys, second!.requests, second!.ledgerKeys, second!.last.value, second!.ms],
    [3, 2, 2, 3, 'v:101', 0],
  );
  assert.equal(publisher.keys, 3);
});

test('a request is answered with the offset of its first output, where this call wrote all of it', async () => {
  const { publisher, kafka, first, commit } = await committing(request('u', 1, 2));
  const [partly, other, rider] = [
    publisher.publish(request('u', 2, 4)),
    publisher.publish(request('v', 1, 1)),
    publisher.publish(request('v', 1, 1)),
  ];
  commit();
  const offsetOf = (value: string): number | undefined =>
    kafka.committed('out').find((record) => String(record.value) === value)?.offset;
  assert.equal(await first, offsetOf('u:101'));
  assert.deepEqual([await partly, await other, await rider], [undefined, offsetOf('v:101'), undefined]);
  assert.equal(await publisher.publish(request('u', 1, 2)), undefined);
});

test('of outputs that went in several batches no offset is told', async () => {
  const { publisher, published } = await opened({ settings: { 'max.message.bytes': '2000' } });
  assert.equal(await publisher.publish(request('u', 1, 200)), undefined);
  assert.equal(published().length, 200);
});

test('repeats are counted, those that a commit has overtaken together', async () => {
  const { publisher, ofType, published, first, commit } = await committing(request('u', 1, 1));
  const repeats = [publisher.publish(request('u', 1, 1)), publisher.publish(request('u', 1, 1))];
  commit();
  await Promise.all([first, ...repeats]);
  assert.deepEqual(ofType('repeated'), [{ type: 'repeated', shard: 0, requests: 2 }]);
  await publisher.publish(request('u', 1, 1));
  assert.deepEqual(ofType('repeated').slice(1), [{ type: 'repeated', shard: 0, requests: 1 }]);
  await soon();
  assert.deepEqual([published(), ofType('committed').length], [['u:101'], 1]);
});

test('what is refused is told with its key; a reset, which the workflow mends itself, is noticed instead', async () => {
  const { publisher, kafka, ofType } = await opened();
  const run = { number: 1, id: 'first' };
  await publisher.publish({ ...request('u', 1, 2), run });
  const divergent = { ...request('u', 2, 2), run, outputs: [output('u', 777)] };
  const refused = await publisher.publish(divergent).catch((error: unknown) => error);
  assert.ok(withCode('DIVERGENCE')(refused));
  assert.deepEqual(ofType('refused'), [{ type: 'refused', shard: 0, key: 'u', error: refused }]);
  const reset = { ...divergent, run: { number: 1, id: 'anew' } };
  await assert.rejects(publisher.publish(reset), withCode('WORKFLOW_RESET'));
  assert.equal(ofType('refused').length, 1);
  assert.deepEqual(ofType('noticed'), [{ type: 'noticed', shard: 0, key: 'u', notice: 'reset' }]);
  assert.equal(kafka.fences.length, 1, 'only a gap may be ignorance');
});

test('a workflow that began anew is noticed by a repeat, too', async () => {
  const { publisher, ofType } = await opened();
  await publisher.publish(request('u', 1, 1));
  await publisher.publish(request('u', 1, 1, { incarnation: SECOND_LIFE }));
  await publisher.publish(request('u', 1, 1, { incarnation: SECOND_LIFE }));
  assert.deepEqual(ofType('noticed'), [{ type: 'noticed', shard: 0, key: 'u', notice: 'began-anew' }]);
});

test('sequence numbers are whole and begin at 1', async () => {
  const { publisher, published } = await opened();
  for (const first of [0, -1, 1.5, NaN]) {
    await assert.rejects(publisher.publish({ ...request('u', 1, 1), first }), {
      code: 'SEQUENCE_GAP',
      message: /sequence numbers begin at 1$/,
    });
  }
  assert.deepEqual(published(), []);
});

test('a request that was in six failed transactions is given back, and others with it in none after the second', async () => {
  const { publisher, kafka, ofType, published } = await opened();
  const sent: string[] = [];
  kafka.intercept = ({ api, topic, records }, when) => {
    if (api !== 'send' || topic !== 'out' || when !== 'before') return;
    sent.push(records!.map(({ value }) => String(value)).join(' '));
    if (sent.at(-1)!.includes('poison')) throw new CodedError('KAFKA', 'connection lost');
  };
  const poison = publisher.publish(request('poison', 1, 1));
  const fine = publisher.publish(request('u', 1, 1));
  await assert.rejects(poison, {
    code: 'KAFKA',
    message: /^applied outputs 1 of .*: not published in time: connection lost$/,
  });
  await fine;
  assert.equal(sent.filter((values) => values.includes('poison')).length, 6);
  assert.deepEqual([ofType('reopening').length, kafka.fences.length, published()], [6, 7, ['u:101']]);
});

test('a request larger than a batch is published in parts, in order, and answered at the end', async () => {
  const { publisher, published, ofType } = await opened({ limits: { records: 2, bytes: 700_000 } });
  await publisher.publish(request('u', 1, 5));
  assert.deepEqual(published(), ['u:101', 'u:102', 'u:103', 'u:104', 'u:105']);
  assert.deepEqual(
    ofType('committed').map(({ outputs, requests }) => [outputs, requests]),
    [
      [2, 0],
      [2, 0],
      [1, 1],
    ],
  );
});

test('where requests keep coming they are collected for 25 ms, and a few are not', async () => {
  const { publisher, clock, ofType } = await opened();
  clock.sleeps.length = 0;
  await publisher.publish(request('few', 1, 1));
  assert.deepEqual(clock.sleeps, []);
  for (let n = 1; n <= 10; n += 1) await publisher.publish(request('many', n, n));
  assert.equal(clock.sleeps.filter((ms) => ms === 25).length, 2);
  assert.equal(ofType('committed').length, 11);
});

test('nobody has to listen', async () => {
  const { publisher, published } = await opened({ onEvent: undefined });
  await publisher.publish(request('u', 1, 1));
  await publisher.close();
  assert.deepEqual(published(), ['u:101']);
});
