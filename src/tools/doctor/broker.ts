/** What the guarantees assume of brokers and of the retention of topics (docs/guarantees.md). Judged from what Kafka says of itself. */
import type { Config } from '../../money/config.ts';
import { messageOf } from '../../engine/errors.ts';
import { inputTopicsOf } from '../../money/config.ts';
import { brokerSettings } from '../../engine/kafka/kafkajs/broker-settings.ts';
import { TRANSACTION_TIMEOUT } from '../../engine/kafka/kafkajs/transactional-producer.ts';
import type { Logger } from '../../engine/log.ts';
import type { ClusterReport } from '../../money/topics/inspect.ts';
import { failed, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';

type Settings = Readonly<Record<string, string>>;

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Brokers with which a topic can have the replicas that survive one of them. */
const ENOUGH = 3;
/** bytes that the bridge may write beside an offset */
const METADATA = 4_096;

/** Errors are findings. */
export async function checkBroker(
  kafka: NonNullable<Config['kafka']>,
  report: ClusterReport,
  logger: Logger,
): Promise<Finding[]> {
  try {
    return brokerFindings(await brokerSettings(kafka, logger), report.brokers);
  } catch (error) {
    return [warning('broker settings', `not looked at: ${messageOf(error)}`)];
  }
}

/** `settings`: undefined when they may not be seen. */
export function brokerFindings(settings: Settings | undefined, brokers: number): Finding[] {
  const subject = 'broker settings';
  if (settings === undefined) {
    return [
      warning(
        subject,
        'this user may not see them: allow DescribeConfigs on the cluster, or have the settings of docs/operations.md looked at',
      ),
    ];
  }
  const value = (name: string): number | undefined => {
    const text = settings[name];
    return text === undefined || text === '' ? undefined : Number(text);
  };
  const findings: Finding[] = [];
  const below = (name: string, least: number, level: typeof failed, why: string): void => {
    const found = value(name);
    if (found !== undefined && found < least) {
      findings.push(level(subject, `${name} is ${found}: ${why}; set it to ${least} or more`));
    }
  };
  below('transaction.max.timeout.ms', TRANSACTION_TIMEOUT, failed, 'no producer of ours is let in');
  below(
    'transactional.id.expiration.ms',
    DAY,
    warning,
    'a shard that is silent for longer is forgotten, and who was paused meanwhile is no longer fenced but refused',
  );
  below(
    'offsets.retention.minutes',
    DAY / MINUTE,
    warning,
    'when all bridges are away for longer, Kafka forgets how far they were, and the inputs are read again from their beginning',
  );
  below(
    'offset.metadata.max.bytes',
    METADATA,
    failed,
    'the bridge writes its watermark beside the offsets, and a commit is refused where it has no room',
  );
  if (brokers >= ENOUGH) {
    const internal =
      'with fewer, one broker that is lost takes offsets and transactions with it. The topic that exists keeps what it has: reassign its replicas as well';
    for (const topic of ['offsets.topic', 'transaction.state.log']) {
      below(`${topic}.replication.factor`, ENOUGH, failed, internal);
    }
    below('transaction.state.log.min.isr', 2, warning, 'a decided transaction can be lost with one broker');
  }
  return findings.length > 0 ? findings : [ok(subject, 'timeouts and retention of transactions and offsets fit')];
}

/** Whether what is not read yet, or one broker, can be lost. */
export function durabilityFindings({ topics }: Pick<Config, 'topics'>, report: ClusterReport): Finding[] {
  const findings: Finding[] = [];
  for (const topic of inputTopicsOf(topics)) {
    const settings = report.topics.get(topic)?.settings;
    const retention = Number(settings?.['retention.ms'] ?? -1);
    if (retention >= 0 && retention < DAY) {
      findings.push(
        warning(
          `topic ${topic}`,
          `retention.ms is ${retention}: what a bridge does not read within that time is lost; set it to longer than any outage, ${DAY} at least`,
        ),
      );
    }
    const bytes = Number(settings?.['retention.bytes'] ?? -1);
    if (bytes >= 0) {
      findings.push(
        warning(
          `topic ${topic}`,
          `retention.bytes is ${bytes}: a burst can remove what no bridge has read yet; set it to -1, or see that it holds all of an outage`,
        ),
      );
    }
  }
  for (const [topic, { replicas }] of report.topics) {
    if (report.brokers >= ENOUGH && replicas < ENOUGH) {
      findings.push(
        warning(
          `topic ${topic}`,
          `it has ${replicas} replica${replicas === 1 ? '' : 's'} on ${report.brokers} brokers: with one broker records can be lost or stand still; give it ${ENOUGH} and min.insync.replicas 2`,
        ),
      );
    }
  }
  return findings;
}
