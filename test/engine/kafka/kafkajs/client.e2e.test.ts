import { test } from 'node:test';
import { loadConfig } from '../../../../src/money/config.ts';
import { createClient, PATIENT_RETRY } from '../../../../src/engine/kafka/kafkajs/client.ts';
import { silentLogger } from '../../../../src/engine/log.ts';
import { sharedCluster } from '../../../support/cluster.ts';
import { eventually } from '../../../support/eventually.ts';

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

test('a client that is destroyed with its connections open leaves no timer behind', async () => {
  const { brokers } = await sharedCluster();
  const { kafka } = loadConfig({ KAFKA_BROKERS: brokers.join(',') });
  const before = timers();
  for (let round = 0; round < 3; round += 1) {
    const client = createClient(kafka!, silentLogger(), { retry: PATIENT_RETRY });
    await client.kafka.admin().connect();
    client.destroy();
  }
  await eventually('all timers are gone', () => timers() <= before + 1, 5_000); // one is the poll's own
});
