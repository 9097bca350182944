/** What a Kafka cluster says of itself and of the product's topics. Reads only. */
import type { Config } from '../config.ts';
import type { KafkaConfig } from '../../engine/kafka/kafka-config.ts';
import type { Logger } from '../../engine/log.ts';
import { createClient } from '../../engine/kafka/kafkajs/client.ts';
import { kafkaError } from '../../engine/kafka/kafkajs/errors.ts';
import { library } from '../../engine/kafka/kafkajs/library.ts';
import type { KafkaJS } from '../../engine/kafka/kafkajs/library.ts';
import { deadline } from '../../engine/kafka/kafkajs/timing.ts';
import { judgeTopics, type TopicFinding } from './judge-topics.ts';
import type { TopicState } from './topic-state.ts';

/** ms for all of it */
const TIMEOUT = 15_000;
const PRODUCE = 0;
const FETCH = 1;

export interface ClusterReport {
  readonly clusterId: string;
  readonly brokers: number;
  /** Such as `4.1 or newer`: a broker does not tell its version, only which requests it knows. */
  readonly version: string;
  /** Whether transactions are verified by the broker (KIP-890), which closes their last known hole: 3.6 and newer. */
  readonly verifiesTransactions: boolean;
  /** Topics of the product that exist. */
  readonly topics: ReadonlyMap<string, TopicState>;
  readonly missing: readonly string[];
  readonly findings: readonly TopicFinding[];
}

type ApiVersions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number } | undefined>>;

/** Errors: CodedError KAFKA. */
export async function inspectCluster(config: Config, kafka: KafkaConfig, logger: Logger): Promise<ClusterReport> {
  const client = createClient(kafka, logger, { retry: { initialRetryTime: 100, retries: 3 } });
  const admin = client.kafka.admin();
  try {
    return await deadline(TIMEOUT, 'asking Kafka', async () => {
      await admin.connect();
      const { brokers, clusterId } = await admin.describeCluster();
      const versions = await apiVersions(client.kafka);
      const { topics: names } = config;
      const wanted = [names.money, names.user, names.session, names.output, names.deadLetter, names.ledger];
      const existing = new Set(await admin.listTopics());
      const present = wanted.filter((name) => existing.has(name));
      const topics = present.length === 0 ? new Map<string, TopicState>() : await describe(admin, present);
      const version = versionOf(versions);
      return {
        clusterId,
        brokers: brokers.length,
        version: version.name,
        verifiesTransactions: version.verifies,
        topics,
        missing: wanted.filter((name) => !existing.has(name)),
        findings: judgeTopics(config, topics),
      };
    });
  } catch (error) {
    throw kafkaError('asking Kafka', error);
  } finally {
    await deadline(3_000, 'disconnect', () => admin.disconnect()).catch(() => undefined);
    client.destroy();
  }
}

async function describe(admin: KafkaJS.Admin, names: readonly string[]): Promise<Map<string, TopicState>> {
  const { TOPIC } = library().ConfigResourceTypes;
  const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: TOPIC, name })),
  });
  return new Map(
    topics.map(({ name, partitions }) => {
      const entries = resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? [];
      const settings = Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
      return [name, { partitions: partitions.length, replicas: partitions[0]?.replicas.length ?? 0, settings }];
    }),
  );
}

/** The part of kafkajs' internal Cluster that knows the versions of requests (2.2.4: src/cluster/brokerPool.js). */
interface Cluster {
  readonly brokerPool: { readonly versions: ApiVersions | null };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

async function apiVersions(kafka: KafkaJS.Kafka): Promise<ApiVersions> {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const create = symbol === undefined ? undefined : (kafka as KafkaJS.Kafka & Record<symbol, unknown>)[symbol];
  if (typeof create !== 'function') return {};
  const cluster = (create as (options: object) => Cluster)({ metadataMaxAge: 30_000, allowAutoTopicCreation: false });
  try {
    await cluster.connect();
    return cluster.brokerPool.versions ?? {};
  } finally {
    await cluster.disconnect();
  }
}

/** Which release first knew a version of Fetch; Kafka 4.0 dropped the oldest versions of Produce. */
export function versionOf(versions: ApiVersions): { readonly name: string; readonly verifies: boolean } {
  const fetch = versions[FETCH]?.maxVersion;
  if (fetch === undefined) return { name: 'unknown', verifies: true };
  if ((versions[PRODUCE]?.minVersion ?? 0) >= 3 || fetch >= 18) {
    return { name: fetch >= 18 ? '4.1 or newer' : '4.0', verifies: true };
  }
  if (fetch === 17) return { name: '3.9', verifies: true };
  if (fetch === 16) return { name: '3.7 or 3.8', verifies: true };
  if (fetch === 15) return { name: '3.5 or 3.6', verifies: true };
  return { name: fetch >= 13 ? '3.1 to 3.4' : 'older than 3.1', verifies: false };
}
