/** What one shard's publisher does with outputs that the topic does not take: too large ones, and those whose content the broker refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { bytesOf } from '../../../src/engine/kafka/port.ts';
import { RefusedBatch } from '../../../src/engine/kafka/topic-rooms.ts';
import { recordsOf } from '../../../src/engine/publish/group-commit.ts';
import { soon } from '../../support/gate.ts';
import { encode, request, withCode } from '../../support/publishing.ts';
import { committing, opened, refusesContent } from './given.ts';

const SMALL_TOPIC = { 'max.message.bytes': '2000', 'compression.type': 'uncompressed' };
const LONG = 'l'.repeat(3_000);

test('a record is not sent if it is too large with its batch only', async () => {
  const { publisher, kafka, ofType } = await opened({ settings: SMALL_TOPIC });
  // A batch has 100 bytes beside its records.
  let key = 'k'.repeat(700);
  while (bytesOf(recordsOf(request(key, 1, 1), encode)[0]!) < 1_950) key += 'k';
  const sends = refusesContent(kafka, '');
  await assert.rejects(publisher.publish(request(key, 1, 1)), withCode('OUTPUT_REFUSED'));
  assert.deepEqual([sends, ofType('reopening')], [[], []]);
});

test('a record that fits compressed is published', async () => {
  const { publisher, published } = await opened({ settings: { 'max.message.bytes': '2000' } });
  await publisher.publish(request(LONG, 1, 1));
  assert.equal(published().length, 1);
});

test('what comes before a record that is too large is published', async () => {
  const { publisher, published, ofType } = await opened({
    settings: SMALL_TOPIC,
    encode: ({ offset }, key) => ({ key, value: offset === 102 ? LONG : String(offset) }),
  });
  const asked = publisher.publish(request('u', 1, 3));
  await assert.rejects(asked, withCode('OUTPUT_REFUSED'));
  await assert.rejects(publisher.publish(request('u', 1, 3)), withCode('OUTPUT_REFUSED'));
  assert.deepEqual([published(), ofType('reopening')], [['101'], []]);
});

test('where the settings are not seen the error of a refused output has the bytes that the broker refused', async () => {
  const { publisher } = await opened({ settings: SMALL_TOPIC, settingsVisible: false });
  const error = await publisher.publish(request(LONG, 1, 1)).catch((reason: unknown) => reason);
  assert.ok(error instanceof CodedError);
  assert.match(error.message, /it has \d{4} bytes as written: set max\.message\.bytes of out to 65536 or more/);
  assert.ok(error.cause instanceof RefusedBatch);
});

test('an output that was held says for how long when it is taken, and what else is held', async () => {
  const { publisher, kafka, clock, ofType } = await opened({ settings: SMALL_TOPIC });
  clock.advance(9_000);
  const error = await publisher.publish(request(LONG, 1, 1)).catch((reason: unknown) => reason);
  assert.ok(withCode('OUTPUT_REFUSED')(error));
  assert.deepEqual(ofType('outputRefused'), [{ type: 'outputRefused', shard: 0, key: LONG, turns: 1, held: 1, error }]);
  assert.equal(
    await publisher.publish(request(LONG, 1, 1)).catch((reason: unknown) => reason),
    error,
    'until its turn',
  );
  await assert.rejects(publisher.publish(request(`${LONG}2`, 1, 1)), withCode('OUTPUT_REFUSED'));
  kafka.settings.set('out', { 'max.message.bytes': '100000' });
  clock.advance(31_000);
  await publisher.publish(request('u', 1, 1));
  await publisher.publish(request(LONG, 1, 1));
  assert.deepEqual(ofType('outputTaken'), [{ type: 'outputTaken', shard: 0, key: LONG, held: 1, ms: 31_000 }]);
});

test('the turn of a refused output costs one transaction, of its request alone, and the output is not sought again', async () => {
  const { publisher, kafka, clock, ofType, published } = await opened();
  const sends = refusesContent(kafka, 'bad:101');
  await assert.rejects(publisher.publish(request('bad', 1, 2)), withCode('OUTPUT_REFUSED'));
  const before = ofType('reopening').length;
  sends.length = 0;
  clock.advance(2_000);
  const turn = publisher.publish(request('bad', 1, 2));
  const other = publisher.publish(request('s', 1, 1));
  await assert.rejects(turn, withCode('OUTPUT_REFUSED'));
  await other;
  assert.deepEqual([sends, ofType('reopening').length - before], [[['bad:101'], ['s:101']], 1]);
  sends.length = 0;
  clock.advance(8_000);
  const behind = [publisher.publish(request('s', 2, 2)), publisher.publish(request('bad', 1, 2))];
  await assert.rejects(behind[1]!, withCode('OUTPUT_REFUSED'));
  await behind[0];
  assert.deepEqual(sends, [['s:102'], ['bad:101']], 'what comes before it is committed without it');
  assert.deepEqual(
    ofType('outputRefused').map(({ turns, held }) => [turns, held]),
    [
      [1, 1],
      [2, 1],
      [3, 1],
    ],
  );
  assert.deepEqual(published(), ['s:101', 's:102']);
});

test('a held output is not taken when something before it is asked for again', async () => {
  const { publisher, kafka, ofType, published } = await opened();
  refusesContent(kafka, 'u:103');
  await assert.rejects(publisher.publish(request('u', 1, 3)), withCode('OUTPUT_REFUSED'));
  await publisher.publish(request('u', 1, 1));
  await publisher.publish(request('u', 1, 2));
  assert.deepEqual([published(), ofType('outputTaken')], [['u:101', 'u:102'], []]);
});

test('what was published meanwhile is answered by the ledger, whatever the topic takes now; the other stream is judged by itself', async () => {
  const { publisher, kafka, clock, rooms, ofType, first, commit } = await committing(request(LONG, 1, 1));
  const repeat = publisher.publish(request(LONG, 1, 1));
  kafka.settings.set('out', SMALL_TOPIC);
  clock.advance(31_000);
  await rooms.of('out');
  await soon();
  assert.equal(rooms.limit('out'), 2_000);
  commit();
  await Promise.all([first, repeat]);
  assert.deepEqual([ofType('outputRefused'), ofType('outputTaken')], [[], []]);
  const resolved = publisher.publish(request(LONG, 1, 1, { stream: 'resolved' }));
  await assert.rejects(resolved, withCode('OUTPUT_REFUSED'));
  assert.equal(publisher.state, 'ready');
});
