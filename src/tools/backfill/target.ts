/** The output topic of a backfill: none of the live ones, and made as the live output topic is. */
import type { Config, Topics } from '../../money/config.ts';
import { CodedError } from '../../engine/errors.ts';
import { inspectCluster } from '../../money/topics/inspect.ts';
import { ensureTopics } from '../../money/topics/topics.ts';
import type { Logger } from '../../engine/log.ts';

const ROLES: Readonly<Record<keyof Topics, string>> = {
  user: 'the user events',
  session: 'the session events',
  money: 'the wallet events',
  output: 'the live output',
  deadLetter: 'the dead letters',
  ledger: 'the ledger of the live output',
};

/** Throws CodedError CONFIG for a name that Kafka does not take, or a topic of the live system. */
export function assertFree(topic: string, topics: Topics): void {
  if (!/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,200}$/.test(topic)) {
    throw new CodedError(
      'CONFIG',
      `--output-topic ${JSON.stringify(topic)}: expected a topic name: up to 200 letters, digits, ".", "_" and "-"`,
    );
  }
  for (const role of Object.keys(ROLES) as (keyof Topics)[]) {
    if (topics[role] === topic) {
      throw new CodedError(
        'CONFIG',
        `--output-topic ${topic}: this is the topic of ${ROLES[role]}: name one of its own`,
      );
    }
  }
}

/**
 * Creates the topic if it is missing, with the partitions and the retention of the live output topic; returns how many
 * partitions it has. Errors: CodedError TOPIC (it does not fit), UNREACHABLE, KAFKA.
 */
export async function ensureTarget(
  config: Config,
  topic: string,
  logger: Logger,
): Promise<{ readonly created: boolean; readonly partitions: number }> {
  const kafka = config.kafka!;
  const live = (await inspectCluster(config, kafka, logger)).topics.get(config.topics.output);
  const { created } = await ensureTopics(asOutput(config, topic), logger, {
    partitions: live?.partitions ?? 1,
    only: topic,
    outputRetention: live?.settings['retention.ms'],
    ...(live === undefined ? {} : { shards: live.partitions }),
  });
  const partitions = await lookAtTarget(config, topic, logger);
  if (partitions === undefined) throw new CodedError('TOPIC', `the topic "${topic}" could not be created`);
  return { created: created.includes(topic), partitions };
}

/** How many partitions it has; undefined when it does not exist. Errors: CodedError TOPIC (it does not fit), UNREACHABLE, KAFKA. */
export async function lookAtTarget(config: Config, topic: string, logger: Logger): Promise<number | undefined> {
  const { topics, findings } = await inspectCluster(asOutput(config, topic), config.kafka!, logger);
  const wrong = findings.find((finding) => finding.topic === topic && finding.level === 'wrong');
  if (wrong !== undefined) throw new CodedError('TOPIC', `${topic}: ${wrong.message}`);
  return topics.get(topic)?.partitions;
}

function asOutput(config: Config, topic: string): Config {
  return { ...config, topics: { ...config.topics, output: topic, ledger: `${topic}-ledger` } };
}
