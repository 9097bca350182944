/** A real Kafka broker on this machine: KRaft, one node, 127.0.0.1 only, one child process. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EnrichmentError } from '../errors.ts';
import { formatFolder } from './kafka-format.ts';
import { kafkaPrograms } from './kafka-jars.ts';
import type { KafkaPrograms } from './kafka-jars.ts';
import { coordinatorsReady } from './kafka-ready.ts';
import { LOOPBACK, freePorts } from './ports.ts';
import { startChild } from './processes.ts';
import type { Child } from './processes.ts';
import type { Log } from './log.ts';

export interface KafkaBroker {
  readonly brokers: string[];
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): void;
}

export interface KafkaBrokerOptions {
  /** Data, configuration and logs (`broker.log`); may be an earlier broker's. */
  readonly dataDir: string;
  /** A free one when absent. */
  readonly port?: number;
  /** Further doors, for clients that come through a proxy: who connects there is sent to the advertised port. */
  readonly listeners?: readonly BrokerListener[];
  readonly log: Log;
  /** Aborting it during the start leaves nothing running. */
  readonly signal?: AbortSignal | undefined;
}

export interface BrokerListener {
  /** Capital letters and digits. */
  readonly name: string;
  readonly port: number;
  readonly advertisedPort: number;
}

const START_TIMEOUT_MS = 120_000;
const PORT_TRIES = 3;
const NODE_ID = 1;
const JVM = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Djava.awt.headless=true'];

/** Ready for clients when it resolves. Errors: MISSING_PROGRAM; UNREACHABLE when it does not come up. */
export async function startKafkaBroker(options: KafkaBrokerOptions): Promise<KafkaBroker> {
  const programs = await kafkaPrograms(options);
  for (let attempt = 1; ; attempt++) {
    const [free = 0, controller = 0] = await freePorts(2);
    const port = options.port ?? free;
    try {
      return await startOn(port, controller, programs, options);
    } catch (error) {
      // Somebody took a port between the choice and the bind.
      if (!(error instanceof PortTaken) || options.port !== undefined || attempt === PORT_TRIES) throw error;
    }
  }
}

class PortTaken extends EnrichmentError {}

async function startOn(
  port: number,
  controllerPort: number,
  programs: KafkaPrograms,
  { dataDir, listeners = [], signal: stopSignal }: KafkaBrokerOptions,
): Promise<KafkaBroker> {
  await mkdir(dataDir, { recursive: true });
  const properties = join(dataDir, 'server.properties');
  const logging = join(dataDir, 'log4j2.properties');
  await writeFile(properties, serverProperties(dataDir, port, controllerPort, listeners));
  await writeFile(logging, loggingProperties(dataDir));
  const java = (main: string): string[] => [...JVM, `-Dlog4j2.configurationFile=${logging}`, '-cp', programs.classPath, main];
  await formatFolder({
    folder: join(dataDir, 'data'),
    nodeId: NODE_ID,
    storageTool: [programs.java, ...java('kafka.tools.StorageTool')],
    signal: stopSignal,
  });

  stopSignal?.throwIfAborted();
  const output: string[] = [];
  const child = startChild(programs.java, [...java('kafka.Kafka'), properties], {
    name: 'kafka',
    onLine: (line) => void (output.length < 50 && output.push(line)),
  });
  try {
    await untilReady(child, port, stopSignal);
  } catch (error) {
    await child.stop();
    if (stopSignal?.aborted) throw error;
    const text = output.join('\n') + (await readFile(join(dataDir, 'broker.log'), 'utf8').catch(() => ''));
    const last = text.split('\n').filter((line) => / (ERROR|FATAL) |Exception|Error/.test(line)).slice(-3).join('\n');
    const Kind = /BindException|Address already in use/.test(text) ? PortTaken : EnrichmentError;
    throw new Kind('UNREACHABLE', `The Kafka broker on ${LOOPBACK}:${port} did not start. ${join(dataDir, 'broker.log')}: ${last}`, {
      cause: error,
    });
  }
  const stop = async (): Promise<void> => {
    await child.stop();
    await rm(join(dataDir, 'data', '.lock'), { force: true }); // Kafka leaves it, unlocked
  };
  return { brokers: [`${LOOPBACK}:${port}`], pid: child.pid, exited: child.exited, stop, kill: child.kill };
}

async function untilReady(child: Child, port: number, stopSignal?: AbortSignal): Promise<void> {
  const gone = new AbortController();
  void child.exited.then(() => gone.abort(new Error('it exited')));
  const signals = [gone.signal, AbortSignal.timeout(START_TIMEOUT_MS), ...(stopSignal ? [stopSignal] : [])];
  await coordinatorsReady(LOOPBACK, port, AbortSignal.any(signals));
}

function serverProperties(dataDir: string, port: number, controllerPort: number, further: readonly BrokerListener[]): string {
  const own = further.map((listener) => `,${listener.name}://${LOOPBACK}:${listener.port}`).join('');
  const advertised = further.map((listener) => `,${listener.name}://${LOOPBACK}:${listener.advertisedPort}`).join('');
  return text({
    'process.roles': 'broker,controller',
    'node.id': NODE_ID,
    'controller.quorum.voters': `${NODE_ID}@${LOOPBACK}:${controllerPort}`,
    listeners: `PLAINTEXT://${LOOPBACK}:${port},CONTROLLER://${LOOPBACK}:${controllerPort}${own}`,
    'advertised.listeners': `PLAINTEXT://${LOOPBACK}:${port}${advertised}`,
    'listener.security.protocol.map': ['PLAINTEXT', 'CONTROLLER', ...further.map(({ name }) => name)].map((name) => `${name}:PLAINTEXT`).join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(dataDir, 'data'),
    'auto.create.topics.enable': false,
    'default.replication.factor': 1,
    'min.insync.replicas': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
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
  });
}

function loggingProperties(dataDir: string): string {
  return text({
    status: 'error',
    'appender.file.type': 'File',
    'appender.file.name': 'file',
    'appender.file.fileName': join(dataDir, 'broker.log'),
    'appender.file.layout.type': 'PatternLayout',
    'appender.file.layout.pattern': '[%d] %p %m (%c)%n',
    'rootLogger.level': 'WARN',
    'rootLogger.appenderRef.file.ref': 'file',
  });
}

function text(properties: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
