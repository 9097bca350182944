/** The traps of kafkajs' transactions, on a real broker. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutRecord } from '../../../../src/engine/kafka/port.ts';
import { eventually } from '../../../support/eventually.ts';
import { API, fault, kafkaLab, uniqueId } from '../../../support/kafka-lab.ts';
import { withCode } from '../../../support/publishing.ts';
import { publish } from '../../../../src/library/conformance/lab.ts';

const record = (value: string, key: Buffer | string | null = null): OutRecord => ({ key, value });

test('transactions follow one another on one producer, and send tells the first offset', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic(2);
  const producer = await lab.port().fence(uniqueId('tx'));
  assert.equal(await publish(producer, topic, ['a', 'b']), 0);
  // Two records and the transaction's marker.
  assert.equal(await publish(producer, topic, ['c']), 3);
  assert.equal(await publish(producer, topic, ['other'], 1), 0);
  assert.deepEqual(await lab.committed(topic), ['a', 'b', 'c']);
});

test('records of overlapping aborted transactions are not shown', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const [a, b, c] = [await lab.rawProducer(), await lab.rawProducer(), await lab.rawProducer()];
  const message = (value: string) => ({ topic, messages: [{ partition: 0, value }] });
  // B begins first, A aborts first.
  const tb = await b.transaction();
  await tb.send(message('B-aborted-1'));
  const ta = await a.transaction();
  await ta.send(message('A-aborted-1'));
  await tb.send(message('B-aborted-2'));
  await ta.abort();
  await tb.send(message('B-aborted-3'));
  await tb.abort();
  const tc = await c.transaction();
  await tc.send(message('C-committed'));
  await tc.commit();
  assert.deepEqual(await lab.committed(topic), ['C-committed']);
});

test('a record whose key is four zero bytes is data: it ends no aborted transaction', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const raw = await lab.rawProducer();
  const aborted = await raw.transaction();
  await aborted.send({
    topic,
    messages: [
      { partition: 0, value: 'aborted-1' },
      { partition: 0, key: Buffer.alloc(4), value: 'aborted-2' },
      { partition: 0, value: 'aborted-3' },
    ],
  });
  await aborted.abort();
  const producer = await lab.port().fence(uniqueId('tx'));
  const transaction = await producer.begin();
  await transaction.send(topic, 0, [record('committed', Buffer.alloc(4))]);
  await transaction.commit();
  assert.deepEqual(await lab.committed(topic), ['committed']);
});

test('a send to a partition that does not exist is refused, not swallowed', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic(1);
  const producer = await lab.port().fence(uniqueId('tx'));
  const transaction = await producer.begin();
  await assert.rejects(transaction.send(topic, 7, [record('lost')]), /was answered for \[\]/);
  await assert.rejects(transaction.commit(), withCode('KAFKA'));
  await assert.rejects(producer.begin(), withCode('KAFKA'));
});

for (const [lost, expected] of [
  ['request', ['before', 'after']],
  ['answer', ['before', 'in doubt', 'after']],
] as const) {
  test(`a commit whose ${lost} is lost leaves the producer unusable, and fencing decides the transaction`, async (t) => {
    const lab = await kafkaLab(t);
    const topic = await lab.topic();
    const id = uniqueId('tx');
    const broken = fault();
    const producer = await lab.port(broken.socketFactory).fence(id);
    await publish(producer, topic, ['before']);

    const transaction = await producer.begin();
    await transaction.send(topic, 0, [record('in doubt')]);
    broken.arm(API.endTxn, lost);
    await assert.rejects(transaction.commit(), withCode('KAFKA'));
    assert.ok(broken.done());
    await assert.rejects(transaction.send(topic, 0, [record('never')]), withCode('KAFKA'));
    await assert.rejects(producer.begin(), withCode('KAFKA'));

    const next = await lab.port().fence(id);
    await publish(next, topic, ['after']);
    assert.deepEqual(await lab.committed(topic), expected);
  });
}

for (const api of ['produce', 'addPartitionsToTxn'] as const) {
  for (const lost of ['request', 'answer'] as const) {
    test(`a lost ${lost} of ${api} writes nothing twice`, async (t) => {
      const lab = await kafkaLab(t);
      const topic = await lab.topic();
      const id = uniqueId('tx');
      const broken = fault();
      const port = lab.port(broken.socketFactory);
      const producer = await port.fence(id);
      broken.arm(API[api], lost);
      // kafkajs repeats these requests itself, with the same sequence numbers; if it gives up, so does the producer.
      const written = await publish(producer, topic, ['once']).then(
        () => true,
        () => false,
      );
      assert.ok(broken.done());
      if (!written) await publish(await port.fence(id), topic, ['once']);
      assert.deepEqual(await lab.committed(topic), ['once']);
    });
  }
}

test('a zombie is fenced, on the partition that it has written to and on others', async (t) => {
  const lab = await kafkaLab(t);
  const [topic, untouched] = [await lab.topic(), await lab.topic()];
  for (const target of [topic, untouched]) {
    const id = uniqueId('tx');
    const zombie = await lab.port().fence(id);
    const transaction = await zombie.begin();
    await transaction.send(topic, 0, [record('zombie')]);
    const owner = await lab.port().fence(id);
    await publish(owner, topic, ['owner']);
    await assert.rejects(transaction.send(target, 0, [record('zombie')]), withCode('FENCED'));
  }
  const id = uniqueId('tx');
  const zombie = await lab.port().fence(id);
  const transaction = await zombie.begin();
  await transaction.send(topic, 0, [record('zombie')]);
  await lab.port().fence(id);
  await assert.rejects(transaction.commit(), withCode('FENCED'));
  assert.deepEqual(await lab.committed(topic), ['owner', 'owner']);
  assert.deepEqual(await lab.committed(untouched), []);
});

test('offsets with metadata appear with the commit of their transaction', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic(2);
  const group = uniqueId('group');
  const port = lab.port();
  const places = [
    { topic, partition: 0 },
    { topic, partition: 1 },
  ];
  const producer = await port.fence(uniqueId('tx'));
  const transaction = await producer.begin();
  await transaction.send(topic, 1, [record('x')]);
  await transaction.sendOffsets(group, [{ topic, partition: 0, offset: 5, metadata: 'watermark 17' }]);
  const none = { offset: null, metadata: '' };
  assert.deepEqual(
    await port.committedOffsets(group, places),
    places.map((place) => ({ ...place, ...none })),
  );
  await transaction.commit();
  const offsets = await eventually('the offset', async () => {
    const found = await port.committedOffsets(group, places);
    return found[0]?.offset !== null && found;
  });
  assert.deepEqual(offsets, [
    { topic, partition: 0, offset: 5, metadata: 'watermark 17' },
    { topic, partition: 1, ...none },
  ]);
});

test('transactions that commit offsets follow one another (AddOffsetsToTxn meets CONCURRENT_TRANSACTIONS)', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const group = uniqueId('group');
  const port = lab.port();
  const producer = await port.fence(uniqueId('tx'));
  for (let offset = 1; offset <= 30; offset++) {
    const transaction = await producer.begin();
    await transaction.sendOffsets(group, [{ topic, partition: 0, offset, metadata: `${offset}` }]);
    await transaction.commit();
  }
  await eventually('the last offset', async () => {
    const [found] = await port.committedOffsets(group, [{ topic, partition: 0 }]);
    return found?.offset === 30 && found.metadata === '30';
  });
});

test('who takes the transactional id next sees all offsets that were committed', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const [group, id] = [uniqueId('group'), uniqueId('tx')];
  const port = lab.port();
  for (let offset = 1; offset <= 10; offset++) {
    const producer = await port.fence(id);
    const [found] = await port.committedOffsets(group, [{ topic, partition: 0 }]);
    assert.equal(found?.offset ?? 0, offset - 1);
    const transaction = await producer.begin();
    await transaction.sendOffsets(group, [{ topic, partition: 0, offset, metadata: '' }]);
    await transaction.commit();
  }
});

test('a zombie commits no offsets', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const [group, id] = [uniqueId('group'), uniqueId('tx')];
  const port = lab.port();
  const zombie = await (await port.fence(id)).begin();
  await zombie.sendOffsets(group, [{ topic, partition: 0, offset: 9, metadata: '' }]);
  await port.fence(id);
  await assert.rejects(zombie.commit(), withCode('FENCED'));
  assert.equal((await port.committedOffsets(group, [{ topic, partition: 0 }]))[0]?.offset, null);
});

test('a closed producer refuses everything', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const producer = await lab.port().fence(uniqueId('tx'));
  const transaction = await producer.begin();
  await producer.close();
  await assert.rejects(transaction.send(topic, 0, [record('x')]), withCode('KAFKA'));
  await producer.close();
});
