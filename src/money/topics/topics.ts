/**
 * The product's topics. What is missing is created with the settings that exactly-once needs; what exists is never
 * changed, only judged.
 */
import type { Config, Topics } from '../config.ts';
import { CodedError } from '../../engine/errors.ts';
import type { Logger } from '../../engine/log.ts';
import { createAdmin } from '../../engine/kafka/kafkajs/admin.ts';
import { createClient, PATIENT_RETRY } from '../../engine/kafka/kafkajs/client.ts';
import { requestError, typesOf } from '../../engine/kafka/kafkajs/errors.ts';
import { library } from '../../engine/kafka/kafkajs/library.ts';
import type { KafkaJS } from '../../engine/kafka/kafkajs/library.ts';
import { deadline, retrying } from '../../engine/kafka/kafkajs/timing.ts';

export interface EnsureTopicsOptions {
  /** Of the input topics, where none of them exists yet. */
  readonly partitions: number;
  /** Partitions of the output topic, where it does not exist yet. */
  readonly shards?: number;
  /** Records are kept for ever, however old the timestamps are that their producers gave them. */
  readonly keepForever?: boolean;
  /** Creates this topic and no other. */
  readonly only?: string;
  /** Creates none, and says which. */
  readonly dryRun?: boolean;
}

export interface TopicFinding {
  readonly topic: string;
  /** `wrong`: exactly-once or co-partitioning does not hold with it. `weak`: it holds, but something is held up, cut or lost with a broker. */
  readonly level: 'wrong' | 'weak';
  /** Of one that is wrong: all works with it until a producer's clock is. A stack for development goes on. */
  readonly latent?: true;
  /** What is found and what to do. */
  readonly message: string;
}

export interface TopicReport {
  /** With `dryRun`: those that would be. */
  readonly created: readonly string[];
  /** Partitions of each that is or would be created, and of each that existed. */
  readonly partitions: Readonly<Record<string, number>>;
  readonly findings: readonly TopicFinding[];
}

/** What is known of a topic that exists. */
export interface TopicState {
  readonly partitions: number;
  readonly replicas: number;
  readonly settings: Readonly<Record<string, string>>;
}

export const DEFAULT_SHARDS = 4;
/** bytes: key, headers and framing around a record's value */
const ENVELOPE = 64 * 1024;
const HOUR = 3_600_000;
/** ms that dead letters are kept: whole records, also of fields that no rule uses. */
const DEAD_LETTER_RETENTION = 14 * 24 * HOUR;
/** How far timestamps may be ahead of the broker's clock, ms. One producer with a wrong clock would make all others of its partition late. */
const AHEAD = 'message.timestamp.after.max.ms';
const TIMEOUT = 30_000;

type Creation = KafkaJS.ITopicConfig & { readonly topic: string; readonly numPartitions: number };

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
    if (options.dryRun === true) return { created, partitions, findings: judge(config, existing) };
    await create(admin, creations, logger);
    const present = names.filter((name) => existing.has(name) || created.includes(name));
    return { created, partitions, findings: judge(config, await describeOnceThere(admin, present, created)) };
  } catch (error) {
    throw requestError(config.kafka.brokers, 'preparing the topics', error);
  } finally {
    await deadline(5_000, 'disconnect', () => admin.disconnect()).catch(() => undefined);
    client.destroy();
    await reads.close();
  }
}

/** What to create, given what exists. */
export function missingTopics(
  { topics, maxRecordBytes }: Pick<Config, 'topics' | 'maxRecordBytes'>,
  { partitions, shards = DEFAULT_SHARDS, keepForever = false }: EnsureTopicsOptions,
  existing: ReadonlyMap<string, TopicState>,
  brokers: number,
): Creation[] {
  const replicationFactor = Math.min(3, brokers);
  const safety = {
    'min.insync.replicas': replicationFactor >= 3 ? '2' : '1',
    'unclean.leader.election.enable': 'false',
  };
  const retention = keepForever ? { 'retention.ms': '-1' } : {};
  const inputs = shownInputs(topics);
  const inputPartitions =
    inputs.map((topic) => existing.get(topic)?.partitions).find((count) => count !== undefined) ?? partitions;
  const outputPartitions = existing.get(topics.output)?.partitions ?? shards;
  const inputBytes = 2 * maxRecordBytes + ENVELOPE;

  const make = (topic: string, numPartitions: number, settings: Readonly<Record<string, string>>): Creation => ({
    topic,
    numPartitions,
    replicationFactor,
    configEntries: Object.entries({ ...safety, ...settings }).map(([name, value]) => ({ name, value })),
  });
  const input = {
    ...retention,
    'cleanup.policy': 'delete',
    'message.timestamp.type': 'CreateTime',
    // Twice what is accepted: a record that is too large is to end in the dead letters, not at its producer.
    'max.message.bytes': String(inputBytes),
    [AHEAD]: String(HOUR),
  };
  return [
    ...inputs.map((topic) => make(topic, inputPartitions, input)),
    make(topics.output, outputPartitions, {
      ...retention,
      'cleanup.policy': 'delete',
      // An output may carry the largest values of four records.
      'max.message.bytes': String(8 * maxRecordBytes + ENVELOPE),
    }),
    make(topics.deadLetter, inputPartitions, {
      'retention.ms': keepForever ? '-1' : String(DEAD_LETTER_RETENTION),
      'cleanup.policy': 'delete',
      'max.message.bytes': String(Math.max(inputBytes, largestOf(inputs, existing)) + ENVELOPE),
    }),
    make(topics.ledger, outputPartitions, {
      'cleanup.policy': 'compact',
      'segment.ms': String(HOUR),
      'min.cleanable.dirty.ratio': '0.1',
      'max.compaction.lag.ms': String(24 * HOUR),
      'delete.retention.ms': String(24 * HOUR),
    }),
  ].filter(({ topic }) => !existing.has(topic));
}

/** What does not fit among the topics that exist. */
export function judge(
  { topics, maxRecordBytes }: Pick<Config, 'topics'> & Partial<Pick<Config, 'maxRecordBytes'>>,
  states: ReadonlyMap<string, TopicState>,
): TopicFinding[] {
  const findings: TopicFinding[] = [];
  const find = (level: TopicFinding['level'], topic: string, message: string): void =>
    void findings.push({ topic, level, message });
  const inputs = shownInputs(topics).flatMap((topic) => {
    const state = states.get(topic);
    return state === undefined ? [] : [{ topic, ...state }];
  });

  if (new Set(inputs.map(({ partitions }) => partitions)).size > 1) {
    const counts = inputs.map(({ topic, partitions }) => `${topic} has ${partitions}`).join(', ');
    for (const { topic } of inputs.slice(0, 1)) {
      find(
        'wrong',
        topic,
        `the input topics must have the same number of partitions, but ${counts}: copy the data into topics that do`,
      );
    }
  }
  for (const { topic, settings } of inputs) {
    if (compacted(settings)) {
      find('wrong', topic, 'cleanup.policy contains "compact", which removes events: set it to "delete"');
    }
    if (settings['message.timestamp.type'] === 'LogAppendTime') {
      find(
        'weak',
        topic,
        'message.timestamp.type is LogAppendTime: a backfill merges records by the time at which they were written',
      );
    } else if (settings[AHEAD] === undefined) {
      find(
        'weak',
        topic,
        `the broker has no ${AHEAD} (it came with Kafka 3.6): one producer whose clock is ahead makes all other records of its partition late`,
      );
    } else if (Number(settings[AHEAD]) > HOUR) {
      findings.push({
        topic,
        level: 'wrong',
        latent: true,
        message: `${AHEAD} is ${settings[AHEAD]}: one producer whose clock is ahead makes all other records of its partition late; set it to ${HOUR}`,
      });
    }
  }

  const output = states.get(topics.output);
  const ledger = states.get(topics.ledger);
  if (output !== undefined && compacted(output.settings)) {
    find(
      'wrong',
      topics.output,
      'cleanup.policy contains "compact", which keeps one output a user: set it to "delete"',
    );
  }
  if (ledger !== undefined) {
    const policy = ledger.settings['cleanup.policy'];
    if (policy !== 'compact') {
      find(
        'wrong',
        topics.ledger,
        `cleanup.policy is "${policy}": with anything but "compact" the ledger forgets users, and their next output is refused as a gap`,
      );
    }
    if (output !== undefined && output.partitions !== ledger.partitions) {
      find(
        'wrong',
        topics.ledger,
        `it has ${ledger.partitions} partitions and ${topics.output} has ${output.partitions}: they must be equal, one ledger partition for each shard`,
      );
    }
  }
  const deadLetters = states.get(topics.deadLetter);
  if (deadLetters !== undefined && compacted(deadLetters.settings)) {
    find(
      'wrong',
      topics.deadLetter,
      'cleanup.policy contains "compact", which takes no record without a key and keeps one a key: set it to "delete"',
    );
  }
  const outputBytes = (maxRecordBytes ?? 0) + ENVELOPE;
  const outputRoom = Number(output?.settings['max.message.bytes'] ?? Infinity);
  if (maxRecordBytes !== undefined && outputRoom < maxRecordBytes) {
    find(
      'weak',
      topics.output,
      `max.message.bytes is ${outputRoom}, but one output may have ${outputBytes} with ENRICHMENT_MAX_RECORD_BYTES=${maxRecordBytes}: one that is larger waits, and its user with it; set it to ${outputBytes}`,
    );
  }
  const largest = largestOf(shownInputs(topics), states);
  const deadLetter = states.get(topics.deadLetter);
  const room = Number(deadLetter?.settings['max.message.bytes'] ?? 0);
  if (deadLetter !== undefined && largest > 0 && room <= largest) {
    find(
      'weak',
      topics.deadLetter,
      `max.message.bytes is ${room}, but an input record may have ${largest}, and headers are added: a dead letter that is larger, compressed too, is written with its value cut; set it to ${largest + ENVELOPE}`,
    );
  }
  for (const [topic, { replicas, settings }] of states) {
    if (settings['unclean.leader.election.enable'] === 'true') {
      find('wrong', topic, 'unclean.leader.election.enable is true: committed records can vanish; set it to false');
    }
    if (replicas >= 3 && Number(settings['min.insync.replicas'] ?? 1) < 2) {
      find(
        'weak',
        topic,
        `min.insync.replicas is ${settings['min.insync.replicas']} with ${replicas} replicas: records can be lost with one broker; set it to 2`,
      );
    }
  }
  return findings;
}

/** As people are shown them, the wallet first; nothing is found by its place here. */
function shownInputs(topics: Topics): string[] {
  return [topics.money, topics.user, topics.session];
}

/** bytes of the largest record that one of these topics takes; 0 when none of them exists */
function largestOf(inputs: readonly string[], states: ReadonlyMap<string, TopicState>): number {
  return Math.max(0, ...inputs.map((topic) => Number(states.get(topic)?.settings['max.message.bytes'] ?? 0)));
}

function compacted(settings: TopicState['settings']): boolean {
  return (settings['cleanup.policy'] ?? '').includes('compact');
}

async function create(admin: KafkaJS.Admin, creations: readonly Creation[], logger: Logger): Promise<void> {
  if (creations.length === 0) return;
  const attempt = (topics: readonly Creation[]): Promise<boolean> =>
    admin.createTopics({ topics: [...topics], waitForLeaders: false, timeout: 15_000 });
  try {
    await attempt(creations);
  } catch (error) {
    // Brokers before 3.6 do not know this setting, and accept any timestamp without it.
    if (!topicErrors(error).includes('INVALID_CONFIG')) throw error;
    logger.debug({ err: error }, `creating the topics again without ${AHEAD}`);
    await attempt(
      creations.map((creation) => ({
        ...creation,
        configEntries: (creation.configEntries ?? []).filter(({ name }) => name !== AHEAD),
      })),
    );
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

/** createTopics throws an aggregate of one error a topic. */
function topicErrors(error: unknown): string[] {
  const errors: unknown = typeof error === 'object' && error !== null && 'errors' in error ? error.errors : undefined;
  return Array.isArray(errors) ? errors.flatMap(typesOf) : typesOf(error);
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
