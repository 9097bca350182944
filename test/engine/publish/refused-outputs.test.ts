/** Outputs that the broker does not take: each holds up its own user's stream, and nobody else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import type { ShardEvent } from '../../../src/engine/publish/publisher.ts';
import { RefusedOutputs } from '../../../src/engine/worker/refused-outputs.ts';
import { eventually } from '../../support/eventually.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { request, SECOND_LIFE, startProcess, withCode } from '../../support/publishing.ts';

/** Key and value of its outputs are longer than this. */
const LARGE = 'l'.repeat(3_000);
const refused = withCode('OUTPUT_REFUSED');

async function world(t: TestContext, settings: Record<string, string> = {}, visible = true) {
  const kafka = new KafkaInMemory();
  const clock = new ManualClock();
  kafka.createTopic('out', 1);
  kafka.createTopic('ledger', 1);
  kafka.settings.set('out', settings);
  kafka.settingsVisible = visible;
  const process = await startProcess(kafka.port('w'), {
    name: 'w',
    appId: 'app',
    outputTopic: 'out',
    ledgerTopic: 'ledger',
    shards: 1,
    clock,
  });
  t.after(() => process.ownership.stop());
  const publisher = await eventually('the shard', () => process.shards.get(0));
  return {
    kafka,
    clock,
    publisher,
    events: process.events,
    count: (type: ShardEvent['type']) => process.events.filter((event) => event.type === type).length,
    published: () => kafka.committed('out').map(({ value }) => String(value).replace(LARGE, 'LARGE')),
    sent: () => kafka.fences.length,
  };
}

test('an output larger than the topic takes is not even sent, and the requests beside it are published', async (t) => {
  const { publisher, published, count, events } = await world(t, {
    'max.message.bytes': '2000',
    'compression.type': 'uncompressed',
  });
  const [large, small] = await Promise.allSettled([
    publisher.publish(request(LARGE, 1, 1)),
    publisher.publish(request('s', 1, 2)),
  ]);
  assert.deepEqual([large.status, small.status], ['rejected', 'fulfilled']);
  assert.ok(large.status === 'rejected' && refused(large.reason));
  assert.match(
    String((large as PromiseRejectedResult).reason),
    /output 1 of the workflow started at .* is refused by out.* bytes as written, and max\.message\.bytes is 2000: set max\.message\.bytes of out to \d+ or more/,
  );
  assert.deepEqual([published(), count('reopening')], [['s:101', 's:102'], 0]);
  assert.deepEqual(
    events
      .filter(({ type }) => type === 'outputRefused')
      .map((event) => event.type === 'outputRefused' && [event.held, event.turns]),
    [[1, 1]],
  );
});

for (const visible of [true, false]) {
  test(`the first of a burst to be refused costs the others nothing but a repeat, settings ${visible ? 'seen' : 'not seen'}`, async (t) => {
    const { publisher, published, count, kafka } = await world(
      t,
      { 'max.message.bytes': '2000', 'compression.type': 'uncompressed' },
      visible,
    );
    const users = Array.from({ length: 40 }, (_, n) => `u${n}`);
    const results = await Promise.allSettled([LARGE, ...users].map((user) => publisher.publish(request(user, 1, 1))));
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', ...users.map(() => 'fulfilled')],
    );
    assert.deepEqual(published().toSorted(), users.map((user) => `${user}:101`).toSorted());
    assert.ok(count('reopening') <= (visible ? 0 : 6), `${count('reopening')} reopenings`);
    const fences = kafka.fences.length;
    for (let again = 0; again < 20; again += 1) await assert.rejects(publisher.publish(request(LARGE, 1, 1)), refused);
    assert.equal(kafka.fences.length, fences);
  });
}

test('an output that is refused for its content is found among others, and only it', async (t) => {
  const { publisher, published, count, kafka } = await world(t);
  kafka.intercept = ({ api, topic, records }, when) => {
    if (
      when !== 'before' ||
      api !== 'send' ||
      topic !== 'out' ||
      !records!.some(({ value }) => String(value).startsWith('bad:'))
    ) {
      return;
    }
    throw Object.assign(new CodedError('KAFKA', 'send failed'), { type: 'POLICY_VIOLATION' });
  };
  const users = Array.from({ length: 60 }, (_, n) => `u${n}`);
  const results = await Promise.allSettled([...users, 'bad'].map((user) => publisher.publish(request(user, 1, 3))));
  assert.deepEqual(
    results.map(({ status }) => status),
    [...users.map(() => 'fulfilled'), 'rejected'],
  );
  assert.equal(published().length, 180);
  // Of 183 records: pieces of 12, then of one.
  assert.equal(count('reopening'), 3);
});

test('what comes before a refused output in the same request is published, what follows waits', async (t) => {
  const { publisher, published, kafka } = await world(t);
  kafka.intercept = ({ api, topic, records }, when) => {
    if (
      when === 'before' &&
      api === 'send' &&
      topic === 'out' &&
      records!.some(({ value }) => String(value) === 'u:103')
    ) {
      throw Object.assign(new CodedError('KAFKA', 'send failed'), { type: 'INVALID_RECORD' });
    }
  };
  await assert.rejects(publisher.publish(request('u', 1, 5)), refused);
  await assert.rejects(publisher.publish(request('u', 1, 5)), refused);
  await eventually('what comes before', () => published().length === 2);
  assert.deepEqual(published(), ['u:101', 'u:102']);
  // The other stream and another life of the same user are not concerned.
  await publisher.publish(request('u', 1, 2, { stream: 'resolved' }));
  await publisher.publish(request('u', 1, 2, { incarnation: SECOND_LIFE }));
  assert.equal(published().length, 6);
});

for (const visible of [true, false]) {
  test(`a refused output is published when its turn comes after the limit was raised, settings ${visible ? 'seen' : 'not seen'}`, async (t) => {
    const { publisher, published, kafka, clock, count } = await world(
      t,
      { 'max.message.bytes': '2000', 'compression.type': 'uncompressed' },
      visible,
    );
    await assert.rejects(publisher.publish(request(LARGE, 1, 2)), refused);
    kafka.settings.set('out', { 'max.message.bytes': '100000' });
    await assert.rejects(publisher.publish(request(LARGE, 1, 2)), refused);
    clock.advance(31_000);
    await publisher.publish(request('other', 1, 1));
    await publisher.publish(request(LARGE, 1, 2));
    assert.deepEqual(
      published().filter((value) => value.startsWith('LARGE')),
      ['LARGE:101', 'LARGE:102'],
    );
    assert.equal(count('outputTaken'), 1);
  });
}

test('the turns of a refused output come more and more seldom, each in a transaction of its own', async (t) => {
  const { publisher, kafka, clock, count } = await world(
    t,
    { 'max.message.bytes': '2000', 'compression.type': 'uncompressed' },
    false,
  );
  const sends: string[][] = [];
  kafka.intercept = ({ api, topic, records }, when) =>
    void (
      when === 'before' &&
      api === 'send' &&
      topic === 'out' &&
      sends.push(records!.map(({ value }) => String(value).slice(0, 2)))
    );
  await assert.rejects(publisher.publish(request(LARGE, 1, 1)), refused);
  for (let n = 1; n <= 100; n += 1) {
    clock.advance(1_000);
    await Promise.allSettled([publisher.publish(request('s', n, n)), publisher.publish(request(LARGE, 1, 1))]);
  }
  assert.ok(sends.every((values) => values.length === 1));
  // After 2, 8, 32 and 128 s.
  assert.equal(count('outputRefused'), 4);
  assert.equal(count('reopening'), 4);
});

test('a request of many outputs goes out in batches that a small topic takes', async (t) => {
  const { publisher, published, kafka } = await world(t, { 'max.message.bytes': '2000' });
  let sends = 0;
  kafka.intercept = ({ api, topic }, when) =>
    void (when === 'before' && api === 'send' && topic === 'out' && (sends += 1));
  await publisher.publish(request('u', 1, 500));
  assert.deepEqual(
    published(),
    Array.from({ length: 500 }, (_, n) => `u:${101 + n}`),
  );
  assert.ok(sends > 50 && kafka.fences.length === 1, `${sends} batches`);
});

test('a ledger that takes little holds up nobody', async (t) => {
  const { publisher, published, kafka } = await world(t);
  kafka.settings.set('ledger', { 'max.message.bytes': '1000' });
  await Promise.all(Array.from({ length: 50 }, (_, n) => publisher.publish(request(`u${n}`, 1, 1))));
  assert.equal(published().length, 50);
});

test('refused outputs are named by /readyz after five seconds, until they are taken or their shard is given back', () => {
  const clock = new ManualClock();
  const outputs = new RefusedOutputs(clock, 'out');
  const event = (held: number): ShardEvent => ({
    type: 'outputRefused',
    shard: 1,
    key: 'u',
    turns: 1,
    held,
    error: new Error('no'),
  });
  outputs.observe(event(2));
  assert.deepEqual([outputs.count, outputs.problem], [2, null]);
  clock.advance(6_000);
  assert.equal(outputs.problem, 'out refuses outputs of 2 workflows, for 6 s: the log says why, by workflow');
  outputs.observe({ type: 'outputTaken', shard: 1, key: 'u', held: 0, ms: 1 });
  assert.deepEqual([outputs.count, outputs.problem], [0, null]);
  outputs.observe(event(1));
  outputs.observe({ type: 'closed', shard: 1 });
  assert.equal(outputs.count, 0);
});
