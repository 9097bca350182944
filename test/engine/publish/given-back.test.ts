/** Requests that are not published: each is given back in time, and holds up no other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { gate, settled } from '../../support/gate.ts';
import { request, withCode } from '../../support/publishing.ts';
import { world } from './world.ts';

test('a request that cannot be encoded fails alone', async (t) => {
  const { owner, published } = world(t);
  const { publisher } = await owner('a');
  const broken = { ...request('u', 1, 1), outputs: [null as never] };
  await assert.rejects(publisher.publish(broken), TypeError);
  await publisher.publish(request('u', 1, 1));
  assert.deepEqual(published(), ['u:101']);
});

test('a request that Kafka never takes is given back, and does not hold up the others', async (t) => {
  const { owner, published, kafka } = world(t);
  const { publisher } = await owner('a');
  kafka.intercept = ({ records }, when) => {
    if (when === 'before' && records?.some(({ key }) => key === '"poison"')) {
      throw new CodedError('KAFKA', 'MESSAGE_TOO_LARGE');
    }
  };
  const poison = publisher.publish(request('poison', 1, 1));
  poison.catch(() => undefined);
  await Promise.all(['a', 'b', 'c'].map((user) => publisher.publish(request(user, 1, 1))));
  await assert.rejects(poison, withCode('OUTPUT_REFUSED'));
  assert.deepEqual(published().sort(), ['a:101', 'b:101', 'c:101']);
});

test('requests are given back when Kafka stays away, and published when it is back', async (t) => {
  const { owner, published, kafka, clock } = world(t);
  const { publisher } = await owner('a');
  kafka.intercept = () => {
    throw new CodedError('KAFKA', 'no broker');
  };
  const early = publisher.publish(request('u', 1, 1));
  early.catch(() => undefined);
  assert.equal(await settled(early), false);
  for (let step = 0; step < 5; step++) {
    clock.advance(5_000);
    await settled(early);
  }
  await assert.rejects(early, withCode('KAFKA'));
  const late = publisher.publish(request('u', 1, 1));
  kafka.intercept = () => undefined;
  clock.advance(5_000);
  await late;
  assert.deepEqual(published(), ['u:101']);
});

test('requests are given back while a taking of the shard takes long', async (t) => {
  const { owner, published, kafka, clock } = world(t);
  const { publisher } = await owner('a');
  const slow = gate();
  let armed = true;
  kafka.intercept = async ({ api }, when) => {
    if (api === 'commit' && when === 'before' && armed) {
      armed = false;
      throw new CodedError('KAFKA', 'connection lost');
    }
    if (api === 'fence' && when === 'before') await slow.pass();
  };
  const early = publisher.publish(request('u', 1, 1));
  early.catch(() => undefined);
  await slow.reached;
  clock.advance(19_000);
  assert.equal(await settled(early), false);
  clock.advance(2_000);
  await assert.rejects(early, withCode('KAFKA'));
  slow.open();
  await publisher.publish(request('u', 1, 1));
  assert.deepEqual(published(), ['u:101']);
});
