/** What the bridge is, out of the configuration and the topics as they are. */
import { inputTopicsOf, type Config } from '../config.ts';
import { CodedError } from '../../engine/errors.ts';
import { typesOf } from '../../engine/kafka/kafkajs/errors.ts';
import type { KafkaPort } from '../../engine/kafka/port.ts';
import type { BridgeSettings } from '../../engine/bridge/bridge-settings.ts';
import { decodeWith, type Limits } from '../codec/decode.ts';
import { BOUNDS } from '../domain/bounds.ts';
import type { Applicable, Rules } from '../domain/events.ts';
import type { DecodeInput } from '../../engine/ordering/decoded.ts';
import { bridgeGroupOf } from '../../engine/naming.ts';

/**
 * Missing topics are said at the start, together. The ledger is not the bridge's: where it is missing the worker makes it. But
 * where it has other partitions than the output, no worker starts, and users would be given shards that nobody owns.
 */
export async function checkTopics(
  kafka: KafkaPort,
  topics: Config['topics'],
): Promise<{ shards: number; deadLetterPartitions: number }> {
  const inputs = inputTopicsOf(topics);
  const names = [...inputs, topics.output, topics.deadLetter];
  const counts = await kafka.partitionCounts(names);
  const [output, deadLetter] = counts.slice(inputs.length);
  const missing = names.filter((_, index) => counts[index] === null);
  if (missing.length > 0) {
    throw new CodedError('TOPIC', `missing topics: ${missing.join(', ')}; create them with "money-enrichment topics"`);
  }
  const policy = (await kafka.topicSettings(topics.deadLetter))?.['cleanup.policy'] ?? '';
  if (policy.includes('compact')) {
    throw new CodedError(
      'TOPIC',
      `cleanup.policy of ${topics.deadLetter} is "${policy}": it takes no record without a key, and keeps one a key; set it to "delete"`,
    );
  }
  const ledger = await ledgerPartitions(kafka, topics.ledger);
  if (ledger !== null && ledger !== output) {
    throw new CodedError(
      'TOPIC',
      `${topics.output} has ${output} partitions and ${topics.ledger} has ${ledger}: they must be equal, and never change, because a user keeps its shard for ever`,
    );
  }
  return { shards: output!, deadLetterPartitions: deadLetter! };
}

/** Null where there is none yet, or where the bridge's user may not describe it: it needs no permission there. */
async function ledgerPartitions(kafka: KafkaPort, ledger: string): Promise<number | null> {
  try {
    return (await kafka.partitionCounts([ledger]))[0] ?? null;
  } catch (error) {
    if (typesOf(error).includes('TOPIC_AUTHORIZATION_FAILED')) return null;
    throw error;
  }
}

/** See `topics --help`. */
export function acceptCommand(topics: readonly string[]): string {
  return `"money-enrichment topics ${topics.map((topic) => `--accept ${topic}`).join(' ')} --from <place>" (beginning, end or a time)`;
}

/** See `dead-letters release --help`. */
export function releaseCommand(topic: string, partition: number): string {
  return `"money-enrichment dead-letters release --topic ${topic} --partition ${partition}"`;
}

/** With this application's events and rules. */
export interface MoneyBridgeSettings extends BridgeSettings {
  readonly decode: DecodeInput<Applicable['event']>;
  readonly rules: Rules;
}

/** What the bridge is told of the limits on records. */
export function decoding(
  limits: Limits,
  onHeadersDropped?: (headers: number) => void,
): Pick<MoneyBridgeSettings, 'maxRecordBytes' | 'decode'> {
  return { maxRecordBytes: limits.maxRecordBytes, decode: decodeWith(limits, onHeadersDropped) };
}

export function bridgeSettings(
  config: Config,
  deadLetterPartitions: number,
  onHeadersDropped?: (headers: number) => void,
): MoneyBridgeSettings {
  const { maxRecordBytes, maxFutureSkew, readerSchemas, forwardHeaders, groupInstance } = config;
  const { appId, topics, sessionTtl, dedupTtl, pendingTimeout, lookupGiveUpAfter } = config;
  return {
    appId,
    groupId: bridgeGroupOf(appId),
    ...(groupInstance && { instance: groupInstance }),
    inputTopics: inputTopicsOf(topics),
    acceptCommand,
    releaseCommand,
    ...(config.brake && { brake: config.brake }),
    deadLetterTopic: topics.deadLetter,
    deadLetterPartitions,
    outOfOrderness: config.outOfOrderness,
    idleTimeout: config.idleTimeout,
    flushDelay: config.flushDelay,
    ...decoding({ maxRecordBytes, maxFutureSkew, readerSchemas, forwardHeaders }, onHeadersDropped),
    rules: { sessionTtl, dedupTtl, pendingTimeout, lookupGiveUpAfter, bounds: BOUNDS },
  };
}
