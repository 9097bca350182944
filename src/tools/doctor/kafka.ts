/** Kafka: whether it answers, the topics, and the permissions that can be tried without writing a record. */
import type { Config } from '../../money/config.ts';
import type { KafkaConfig } from '../../engine/kafka/kafka-config.ts';
import { messageOf } from '../../engine/errors.ts';
import { createKafka } from '../../engine/kafka/kafkajs/create-kafka.ts';
import { inspectCluster } from '../../money/topics/inspect.ts';
import type { ClusterReport } from '../../money/topics/inspect.ts';
import type { Logger } from '../../engine/log.ts';
import { checkBroker, durabilityFindings } from './broker.ts';
import { failed, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';
import { checkLedger, checkLogs, checkUsers } from './logs.ts';

export async function checkKafka(config: Config, logger: Logger): Promise<Finding[]> {
  const { kafka } = config;
  if (kafka === undefined) return [];
  let report: ClusterReport;
  try {
    report = await inspectCluster(config, kafka, logger);
  } catch (error) {
    return [
      failed('Kafka', `${kafka.brokers.join(',')} (KAFKA_BROKERS, KAFKA_SSL, KAFKA_SASL_*): ${messageOf(error)}`),
    ];
  }
  const { version, brokers, clusterId } = report;
  return [
    ok(
      'Kafka',
      `${kafka.brokers.join(',')} answers: cluster ${clusterId}, ${brokers} broker${brokers === 1 ? '' : 's'}, version ${version}`,
    ),
    ...(kafka.ssl ? [] : [warning('Kafka', 'connections are not encrypted (KAFKA_SSL)')]),
    ...(report.verifiesTransactions
      ? []
      : [
          failed(
            'Kafka',
            `version ${version} does not verify transactions, which exactly-once needs: expected 3.6 or newer`,
          ),
        ]),
    ...topicFindings(config, report),
    ...durabilityFindings(config, report),
    ...(await checkBroker(kafka, report, logger)),
    ...(await logs(config, kafka, report, logger)),
    ...(await permissions(config, kafka, logger)),
  ];
}

export function topicFindings({ topics }: Pick<Config, 'topics'>, report: ClusterReport): Finding[] {
  const findings: Finding[] = [];
  for (const name of Object.values(topics)) {
    const state = report.topics.get(name);
    const problems = report.findings.filter(({ topic }) => topic === name);
    if (state === undefined) {
      findings.push(failed(`topic ${name}`, 'it does not exist: create it with "money-enrichment topics"'));
    } else if (problems.length === 0) {
      const replicas = `${state.replicas} replica${state.replicas === 1 ? '' : 's'}`;
      findings.push(
        ok(`topic ${name}`, `${state.partitions} partitions, ${replicas}, ${state.settings['cleanup.policy'] ?? ''}`),
      );
    }
    for (const { level, message } of problems) {
      findings.push((level === 'wrong' ? failed : warning)(`topic ${name}`, message));
    }
  }
  const inputs = [topics.money, topics.user, topics.session].map((name) => report.topics.get(name)?.partitions);
  if (inputs.every((partitions) => partitions !== undefined && partitions === inputs[0])) {
    findings.push(ok('co-partitioning', `the three input topics have ${inputs[0]} partitions each`));
  }
  const [output, ledger] = [report.topics.get(topics.output)?.partitions, report.topics.get(topics.ledger)?.partitions];
  if (output !== undefined && output === ledger) {
    findings.push(ok('shards', `output and ledger have ${output} partitions each`));
  }
  return findings;
}

async function logs(config: Config, kafka: KafkaConfig, report: ClusterReport, logger: Logger): Promise<Finding[]> {
  const { money, user, session } = config.topics;
  const counts = [user, session, money].map((name) => report.topics.get(name)?.partitions);
  if (counts.includes(undefined)) return [];
  const client = createKafka(kafka, logger);
  try {
    const partitions = Math.min(...(counts as number[]));
    const [shards, entries] = [
      report.topics.get(config.topics.output)?.partitions,
      report.topics.get(config.topics.ledger)?.partitions,
    ];
    const findings = await Promise.all([
      checkLogs(client, config, partitions),
      checkUsers(client, config, partitions),
      shards !== undefined && shards === entries ? checkLedger(client, config, shards) : [],
    ]);
    return findings.flat();
  } finally {
    await client.close();
  }
}

/** With names of its own under the app id, so that nothing that runs is disturbed. */
async function permissions({ appId, topics }: Config, config: KafkaConfig, logger: Logger): Promise<Finding[]> {
  const kafka = createKafka(config, logger);
  const probe = async (subject: string, what: string, run: () => Promise<unknown>): Promise<Finding> => {
    try {
      await run();
      return ok(subject, what);
    } catch (error) {
      return failed(subject, messageOf(error));
    }
  };
  try {
    return [
      await probe('permission', `transactional ids that begin with "${appId}-"`, async () => {
        const producer = await kafka.fence(`${appId}-doctor`);
        await producer.close();
      }),
      await probe('permission', `consumer groups that begin with "${appId}-"`, () =>
        kafka.committedOffsets(`${appId}-doctor`, [{ topic: topics.money, partition: 0 }]),
      ),
    ];
  } finally {
    await kafka.close();
  }
}
