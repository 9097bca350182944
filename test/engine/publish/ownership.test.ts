/** Who owns a shard: it passes from process to process, and at no time two of them publish. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import type { KafkaPort } from '../../../src/engine/kafka/port.ts';
import { eventually } from '../../support/eventually.ts';
import { gate, settled } from '../../support/gate.ts';
import { request, withCode } from '../../support/publishing.ts';
import { GROUP, ofType, world } from './world.ts';

test('a transaction that was fenced means the shard is lost, and another process goes on', async (t) => {
  const { owner, start, published, kafka } = world(t);
  const a = await owner('a');
  await a.publisher.publish(request('u', 1, 1));
  const b = await start('b');
  kafka.rebalance(GROUP, ['a']);
  await eventually('b owns the shard', () => b.shards.has(0));
  await assert.rejects(a.publisher.publish(request('u', 2, 2)), withCode('SHARD_NOT_OWNED'));
  await eventually('a knows', () => a.shards.size === 0);
  await b.publish(request('u', 2, 2));
  assert.deepEqual(published(), ['u:101', 'u:102']);
});

test('an owner that was fenced unawares does not report a gap (gap judged by a stale owner)', async (t) => {
  const { owner, start, published, kafka } = world(t);
  const a = await owner('a');
  await a.publisher.publish(request('u', 1, 1));
  const b = await start('b');
  kafka.rebalance(GROUP, ['a']);
  await b.publish(request('u', 2, 5));
  // To a's ledger, which ends at 1, this is a gap.
  await assert.rejects(a.publisher.publish(request('u', 6, 6)), withCode('SHARD_NOT_OWNED'));
  assert.deepEqual(published(), ['u:101', 'u:102', 'u:103', 'u:104', 'u:105']);
});

test('an old owner that recovers leaves the shard to the new one (fencing ping-pong)', async (t) => {
  const { owner, start, published, kafka, clock } = world(t);
  const a = await owner('a');
  await a.publisher.publish(request('u', 1, 1));
  const b = await start('b');
  kafka.rebalance(GROUP, ['a']);
  await b.publish(request('u', 2, 2));

  // a meets an error that tells nothing of b, takes the shard again, and finds b's sentinel after its own.
  let armed = true;
  kafka.intercept = ({ api, process }, when) => {
    if (!armed || process !== 'a' || api !== 'send' || when !== 'before') return;
    armed = false;
    throw new CodedError('KAFKA', 'connection lost');
  };
  await assert.rejects(a.publisher.publish(request('u', 2, 3)), withCode('SHARD_NOT_OWNED'));
  assert.equal(ofType(a.events, 'lost').length, 1);

  // b was fenced by that and takes the shard again; a has heard of the rebalance meanwhile, and stays away.
  const again = b.publish(request('u', 3, 3));
  again.catch(() => undefined);
  await eventually('b is fenced', () => ofType(b.events, 'lost').length === 1);
  await a.ownership.stop();
  clock.advance(15_000);
  await eventually('b has the shard again', () => b.shards.has(0));
  await b.publish(request('u', 3, 3));
  assert.deepEqual(published(), ['u:101', 'u:102', 'u:103']);
  assert.equal(kafka.fences.length, 4);
});

test('a shard lost by fencing is taken again after a while when its partition is still ours', async (t) => {
  const { owner, published, kafka, clock } = world(t);
  const a = await owner('a');
  await a.publisher.publish(request('u', 1, 1));
  const stranger = await kafka.port('stranger').fence('app-shard-0');
  await assert.rejects(a.publisher.publish(request('u', 2, 2)), withCode('SHARD_NOT_OWNED'));
  await stranger.close();
  assert.equal(a.shards.size, 0);
  clock.advance(4_999);
  await settled(new Promise(() => undefined));
  assert.equal(kafka.fences.length, 2);
  clock.advance(10_001);
  await a.publish(request('u', 2, 2));
  assert.deepEqual(published(), ['u:101', 'u:102']);
});

test('a shard lost by fencing is not taken back by a process that is out of the group without knowing it', async (t) => {
  const { start, published, kafka, clock } = world(t);
  const port = kafka.port('a');
  const unheard: KafkaPort = {
    ...port,
    joinGroup: (options) => {
      const member = port.joinGroup(options);
      return {
        start: (handlers) => member.start(handlers),
        pause: (topic, partition) => member.pause(topic, partition),
        resume: (topic, partition) => member.resume(topic, partition),
        seek: (topic, partition, offset) => member.seek(topic, partition, offset),
        confirmed: () => new Promise(() => undefined), // its heartbeats go to a coordinator that is none any more
        stop: () => member.stop(),
      };
    },
  };
  const a = await start('a', unheard);
  await a.publish(request('u', 1, 1));
  const taken = a.shards.get(0)!;
  const b = await start('b');
  kafka.rebalance(GROUP, ['a']);
  await b.publish(request('u', 2, 2));
  await assert.rejects(taken.publish(request('u', 2, 2)), withCode('SHARD_NOT_OWNED'));
  clock.advance(15_000);
  await settled(new Promise(() => undefined));
  await b.publish(request('u', 3, 3));
  assert.deepEqual(
    [published(), kafka.fences.length, ofType(b.events, 'lost').length],
    [['u:101', 'u:102', 'u:103'], 2, 0],
  );
});

test('a shard that stays over a rebalance is neither fenced nor read again', async (t) => {
  const { owner, start, kafka } = world(t, 4);
  const a = await owner('a');
  assert.equal(kafka.fences.length, 4);
  const b = await start('b');
  await eventually('b has two shards', () => b.shards.size === 2 && a.shards.size === 2);
  assert.equal(kafka.fences.length, 6);
  await b.ownership.stop();
  await eventually('a has all again', () => a.shards.size === 4);
  assert.equal(kafka.fences.length, 8);
  const [kept = -1] = [0, 1, 2, 3].filter(
    (shard) => kafka.fences.filter((id) => id === `app-shard-${shard}`).length === 1,
  );
  assert.equal(ofType(a.events, 'opened').filter((event) => event.shard === kept).length, 1);
});

test('closing finishes the transaction under way and refuses the rest', async (t) => {
  const { owner, published, kafka } = world(t);
  const { publisher, ownership, shards } = await owner('a');
  const commit = gate();
  kafka.intercept = async ({ api }, when) => {
    if (api === 'commit' && when === 'before') await commit.pass();
  };
  const first = publisher.publish(request('u', 1, 1));
  await commit.reached;
  const second = publisher.publish(request('u', 2, 2));
  const stopped = ownership.stop();
  await assert.rejects(second, withCode('SHARD_NOT_OWNED'));
  assert.equal(shards.size, 0);
  commit.open();
  await Promise.all([first, stopped]);
  await assert.rejects(publisher.publish(request('u', 2, 2)), withCode('SHARD_NOT_OWNED'));
  assert.deepEqual(published(), ['u:101']);
});
