import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptLogs } from '../../src/bridge/accept-logs.ts';
import { encodeMetadata } from '../../src/bridge/checkpoint.ts';
import { readPlace } from '../../src/bridge/committed-place.ts';
import { createClient, PATIENT_RETRY } from '../../src/kafka/client.ts';
import { openTransactions } from '../../src/kafka/open-transactions.ts';
import { silentLogger } from '../../src/log.ts';
import { eventually } from '../support/eventually.ts';
import { kafkaLab, uniqueId } from '../support/kafka-lab.ts';

test('a topic that was deleted and made anew on a real broker is not taken for the old one, and goes on when a person has decided', async (t) => {
  const lab = await kafkaLab(t);
  const kafka = lab.port();
  const inputTopics = [await lab.topic(1), await lab.topic(1), await lab.topic(1)] as const;
  const appId = uniqueId('app');
  const options = { groupId: `${appId}-bridge`, partition: 0, inputTopics };
  const send = async (topic: string, offset: number, metadata = '') => {
    const producer = await kafka.fence(`${appId}-bridge-0`);
    const transaction = await producer.begin();
    await transaction.send(topic, 0, [{ key: 'k', value: 'v' }, { key: 'k', value: 'v' }]);
    await transaction.sendOffsets(options.groupId, inputTopics.map((each) => ({ topic: each, partition: 0, offset: each === topic ? offset : 0, metadata })));
    await transaction.commit();
    await producer.close();
  };

  /** As a bridge does: whoever fences sees all that was committed. */
  const place = async () => {
    await (await kafka.fence(`${appId}-bridge-0`)).close();
    return readPlace(kafka, options);
  };

  const first = await place();
  assert.ok(first.logs.names.every((name) => name.length === 11), 'real brokers have ids');
  assert.deepEqual([first.logs.partitions, first.committed.start.next], [1, [0, 0, 0]]);
  await send(inputTopics[2], 2, encodeMetadata({ maxTs: 1, watermark: 1, deadLettersBelow: 2, logs: first.logs }));
  assert.deepEqual((await place()).committed.start.next, [0, 0, 2]);

  const client = createClient(lab.config, silentLogger(), { retry: PATIENT_RETRY });
  const admin = client.kafka.admin();
  await admin.connect();
  t.after(async () => {
    await admin.disconnect();
    client.destroy();
  });
  await admin.deleteTopics({ topics: [inputTopics[2]] });
  await eventually('the topic to be gone', async () => (await kafka.partitionCounts([inputTopics[2]]))[0] === null);
  await admin.createTopics({ topics: [{ topic: inputTopics[2], numPartitions: 1 }], waitForLeaders: true });
  await assert.rejects(place(), { code: 'LOG_CHANGED', message: new RegExp(`^${inputTopics[2]}, partition 0 belongs to another topic of that name`) });

  const accepted = await acceptLogs(kafka, { ...options, appId, partitions: 1, topics: [inputTopics[2]], from: 'beginning', dryRun: false });
  assert.deepEqual(accepted.map(({ topic, offset }) => [topic, offset]), [[inputTopics[2], 0]]);
  const { logs, committed } = await place();
  assert.deepEqual(committed.start.next, [0, 0, 0]);
  assert.deepEqual([logs.names[0], logs.names[2] === first.logs.names[2]], [first.logs.names[0], false]);
});

test('a transaction of a producer that is open on a real broker is named, and nothing of it once it is over', async (t) => {
  const lab = await kafkaLab(t);
  const kafka = lab.port();
  const topic = await lab.topic(2);
  const producer = await kafka.fence(uniqueId('upstream'));
  const transaction = await producer.begin();
  await transaction.send(topic, 1, [{ key: 'k', value: 'v' }]);
  const [line, ...others] = await openTransactions(kafka, [topic], 2);
  assert.match(line ?? '', new RegExp(`^${topic}, partition 1: .* its 1 offsets from 0 to before 1 are not read`));
  assert.deepEqual(others, []);
  await transaction.commit();
  await eventually('the transaction to be over', async () => (await openTransactions(kafka, [topic], 2)).length === 0);
  await producer.close();
});
