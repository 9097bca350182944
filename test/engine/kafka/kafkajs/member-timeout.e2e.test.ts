/** A broker whose members have to be silent for six seconds before they count as dead, as brokers have it unless they are told otherwise. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDataFolder } from '../../../../src/dev/data-folder.ts';
import { startKafkaBroker } from '../../../../src/dev/kafka-broker.ts';
import { createClient, PATIENT_RETRY } from '../../../../src/engine/kafka/kafkajs/client.ts';
import { createKafka } from '../../../../src/engine/kafka/kafkajs/create-kafka.ts';
import { silentLogger } from '../../../../src/engine/log.ts';
import { createTopics } from '../../../support/create-topics.ts';
import { eventually } from '../../../support/eventually.ts';

test('who has set no session timeout joins groups of a broker that takes no less than six seconds', async (t) => {
  const folder = await openDataFolder();
  t.after(() => folder.release());
  const broker = await startKafkaBroker({
    dataDir: join(folder.path, 'kafka'),
    settings: { 'group.min.session.timeout.ms': 6_000 },
    log: (line) => console.error(line),
  });
  t.after(() => broker.stop());
  const config = { brokers: broker.brokers, ssl: false };
  const client = createClient(config, silentLogger(), { retry: PATIENT_RETRY });
  const admin = client.kafka.admin();
  await admin.connect();
  await createTopics(admin, [{ topic: 't', numPartitions: 2 }]);
  await admin.disconnect();
  client.destroy();
  const joined = async (sessionTimeout?: number): Promise<readonly number[]> => {
    const kafka = createKafka({ ...config, ...(sessionTimeout !== undefined && { sessionTimeout }) }, silentLogger());
    let owned: readonly number[] = [];
    const member = kafka.joinGroup({ groupId: `g${sessionTimeout ?? ''}`, topics: ['t'] });
    try {
      await member.start({
        onAssigned: async (partitions) => void (owned = partitions),
        onRecords: async () => undefined,
        onCrash: (error) => assert.fail(error),
      });
      await eventually('it has all', () => owned.length === 2);
      return owned;
    } finally {
      await member.stop();
      await kafka.close();
    }
  };
  assert.deepEqual(await joined(), [0, 1]);
  await assert.rejects(joined(3_000), { code: 'CONFIG' });
});
