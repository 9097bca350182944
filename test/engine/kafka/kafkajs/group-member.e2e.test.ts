/** Group membership on a real broker. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKafka } from '../../../../src/engine/kafka/kafkajs/create-kafka.ts';
import type { KafkaPort } from '../../../../src/engine/kafka/port.ts';
import { silentLogger } from '../../../../src/engine/log.ts';
import { eventually } from '../../../support/eventually.ts';
import { kafkaLab, uniqueId } from '../../../support/kafka-lab.ts';
import type { Seen } from '../../../support/kafka-lab.ts';
import { withCode } from '../../../support/publishing.ts';

async function write(port: KafkaPort, topic: string, partition: number, values: readonly string[]): Promise<void> {
  const producer = await port.fence(uniqueId('writer'));
  const transaction = await producer.begin();
  await transaction.send(
    topic,
    partition,
    values.map((value) => ({ key: null, value })),
  );
  await transaction.commit();
  await producer.close();
}

const owned = (seen: Seen): readonly number[] => seen.assignments.at(-1) ?? [];

test('a member reads from the beginning, batches join, and the last one reaches the end', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const port = lab.port();
  await write(port, topic, 0, ['a', 'b']);
  await write(port, topic, 0, ['c']);
  const seen = await lab.member(port, uniqueId('group'), [topic]);
  await eventually('all is read', () => seen.batches.at(-1)?.next === 5);
  assert.deepEqual(seen.values(), ['a', 'b', 'c']);
  assert.equal(seen.batches[0]?.fetchedFrom, 0);
  for (const [index, batch] of seen.batches.entries()) {
    if (index > 0) assert.equal(batch.fetchedFrom, seen.batches[index - 1]?.next);
  }
  assert.equal(seen.batches.at(-1)?.end, 5);
});

test('nothing is delivered before onAssigned has resolved, and reading starts at what is committed by then', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const group = uniqueId('group');
  const port = lab.port();
  await write(port, topic, 0, ['a', 'b', 'c']);
  let ready = false;
  const early: boolean[] = [];
  const seen = await lab.member(port, group, [topic], {
    async onAssigned() {
      // A holder before us commits while we take over. kafkajs cannot ask for stable offsets only (OffsetFetch before version 7),
      // so that what was committed a moment ago may not be seen yet; fencing waits for it.
      const transactionalId = uniqueId('tx');
      const producer = await port.fence(transactionalId);
      const transaction = await producer.begin();
      await transaction.sendOffsets(group, [{ topic, partition: 0, offset: 2, metadata: '' }]);
      await transaction.commit();
      await producer.close();
      await (await port.fence(transactionalId)).close();
      ready = true;
    },
    onRecords: async () => void early.push(!ready),
  });
  await eventually('the rest is read', () => seen.values().includes('c'));
  assert.deepEqual(seen.values(), ['c']);
  assert.ok(!early.includes(true));
});

test('pause holds back, resume goes on, seek goes back', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic(2);
  const port = lab.port();
  await write(port, topic, 0, ['a0', 'b0', 'c0']);
  const seen = await lab.member(port, uniqueId('group'), [topic]);
  await eventually('partition 0 is read', () => seen.values().includes('c0'));
  seen.member.pause(topic, 0);
  await write(port, topic, 0, ['d0']);
  await write(port, topic, 1, ['a1']);
  await eventually('partition 1 is read', () => seen.values().includes('a1'));
  assert.ok(!seen.values().includes('d0'));
  seen.member.resume(topic, 0);
  await eventually('partition 0 goes on', () => seen.values().includes('d0'));
  seen.batches.length = 0;
  seen.member.seek(topic, 0, 1);
  await eventually('partition 0 is read again', () => seen.values().includes('d0'));
  assert.deepEqual(seen.values(), ['b0', 'c0', 'd0']);
  assert.equal(seen.batches[0]?.fetchedFrom, 1);
});

test('what holds nothing but aborted records is delivered empty, so that the end is seen', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const raw = await lab.rawProducer();
  const aborted = await raw.transaction();
  await aborted.send({ topic, messages: [{ partition: 0, value: 'aborted' }] });
  await aborted.abort();
  const port = lab.port();
  const seen = await lab.member(port, uniqueId('group'), [topic]);
  await eventually(
    'the abortion is written',
    async () => (await port.endOffsets([{ topic, partition: 0 }]))[0]?.end === 2,
  );
  await eventually('the end is reached', () => seen.batches.at(-1)?.next === 2);
  assert.deepEqual(seen.values(), []);
});

test('records behind an open transaction are not the end of the partition', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const port = lab.port();
  await write(port, topic, 0, ['a']);
  const raw = await lab.rawProducer();
  const open = await raw.transaction();
  await open.send({ topic, messages: [{ partition: 0, value: 'open' }] });
  await eventually('the end is before the open transaction', async () => {
    const [found] = await port.endOffsets([{ topic, partition: 0 }]);
    return found?.start === 0 && found.end === 2;
  });
  const seen = await lab.member(port, uniqueId('group'), [topic]);
  await eventually('a is read', () => seen.batches.at(-1)?.next === 2);
  assert.equal(seen.batches.at(-1)?.end, 2);
  await open.commit();
  await eventually('the transaction is read', () => seen.values().includes('open'));
});

test('two members share whole partition numbers, and nothing moves without need', async (t) => {
  const lab = await kafkaLab(t);
  const topics = [await lab.topic(4), await lab.topic(4)];
  const group = uniqueId('group');
  const [portA, portB] = [lab.port(), lab.port()];
  for (const topic of topics) for (let p = 0; p < 4; p++) await write(portA, topic, p, [`${p}`]);

  const a = await lab.member(portA, group, topics);
  await eventually('a has all', () => owned(a).length === 4);
  const b = await lab.member(portB, group, topics);
  await eventually('they share', () => owned(a).length === 2 && owned(b).length === 2, 30_000);
  assert.deepEqual([...owned(a), ...owned(b)].sort(), [0, 1, 2, 3]);
  const kept = owned(a);
  // Both topics of a partition number come to the same member.
  await eventually('b reads its share', () => b.values().length === 4, 30_000);
  assert.deepEqual([...new Set(b.batches.map(({ partition }) => partition))].sort(), owned(b));
  assert.equal(new Set(b.batches.map(({ topic }) => topic)).size, 2);

  await b.member.stop();
  await eventually('a has all again', () => owned(a).length === 4, 30_000);
  const c = await lab.member(portB, group, topics);
  await eventually('a and c share', () => owned(a).length === 2 && owned(c).length === 2, 30_000);
  assert.ok(owned(a).every((p) => p < 4) && kept.length === 2);
});

test('topics with different partition counts, or none, are refused at the start', async (t) => {
  const lab = await kafkaLab(t);
  const [four, two] = [await lab.topic(4), await lab.topic(2)];
  await assert.rejects(lab.member(lab.port(), uniqueId('group'), [four, two]), withCode('TOPIC'));
  await assert.rejects(lab.member(lab.port(), uniqueId('group'), [uniqueId('missing')]), withCode('TOPIC'));
});

test('an error of onAssigned is a crash, once', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const seen = await lab
    .member(lab.port(), uniqueId('group'), [topic], {
      onAssigned: async () => {
        throw new Error('cannot take over');
      },
    })
    .catch((error: unknown) => error as Error);
  if (seen instanceof Error) assert.match(seen.message, /cannot take over/);
  else {
    await eventually('the crash', () => seen.crashes.length > 0);
    assert.equal(seen.crashes.length, 1);
    assert.match(seen.crashes[0]?.message ?? '', /cannot take over/);
  }
});

test('a member stops at any moment', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const port = lab.port();
  const group = uniqueId('group');
  const handlers = {
    onAssigned: () => new Promise<void>(() => undefined),
    onRecords: async () => undefined,
    onCrash: () => undefined,
  };
  await write(port, topic, 0, ['a']);
  const waiting = port.joinGroup({ groupId: group, topics: [topic] });
  await waiting.start(handlers);
  await waiting.stop();
  const starting = port.joinGroup({ groupId: group, topics: [topic] });
  const started = starting.start(handlers).catch(() => undefined);
  await starting.stop();
  await started;
  const never = port.joinGroup({ groupId: group, topics: [topic] });
  await never.stop();
});

test('a static member that comes back gets what it had, and the group does not notice; one that is replaced is told so', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic(4);
  const group = uniqueId('group');
  const join = (id: string) => lab.member(lab.port(), group, [topic], {}, { id, timeout: 6_000 });
  const one = await join('one');
  const two = await join('two');
  await eventually('both have their share', () => owned(one).length === 2 && owned(two).length === 2);
  const [share, before] = [owned(one), two.assignments.length];

  // The first one leads the group: it assigned the partitions.
  await one.member.stop();
  const again = await join('one');
  await eventually('it has its share again', () => owned(again).length > 0);
  assert.deepEqual(again.assignments, [share]);
  await two.member.confirmed?.();
  await two.member.stop();
  const twoAgain = await join('two');
  await eventually('it has its share again', () => owned(twoAgain).length > 0);
  await again.member.confirmed?.();
  assert.deepEqual([two.assignments.length, again.assignments, again.crashes], [before, [share], []]);

  const stranger = await join('one');
  await eventually('the one before is told', () => again.crashes.length > 0);
  assert.match(again.crashes[0]!.message, /another process has joined with the same group instance id/);
  assert.ok(withCode('CONFIG')(again.crashes[0]));
  await stranger.member.confirmed?.();
  await twoAgain.member.confirmed?.();
  assert.deepEqual([stranger.assignments, stranger.crashes], [[share], []]);

  // Who does not come back is gone after its session timeout.
  await stranger.member.stop();
  await eventually('the other has all', () => owned(twoAgain).length === 4, 30_000);
});

test('a session timeout that the brokers do not take is said, with their settings; one that they take is taken', async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic();
  const portWith = (sessionTimeout: number) => {
    const port = createKafka({ ...lab.config, sessionTimeout }, silentLogger());
    t.after(() => port.close());
    return port;
  };
  // As src/dev/kafka-settings.ts has it, the least is 500.
  await assert.rejects(lab.member(portWith(499), uniqueId('group'), [topic]), (error: Error) => {
    assert.ok(withCode('CONFIG')(error), error.message);
    assert.match(
      error.message,
      /^the member of group .* failed: .*group\.min\.session\.timeout\.ms.*\(KAFKA_SESSION_TIMEOUT/,
    );
    return true;
  });
  const seen = await lab.member(portWith(3_000), uniqueId('group'), [topic]);
  await eventually('it has the partition', () => owned(seen).length === 1);
});
