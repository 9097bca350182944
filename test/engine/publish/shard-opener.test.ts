/** How a process that takes a shard learns from its ledger what was published; verification/publish-protocol.pml has the protocol of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupHandlers, GroupMember, KafkaPort, RecordBatch } from '../../../src/engine/kafka/port.ts';
import { OWNER_KEY } from '../../../src/engine/publish/ledger-entry.ts';
import { eventually } from '../../support/eventually.ts';
import { settled } from '../../support/gate.ts';
import { request, withCode } from '../../support/publishing.ts';
import { GROUP, ofType, world } from './world.ts';

test('the sentinel names the owner and is no user', async (t) => {
  const { owner, kafka } = world(t);
  const a = await owner('a');
  const [sentinel] = kafka.committed('ledger');
  assert.equal(String(sentinel?.key), OWNER_KEY);
  assert.match(String(sentinel?.value), /"owner":"a-.*"host":"a"/);
  assert.deepEqual(
    ofType(a.events, 'opened').map((event) => event.type === 'opened' && event.keys),
    [0],
  );
});

test('the next owner knows everything that was published, whatever the size of a fetch', async (t) => {
  const { owner, published, kafka } = world(t);
  kafka.fetchSize = 3;
  const a = await owner('a');
  for (let seq = 1; seq <= 10; seq++) await a.publisher.publish(request('u', seq, seq));
  await a.ownership.stop();
  const b = await owner('b');
  assert.equal(ofType(b.events, 'opened').length, 1);
  await b.publisher.publish(request('u', 8, 11));
  await b.publisher.publish(request('u', 1, 11));
  assert.equal(published().length, 11);
  assert.equal(kafka.fences.length, 2);
});

test('a rebalance in the middle of reading the ledger does no harm', async (t) => {
  const { owner, start, published, kafka } = world(t);
  const a = await owner('a');
  for (let seq = 1; seq <= 20; seq++) await a.publisher.publish(request('u', seq, seq));
  await a.ownership.stop();
  kafka.fetchSize = 2;
  const b = await start('b');
  for (let turn = 0; turn < 6; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    kafka.rebalance(GROUP);
  }
  await b.publish(request('u', 20, 21));
  assert.equal(published().length, 21);
  assert.equal(kafka.fences.length, 2);
});

test('a ledger that does not come is asked for again with a new sentinel', async (t) => {
  const { start, published, kafka, clock } = world(t);
  const port = kafka.port('a');
  let dead = true;
  const deaf: KafkaPort = {
    ...port,
    joinGroup: (options) => {
      const member = port.joinGroup(options);
      const onRecords = (handlers: GroupHandlers) => async (batch: RecordBatch) =>
        dead ? undefined : handlers.onRecords(batch);
      return Object.assign(Object.create(member) as GroupMember, {
        start: (handlers: GroupHandlers) => member.start({ ...handlers, onRecords: onRecords(handlers) }),
        pause: (topic: string, partition: number) => member.pause(topic, partition),
        resume: (topic: string, partition: number) => member.resume(topic, partition),
        seek: (topic: string, partition: number, offset: number) => member.seek(topic, partition, offset),
        stop: () => member.stop(),
      });
    },
  };
  const a = await start('a', deaf);
  await eventually('the sentinel is written', () => kafka.committed('ledger').length === 1);
  for (let step = 0; step < 100 && a.shards.size === 0; step++) {
    clock.advance(2_000);
    await settled(new Promise(() => undefined));
    dead = ofType(a.events, 'reopening').length === 0;
  }
  await a.publish(request('u', 1, 1));
  assert.deepEqual(published(), ['u:101']);
  assert.ok(kafka.fences.length >= 2);
});

test('a foreign record in the ledger keeps the shard shut', async (t) => {
  const { start, kafka, published } = world(t);
  kafka.append('ledger', 0, { key: 'u', value: 'not ours' });
  const a = await start('a');
  await eventually('the shard cannot be opened', () => ofType(a.events, 'reopening').length > 0);
  const [event] = ofType(a.events, 'reopening');
  assert.ok(event?.type === 'reopening' && withCode('DIVERGENCE')(event.error));
  assert.equal(a.shards.size, 0);
  assert.deepEqual(published(), []);
});

test('a tombstone in the ledger forgets the user', async (t) => {
  const { owner, start, published, kafka } = world(t);
  const a = await owner('a');
  await a.publisher.publish(request('u', 1, 1));
  await a.ownership.stop();
  kafka.append('ledger', 0, { key: 'u', value: null });
  const b = await start('b');
  await b.publish(request('u', 1, 1));
  assert.deepEqual(published(), ['u:101', 'u:101']);
});
