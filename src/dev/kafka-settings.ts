/** What a broker of this machine is told: its settings, alone or in a cluster, and where it logs. */
import { join } from 'node:path';
import { LOOPBACK } from './ports.ts';

export interface BrokerListener {
  /** Capital letters and digits. */
  readonly name: string;
  readonly port: number;
  readonly advertisedPort: number;
}

/** The place of a node among nodes that are broker and controller each. */
export interface ClusterMember {
  /** From 1. */
  readonly nodeId: number;
  /** As Kafka writes a UUID, the same for all; one of its own when absent. */
  readonly clusterId?: string;
  /** Of the nodes 1, 2, ... in their order. */
  readonly controllerPorts: readonly number[];
}

export function serverProperties(
  dataDir: string,
  port: number,
  { nodeId, controllerPorts }: ClusterMember,
  further: readonly BrokerListener[],
  settings: Readonly<Record<string, string | number>> = {},
): string {
  const own = further.map((listener) => `,${listener.name}://${LOOPBACK}:${listener.port}`).join('');
  const advertised = further.map((listener) => `,${listener.name}://${LOOPBACK}:${listener.advertisedPort}`).join('');
  return text({
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    'controller.quorum.voters': controllerPorts.map((voter, index) => `${index + 1}@${LOOPBACK}:${voter}`).join(','),
    listeners: `PLAINTEXT://${LOOPBACK}:${port},CONTROLLER://${LOOPBACK}:${controllerPorts[nodeId - 1]}${own}`,
    'advertised.listeners': `PLAINTEXT://${LOOPBACK}:${port}${advertised}`,
    'listener.security.protocol.map': ['PLAINTEXT', 'CONTROLLER', ...further.map(({ name }) => name)]
      .map((name) => `${name}:PLAINTEXT`)
      .join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(dataDir, 'data'),
    'auto.create.topics.enable': false,
    ...replication(controllerPorts.length),
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 500,
    // Kept for ever: records, and the offsets of groups that are away for long.
    'log.retention.ms': -1,
    'log.retention.bytes': -1,
    'offsets.retention.minutes': 2147483647,
    // The producer's timestamps, whatever they say.
    'log.message.timestamp.type': 'CreateTime',
    'log.message.timestamp.after.max.ms': '9223372036854775807',
    // Values above ENRICHMENT_MAX_RECORD_BYTES must get in, to be told from the others.
    'message.max.bytes': 16_777_216,
    'log.cleaner.dedupe.buffer.size': 8_388_608,
    'log.index.size.max.bytes': 1_048_576,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'num.recovery.threads.per.data.dir': 1,
    ...settings,
  });
}

/** ms after which a broker of a cluster that is heard no more is no replica in sync any more. */
export const FENCED_AFTER = 3_000;

/**
 * As a cluster is set up that may lose a node: three replicas, of which two acknowledge. Its internal topics are spread. A broker
 * that died holds up every write that it replicates until the controller fences it; by Kafka's default after 9 s.
 */
function replication(nodes: number): Readonly<Record<string, number | boolean>> {
  const replicas = Math.min(3, nodes);
  const inSync = Math.max(1, replicas - 1);
  return {
    ...(nodes === 1 ? {} : { 'broker.session.timeout.ms': FENCED_AFTER, 'broker.heartbeat.interval.ms': 500 }),
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': nodes,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': nodes,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
  };
}

export function loggingProperties(dataDir: string, log4j2: boolean): string {
  const file = join(dataDir, 'broker.log');
  const pattern = '[%d] %p %m (%c)%n';
  if (!log4j2) {
    return text({
      'log4j.rootLogger': 'WARN, file',
      'log4j.appender.file': 'org.apache.log4j.FileAppender',
      'log4j.appender.file.File': file,
      'log4j.appender.file.layout': 'org.apache.log4j.PatternLayout',
      'log4j.appender.file.layout.ConversionPattern': pattern,
    });
  }
  return text({
    status: 'error',
    'appender.file.type': 'File',
    'appender.file.name': 'file',
    'appender.file.fileName': file,
    'appender.file.layout.type': 'PatternLayout',
    'appender.file.layout.pattern': pattern,
    'rootLogger.level': 'WARN',
    'rootLogger.appenderRef.file.ref': 'file',
  });
}

function text(properties: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
