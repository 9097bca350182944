/**
 * Reads of the cluster's state. kafkajs' own admin asks for offsets as a read_uncommitted reader and one topic after
 * the other, so its cluster object is used directly, with read_committed isolation. Every request is repeated for a
 * while over fresh connections: "loading" and "not coordinator" are what a broker says when it has just started.
 */
import type { KafkaConfig } from '../kafka-config.ts';
import { CodedError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { createClient, PATIENT_RETRY } from './client.ts';
import type { Client } from './client.ts';
import { isHopeless, requestError, typesOf } from './errors.ts';
import { library } from './library.ts';
import type { KafkaJS } from './library.ts';
import { NO_LEADER } from './metadata.ts';
import type { CommittedOffset, RecordFound, TopicIdentity, TopicPartition } from '../port.ts';
import { recordAt, type FetchingCluster } from './record-at.ts';
import { topicIdentities, type BrokerPool } from './topic-ids.ts';
import { deadline, retrying } from './timing.ts';

const READ_COMMITTED = 1;
const READ_UNCOMMITTED = 0;
/** ms */
const METADATA_MAX_AGE = 30_000;
/** ms for one attempt, and for all of them */
const ATTEMPT_TIMEOUT = 15_000;
const TIMEOUT = 30_000;
/** ms for a leader, where the others are answered all the same */
const PARTIAL_TIMEOUT = 1_500;

/** The part of kafkajs' internal Cluster that is used here (2.2.4: src/cluster/index.js). */
export interface Cluster extends FetchingCluster {
  readonly brokerPool: BrokerPool;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  metadata(options: { topics: readonly string[] }): Promise<{
    topicMetadata: readonly { topic: string; partitionMetadata: readonly { partitionId: number }[] }[];
  }>;
  findGroupCoordinator(options: { groupId: string }): Promise<{
    offsetFetch(options: { groupId: string; topics: readonly TopicPartitions[] }): Promise<{
      responses: readonly {
        topic: string;
        partitions: readonly { partition: number; offset: string; metadata: string | null }[];
      }[];
    }>;
  }>;
  findControllerBroker(): Promise<{
    describeConfigs(options: {
      resources: readonly { type: number; name: string }[];
      includeSynonyms: boolean;
    }): Promise<{
      resources: readonly { configEntries: readonly { configName: string; configValue: string | null }[] }[];
    }>;
  }>;
  fetchTopicsOffset(
    topics: readonly (TopicPartitions & Since)[],
  ): Promise<readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[]>;
}

type Since = { readonly fromBeginning: boolean } | { readonly fromTimestamp: number };

interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number }[];
}

export interface Admin {
  committedOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<CommittedOffset[]>;
  endOffsets(
    partitions: readonly TopicPartition[],
    options?: { readonly partial?: boolean },
  ): Promise<(TopicPartition & { readonly start: number; readonly end: number })[]>;
  firstOffsetSince(partition: TopicPartition, timestamp: number): Promise<number | null>;
  partitionCounts(topics: readonly string[]): Promise<(number | null)[]>;
  highWatermarks(partitions: readonly TopicPartition[]): Promise<(TopicPartition & { readonly end: number })[]>;
  topicIdentities(topics: readonly string[]): Promise<readonly TopicIdentity[]>;
  recordAt(place: TopicPartition, offset: number): Promise<RecordFound>;
  topicSettings(topic: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** Never throws. */
  close(): Promise<void>;
}

/** `timeout`: ms for which a request is repeated. */
export function createAdmin(config: KafkaConfig, logger: Logger, timeout = TIMEOUT): Admin {
  let current: Promise<Connection> | undefined;

  const discard = async (connection: Promise<Connection> | undefined): Promise<void> => {
    if (current === connection) current = undefined;
    const opened = await connection?.catch(() => undefined);
    await opened?.close();
  };

  const ask = async <T>(what: string, request: (cluster: Cluster) => Promise<T>): Promise<T> => {
    try {
      return await retrying(timeout, isHopeless, async () => {
        const connection = (current ??= connect(config, logger));
        try {
          return await deadline(ATTEMPT_TIMEOUT, what, async () => request((await connection).cluster));
        } catch (error) {
          await discard(connection);
          throw error;
        }
      });
    } catch (error) {
      throw requestError(config.brokers, what, error);
    }
  };

  return {
    committedOffsets: (groupId, partitions) =>
      ask(`reading the committed offsets of ${groupId}`, async (cluster) => {
        if (partitions.length === 0) return [];
        const coordinator = await cluster.findGroupCoordinator({ groupId });
        const { responses } = await coordinator.offsetFetch({ groupId, topics: byTopic(partitions) });
        const found = new Map(
          responses.flatMap(({ topic, partitions: rows }) =>
            rows.map((row) => [`${topic}/${row.partition}`, row] as const),
          ),
        );
        return partitions.map(({ topic, partition }) => {
          const row = found.get(`${topic}/${partition}`);
          const offset = Number(row?.offset ?? -1);
          // Negative: never committed, or kafkajs' own mark for "from the beginning".
          return { topic, partition, offset: offset < 0 ? null : offset, metadata: row?.metadata ?? '' };
        });
      }),

    endOffsets: (partitions, { partial = false } = {}) =>
      ask('reading the end offsets', (cluster) => endOffsets(cluster, partitions, partial)),

    firstOffsetSince: ({ topic, partition }, timestamp) =>
      ask('looking up an offset by time', async (cluster) => {
        await cluster.addMultipleTargetTopics([topic]);
        await cluster.refreshMetadataIfNecessary();
        const offset = (await offsetsOf(cluster, [{ topic, partition }], { fromTimestamp: timestamp })).get(
          `${topic}/${partition}`,
        );
        return offset === undefined || offset < 0 ? null : offset;
      }),

    partitionCounts: (topics) =>
      ask('reading topic metadata', (cluster) => Promise.all(topics.map((topic) => partitionCount(cluster, topic)))),

    highWatermarks: (partitions) =>
      ask('reading the ends of the logs', async (cluster) => {
        if (partitions.length === 0) return [];
        await cluster.addMultipleTargetTopics([...new Set(partitions.map(({ topic }) => topic))]);
        await cluster.refreshMetadataIfNecessary();
        // It asks with the isolation level of its own field.
        const uncommitted = Object.assign(Object.create(cluster) as Cluster, { isolationLevel: READ_UNCOMMITTED });
        const ends = await offsetsOf(uncommitted, partitions, { fromBeginning: false });
        return partitions.map((place) => ({ ...place, end: ends.get(`${place.topic}/${place.partition}`) ?? 0 }));
      }),

    topicIdentities: (topics) =>
      ask('reading the ids of topics', async (cluster) => {
        await cluster.refreshMetadataIfNecessary();
        return (await topicIdentities(cluster.brokerPool, topics)) ?? [];
      }),
    recordAt: (place, offset) =>
      ask('reading a record by its offset', async (cluster) => {
        await cluster.addMultipleTargetTopics([place.topic]);
        await cluster.refreshMetadataIfNecessary();
        return recordAt(cluster, place, offset);
      }),
    topicSettings: (topic) =>
      ask(`reading the settings of ${topic}`, async (cluster) => {
        // Who the controller is stands in the metadata.
        await cluster.refreshMetadataIfNecessary();
        return settingsOf(cluster, topic);
      }),

    async close() {
      await discard(current);
    },
  };
}

export async function endOffsets(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  partial: boolean,
): Promise<(TopicPartition & { readonly start: number; readonly end: number })[]> {
  if (partitions.length === 0) return [];
  await cluster.addMultipleTargetTopics([...new Set(partitions.map(({ topic }) => topic))]);
  await cluster.refreshMetadataIfNecessary();
  let leaders = leadersOf(cluster, partitions, partial);
  if (leaders.has(NO_LEADER)) {
    await cluster.refreshMetadata();
    leaders = leadersOf(cluster, partitions, partial);
  }
  const missing = leaders.get(NO_LEADER)?.[0];
  if (missing !== undefined && !partial) {
    throw new CodedError('KAFKA', `${missing.topic}, partition ${missing.partition} has no leader`);
  }
  leaders.delete(NO_LEADER);
  // Each leader by itself: one that does not answer takes nobody's answer away.
  const answers = await Promise.all(
    [...leaders.values()].map((led) => (partial ? boundsIfKnown(cluster, led) : boundsOf(cluster, led))),
  );
  const bounds = new Map(answers.flat().map((one) => [`${one.topic}/${one.partition}`, one]));
  return partitions.flatMap(({ topic, partition }) => bounds.get(`${topic}/${partition}`) ?? []);
}

/** By the broker that leads them. A partition that does not exist has no leader in a `partial` answer; else CodedError TOPIC. */
function leadersOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  partial: boolean,
): Map<number, TopicPartition[]> {
  const leaders = new Map<number, TopicPartition[]>();
  for (const { topic, partition } of partitions) {
    const found = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
    if (found === undefined && !partial) {
      throw new CodedError('TOPIC', `${topic} has no partition ${partition}: create it, or name one that there is`);
    }
    const leader = found?.leader ?? NO_LEADER;
    leaders.set(leader, [...(leaders.get(leader) ?? []), { topic, partition }]);
  }
  return leaders;
}

type Bounds = TopicPartition & { readonly start: number; readonly end: number };

/** Those that are told soon; each by itself when they are not told together. */
async function boundsIfKnown(cluster: Cluster, partitions: readonly TopicPartition[]): Promise<Bounds[]> {
  try {
    return await deadline(PARTIAL_TIMEOUT, 'reading the end offsets', () => boundsOf(cluster, partitions));
  } catch (error) {
    if (isHopeless(error)) throw error;
    // Its leader may have moved.
    await deadline(PARTIAL_TIMEOUT, 'reading topic metadata', () => cluster.refreshMetadata()).catch(() => undefined);
    if (partitions.length <= 1) return [];
    const alone = await Promise.allSettled(
      partitions.map((one) => deadline(PARTIAL_TIMEOUT, 'reading the end offsets', () => boundsOf(cluster, [one]))),
    );
    return alone.flatMap((settled) => (settled.status === 'fulfilled' ? settled.value : []));
  }
}

async function boundsOf(cluster: Cluster, partitions: readonly TopicPartition[]): Promise<Bounds[]> {
  const [starts, ends] = await Promise.all([
    offsetsOf(cluster, partitions, { fromBeginning: true }),
    offsetsOf(cluster, partitions, { fromBeginning: false }),
  ]);
  return partitions.map(({ topic, partition }) => {
    const key = `${topic}/${partition}`;
    const [start, end] = [starts.get(key), ends.get(key)];
    if (start === undefined || end === undefined) {
      throw new CodedError('KAFKA', `${topic}, partition ${partition}: its leader tells no offsets`);
    }
    return { topic, partition, start, end };
  });
}

async function offsetsOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  since: Since,
): Promise<Map<string, number>> {
  const answer = await cluster.fetchTopicsOffset(byTopic(partitions).map((topic) => ({ ...topic, ...since })));
  const offsets = new Map<string, number>();
  for (const { topic, partitions: rows } of answer) {
    for (const { partition, offset } of rows) offsets.set(`${topic}/${partition}`, Number(offset));
  }
  return offsets;
}

/** One topic a request: a request for several fails whole when one of them does not exist. */
async function partitionCount(cluster: Cluster, topic: string): Promise<number | null> {
  try {
    const { topicMetadata } = await cluster.metadata({ topics: [topic] });
    return topicMetadata.find((row) => row.topic === topic)?.partitionMetadata.length ?? null;
  } catch (error) {
    if (typesOf(error).includes('UNKNOWN_TOPIC_OR_PARTITION')) return null;
    throw error;
  }
}

/** Undefined where this user may not see them, or the topic does not exist. */
async function settingsOf(cluster: Cluster, topic: string): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    const broker = await cluster.findControllerBroker();
    const resources = [{ type: library().ConfigResourceTypes.TOPIC, name: topic }];
    const answer = await broker.describeConfigs({ resources, includeSynonyms: false });
    const entries = answer.resources.flatMap(({ configEntries }) => configEntries);
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue ?? '']));
  } catch (error) {
    const types = typesOf(error);
    if (types.some((type) => type.endsWith('AUTHORIZATION_FAILED') || type === 'UNKNOWN_TOPIC_OR_PARTITION')) {
      return undefined;
    }
    throw error;
  }
}

interface Connection {
  readonly cluster: Cluster;
  close(): Promise<void>;
}

async function connect(config: KafkaConfig, logger: Logger): Promise<Connection> {
  const client = createClient(config, logger, { retry: { ...PATIENT_RETRY, retries: 3 } });
  const cluster = clusterOf(client);
  const close = async (): Promise<void> => {
    client.cutOff();
    await deadline(5_000, 'disconnect', () => cluster.disconnect()).catch(() => undefined);
    client.destroy();
  };
  try {
    await cluster.connect();
  } catch (error) {
    await close();
    throw error;
  }
  return { cluster, close };
}

/** kafkajs 2.2.4 keeps the maker of its Cluster under a symbol of this description (src/index.js). */
function clusterOf({ kafka }: Client): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const create = symbol === undefined ? undefined : (kafka as KafkaJS.Kafka & Record<symbol, unknown>)[symbol];
  if (typeof create !== 'function') {
    throw new CodedError('LIBRARY', 'kafkajs has no Cluster under its symbol: another version?');
  }
  return (create as (options: unknown) => Cluster)({
    metadataMaxAge: METADATA_MAX_AGE,
    allowAutoTopicCreation: false,
    isolationLevel: READ_COMMITTED,
  });
}

function byTopic(partitions: readonly TopicPartition[]): TopicPartitions[] {
  const topics = new Map<string, { partition: number }[]>();
  for (const { topic, partition } of partitions) {
    const rows = topics.get(topic) ?? [];
    rows.push({ partition });
    topics.set(topic, rows);
  }
  return [...topics].map(([topic, rows]) => ({ topic, partitions: rows }));
}
