/** A real Kafka broker on this machine: KRaft, broker and controller in one, 127.0.0.1 only, one child process. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../engine/errors.ts';
import { formatFolder } from './kafka-format.ts';
import { hasLog4j2, kafkaPrograms } from './kafka-jars.ts';
import type { KafkaPrograms } from './kafka-jars.ts';
import { coordinatorsReady } from './kafka-ready.ts';
import { loggingProperties, serverProperties } from './kafka-settings.ts';
import type { BrokerListener, ClusterMember } from './kafka-settings.ts';
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
  /** Its place in a cluster; alone in one of its own when absent. It is ready when its cluster is: start the others beside it. */
  readonly member?: ClusterMember;
  /** Kafka's own, in the place of ours. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Of Apache Kafka. */
  readonly version?: string | undefined;
  readonly log: Log;
  /** Aborting it during the start leaves nothing running. */
  readonly signal?: AbortSignal | undefined;
}

const START_TIMEOUT_MS = 120_000;
const PORT_TRIES = 3;
/** MiB, of a broker alone and of each of several. */
const HEAP = { alone: 512, member: 256 };
const JVM = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Djava.awt.headless=true'];

/** Ready for clients when it resolves. Errors: MISSING_PROGRAM; UNREACHABLE when it does not come up. */
export async function startKafkaBroker(options: KafkaBrokerOptions): Promise<KafkaBroker> {
  const programs = await kafkaPrograms(options);
  for (let attempt = 1; ; attempt++) {
    const [free = 0, controller = 0] = await freePorts(2);
    const port = options.port ?? free;
    const member = options.member ?? { nodeId: 1, controllerPorts: [controller] };
    try {
      return await startOn(port, member, programs, options);
    } catch (error) {
      // Somebody took a port between the choice and the bind.
      if (!(error instanceof PortTaken) || options.port !== undefined || attempt === PORT_TRIES) throw error;
    }
  }
}

class PortTaken extends CodedError {}

async function startOn(
  port: number,
  member: ClusterMember,
  programs: KafkaPrograms,
  { dataDir, listeners = [], settings = {}, signal: stopSignal }: KafkaBrokerOptions,
): Promise<KafkaBroker> {
  await mkdir(dataDir, { recursive: true });
  const properties = join(dataDir, 'server.properties');
  const logging = join(dataDir, 'log4j.properties');
  const log4j2 = hasLog4j2(programs.version);
  await writeFile(properties, serverProperties(dataDir, port, member, listeners, settings));
  await writeFile(logging, loggingProperties(dataDir, log4j2));
  const heap = member.controllerPorts.length > 1 ? HEAP.member : HEAP.alone;
  const jvm = [
    ...JVM,
    `-Xms${heap / 4}m`,
    `-Xmx${heap}m`,
    log4j2 ? `-Dlog4j2.configurationFile=${logging}` : `-Dlog4j.configuration=file:${logging}`,
  ];
  const java = (main: string): string[] => [...jvm, '-cp', programs.classPath, main];
  await formatFolder({
    folder: join(dataDir, 'data'),
    nodeId: member.nodeId,
    clusterId: member.clusterId,
    version: programs.version,
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
    const last = text
      .split('\n')
      .filter((line) => / (ERROR|FATAL) |Exception|Error/.test(line))
      .slice(-3)
      .join('\n');
    const Kind = /BindException|Address already in use/.test(text) ? PortTaken : CodedError;
    throw new Kind(
      'UNREACHABLE',
      `The Kafka broker on ${LOOPBACK}:${port} did not start. ${join(dataDir, 'broker.log')}: ${last}`,
      {
        cause: error,
      },
    );
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
