/** Settings of a broker by Kafka's names. Reads only. */
import type { KafkaConfig } from '../kafka-config.ts';
import type { Logger } from '../../log.ts';
import { createClient } from './client.ts';
import { kafkaError, typesOf } from './errors.ts';
import { library } from './library.ts';
import { deadline } from './timing.ts';

/** ms for all of it */
const TIMEOUT = 15_000;

/** Of one of the brokers; undefined when this client may not see them. Errors: CodedError KAFKA. */
export async function brokerSettings(
  kafka: KafkaConfig,
  logger: Logger,
): Promise<Readonly<Record<string, string>> | undefined> {
  const client = createClient(kafka, logger, { retry: { initialRetryTime: 100, retries: 3 } });
  const admin = client.kafka.admin();
  try {
    return await deadline(TIMEOUT, 'asking Kafka for its settings', async () => {
      await admin.connect();
      const { brokers } = await admin.describeCluster();
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: library().ConfigResourceTypes.BROKER, name: String(brokers[0]?.nodeId) }],
      });
      const entries = resources.flatMap(({ configEntries }) => configEntries);
      return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
    });
  } catch (error) {
    if (typesOf(error).includes('CLUSTER_AUTHORIZATION_FAILED')) return undefined;
    throw kafkaError('asking Kafka for its settings', error);
  } finally {
    await deadline(3_000, 'disconnect', () => admin.disconnect()).catch(() => undefined);
    client.destroy();
  }
}
