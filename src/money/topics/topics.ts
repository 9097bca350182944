/**
 * The product's topics. What is missing is created with the settings that exactly-once needs; what exists is never
 * changed, only judged.
 */
import type { Config } from '../config.ts';
import { CodedError } from '../../engine/errors.ts';
import type { Logger } from '../../engine/log.ts';
import { createAdmin } from '../../engine/kafka/kafkajs/admin.ts';
import { createClient, PATIENT_RETRY } from '../../engine/kafka/kafkajs/client.ts';
import { requestError, typesOf } from '../../engine/kafka/kafkajs/errors.ts';
import { library } from '../../engine/kafka/kafkajs/library.ts';
import type { KafkaJS } from '../../engine/kafka/kafkajs/library.ts';
import { deadline, retrying } from '../../engine/kafka/kafkajs/timing.ts';
import { creationError, creationErrors } from './creation-error.ts';
import { judgeTopics, type TopicFinding } from './judge-topics.ts';
import { missingTopics, type Creation, type EnsureTopicsOptions } from './missing-topics.ts';
import { AHEAD, type TopicState } from './topic-state.ts';

export interface TopicReport {
  /** With `dryRun`: those that would be. */
  readonly created: readonly string[];
  /** Partitions of each that is or would be created, and of each that existed. */
  readonly partitions: Readonly<Record<string, number>>;
  readonly findings: readonly TopicFinding[];
}

const TIMEOUT = 30_000;

/** Errors: CodedError CONFIG (no brokers configured), UNREACHABLE, KAFKA. */
export async function ensureTopics(config: Config, logger: Logger, options: EnsureTopicsOptions): Promise<TopicReport> {
  if (config.kafka === undefined) {
    throw new CodedError('CONFIG', 'KAFKA_BROKERS is not set: name the brokers, e.g. "host1:9092,host2:9092"');
  }
  const { topics } = config;
  const names = [topics.money, topics.user, topics.session, topics.output, topics.deadLetter, topics.ledger];
  const client = createClient(config.kafka, logger, { retry: PATIENT_RETRY });
  const admin = client.kafka.admin();
  const reads = createAdmin(config.kafka, logger);
  try {
    const counts = await reads.partitionCounts(names);
    await deadline(TIMEOUT, 'connecting', () => admin.connect());
    const existing = await describe(
      admin,
      names.filter((_, index) => counts[index] !== null),
    );
    const { brokers } = await admin.describeCluster();
    const { only } = options;
    const creations = missingTopics(config, options, existing, brokers.length).filter(
      ({ topic }) => only === undefined || topic === only,
    );
    const created = creations.map(({ topic }) => topic);
    const partitions = Object.fromEntries([
      ...[...existing].map(([topic, state]) => [topic, state.partitions] as const),
      ...creations.map(({ topic, numPartitions }) => [topic, numPartitions] as const),
    ]);
    if (options.dryRun === true) return { created, partitions, findings: judgeTopics(config, existing) };
    await create(admin, creations, logger);
    const present = names.filter((name) => existing.has(name) || created.includes(name));
    return { created, partitions, findings: judgeTopics(config, await describeOnceThere(admin, present, created)) };
  } catch (error) {
    throw requestError(config.kafka.brokers, 'preparing the topics', error);
  } finally {
    await deadline(5_000, 'disconnect', () => admin.disconnect()).catch(() => undefined);
    client.destroy();
    await reads.close();
  }
}

async function create(admin: KafkaJS.Admin, creations: readonly Creation[], logger: Logger): Promise<void> {
  if (creations.length === 0) return;
  const attempt = (topics: readonly Creation[]): Promise<boolean> =>
    admin.createTopics({ topics: [...topics], waitForLeaders: false, timeout: 15_000 });
  const names = creations.map(({ topic }) => topic);
  try {
    await attempt(creations);
  } catch (error) {
    // Brokers before 3.6 do not know this setting, and accept any timestamp without it.
    if (!creationErrors(error).includes('INVALID_CONFIG')) throw creationError(error, names);
    logger.debug({ err: error }, `creating the topics again without ${AHEAD}`);
    await attempt(
      creations.map((creation) => ({
        ...creation,
        configEntries: (creation.configEntries ?? []).filter(({ name }) => name !== AHEAD),
      })),
    ).catch((again: unknown) => {
      throw creationError(again, names);
    });
  }
}

/** What is to be known soon: a broker may be asked that has not heard of a new topic yet, or its partitions have no leader yet. */
const SOON: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

/** Waits until those that were created are there, and led. */
async function describeOnceThere(
  admin: KafkaJS.Admin,
  names: readonly string[],
  created: readonly string[],
): Promise<Map<string, TopicState>> {
  return retrying(
    TIMEOUT,
    (error) => created.length === 0 || !typesOf(error).some((type) => SOON.has(type)),
    async () => {
      if (created.length > 0) {
        const { topics } = await admin.fetchTopicMetadata({ topics: [...created] });
        const unled = topics.find(
          ({ partitions }) => partitions.length === 0 || partitions.some(({ leader }) => leader < 0),
        );
        if (unled !== undefined) {
          throw Object.assign(new CodedError('KAFKA', `${unled.name} has partitions without a leader`), {
            type: 'LEADER_NOT_AVAILABLE',
          });
        }
      }
      return describe(admin, names);
    },
  );
}

async function describe(admin: KafkaJS.Admin, names: readonly string[]): Promise<Map<string, TopicState>> {
  if (names.length === 0) return new Map();
  const { ConfigResourceTypes } = library();
  const [{ topics }, { resources }] = await Promise.all([
    admin.fetchTopicMetadata({ topics: [...names] }),
    admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
    }),
  ]);
  const settings = new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
  return new Map(
    topics.map(({ name, partitions }) => [
      name,
      {
        partitions: partitions.length,
        replicas: partitions[0]?.replicas.length ?? 0,
        settings: settings.get(name) ?? {},
      },
    ]),
  );
}
