import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupHandlers, KafkaPort } from '../../../src/engine/kafka/port.ts';
import { loadConfig } from '../../../src/money/config.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';
import { watchKafka } from '../../../src/tools/top/watch.ts';

test('a member that an outage has ended joins again, until the view is closed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const joined: GroupHandlers[] = [];
  let away = false;
  const kafka = {
    partitionCounts: async (topics: readonly string[]) => topics.map(() => 1),
    joinGroup: () => ({
      async start(handlers: GroupHandlers) {
        joined.push(handlers);
        if (away) throw new Error('no broker');
      },
      stop: async () => undefined,
    }),
  } as unknown as KafkaPort;
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 10; n += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const watch = await watchKafka(kafka, loadConfig({}), () => 0);
  assert.equal(joined.length, 1);

  away = true;
  joined[0]!.onCrash(new Error('the session has timed out'));
  t.mock.timers.tick(5_000);
  await settle();
  assert.equal(joined.length, 2, 'it has tried, in vain');
  away = false;
  t.mock.timers.tick(5_000);
  await settle();
  assert.equal(joined.length, 3);
  t.mock.timers.tick(60_000);
  await settle();
  assert.equal(joined.length, 3, 'it is there');

  await watch.close();
  joined[2]!.onCrash(new Error('closed'));
  t.mock.timers.tick(60_000);
  await settle();
  assert.equal(joined.length, 3);
});

test('a partition without a leader hides nothing of the others, and is named', async (t) => {
  const kafka = new KafkaInMemory();
  const { topics } = loadConfig({});
  const inputs = [topics.user, topics.session, topics.money];
  for (const topic of [...inputs, topics.output, topics.deadLetter]) kafka.createTopic(topic, 2);
  const record = { key: null, value: Buffer.from('{}'), timestamp: 1, headers: {} };
  for (const partition of [0, 1]) kafka.append(topics.money, partition, record);
  kafka.setLeaderless(topics.user, 0, true);
  const watch = await watchKafka(kafka.port('top'), loadConfig({}), () => 0);
  t.after(() => watch.close());
  const first = await watch.look();
  assert.deepEqual(first.withoutLeader, [`${topics.user}-0`]);
  assert.deepEqual(
    first.partitions.map(({ lag }) => lag),
    [1, 1],
  );

  kafka.setLeaderless(topics.user, 0, false);
  kafka.append(topics.money, 0, record);
  assert.deepEqual((await watch.look()).withoutLeader, []);
  kafka.setLeaderless(topics.money, 0, true);
  kafka.append(topics.money, 1, record);
  const last = await watch.look();
  assert.deepEqual(last.withoutLeader, [`${topics.money}-0`]);
  assert.deepEqual(
    last.partitions.map(({ lag }) => lag),
    [2, 2],
    'what it was before, and what the other is now',
  );
});
