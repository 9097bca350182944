/** The topics that are to be created, with the settings that exactly-once needs. Pure. */
import type { KafkaJS } from '../../engine/kafka/kafkajs/library.ts';
import type { Config } from '../config.ts';
import { AHEAD, ENVELOPE, HOUR, largestOf, shownInputs, type TopicState } from './topic-state.ts';

export interface EnsureTopicsOptions {
  /** Of the input topics, where none of them exists yet. */
  readonly partitions: number;
  /** Partitions of the output topic, where it does not exist yet. */
  readonly shards?: number;
  /** Records are kept for ever, however old the timestamps are that their producers gave them. */
  readonly keepForever?: boolean;
  /** `retention.ms` of the output topic; the brokers' unless it is set. */
  readonly outputRetention?: string | undefined;
  /** Creates this topic and no other. */
  readonly only?: string;
  /** Creates none, and says which. */
  readonly dryRun?: boolean;
}

export const DEFAULT_SHARDS = 4;
/** ms that dead letters are kept: whole records, also of fields that no rule uses. */
const DEAD_LETTER_RETENTION = 14 * 24 * HOUR;

export type Creation = KafkaJS.ITopicConfig & { readonly topic: string; readonly numPartitions: number };

/** What to create, given what exists. */
export function missingTopics(
  { topics, maxRecordBytes }: Pick<Config, 'topics' | 'maxRecordBytes'>,
  { partitions, shards = DEFAULT_SHARDS, keepForever = false, outputRetention }: EnsureTopicsOptions,
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
      ...(outputRetention !== undefined && { 'retention.ms': outputRetention }),
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
