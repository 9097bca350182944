/**
 * A broker of a test's own with whatever demands. Its door ADMIN, without authentication, is the administrator's: that user is a
 * super user of Kafka's own authorizer, where there is one.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDataFolder } from '../../src/dev/data-folder.ts';
import { formatFolder, freshId } from '../../src/dev/kafka-format.ts';
import { kafkaPrograms } from '../../src/dev/kafka-jars.ts';
import { coordinatorsReady } from '../../src/dev/kafka-ready.ts';
import { freePorts, LOOPBACK } from '../../src/dev/ports.ts';
import { runProgram, startChild } from '../../src/dev/processes.ts';

export interface SecuredBroker {
  /** `host:port` of the super user. */
  readonly admin: string;
  /** `host:port` of everybody else. */
  readonly secured: string;
  stop(): Promise<void>;
}

export const passwordOf = (user: string) => `password-of-${user}`;

/** With Kafka's own authorizer, SASL/PLAIN users, and nothing allowed that was not granted. */
export async function startSecuredBroker(users: readonly string[]): Promise<SecuredBroker> {
  const { addresses, stop } = await startDemandingBroker({
    listeners: { SECURED: 'SASL_PLAINTEXT' },
    properties: `sasl.enabled.mechanisms=PLAIN
listener.name.secured.plain.sasl.jaas.config=${plainUsers(users)}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
`,
  });
  return { admin: addresses['ADMIN']!, secured: addresses['SECURED']!, stop };
}

/** What a listener's JAAS configuration has of SASL/PLAIN. */
export function plainUsers(users: readonly string[]): string {
  const listed = users.map((user) => `user_${user}="${passwordOf(user)}"`).join(' ');
  return `org.apache.kafka.common.security.plain.PlainLoginModule required ${listed};`;
}

export interface Demands {
  /** Protocols of listeners by their names, in capitals. */
  readonly listeners: Readonly<Record<string, 'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT'>>;
  readonly properties: string;
  /** SCRAM mechanisms with which `user` is known. */
  readonly scram?: { readonly user: string; readonly mechanisms: readonly string[] };
  /** For the JVM. */
  readonly flags?: readonly string[];
}

/** `addresses`: `host:port` by the name of the listener, ADMIN among them. */
export async function startDemandingBroker({
  listeners,
  properties: demanded,
  scram,
  flags = [],
}: Demands): Promise<{ readonly addresses: Readonly<Record<string, string>>; stop(): Promise<void> }> {
  const folder = await openDataFolder();
  const programs = await kafkaPrograms({ log: () => undefined });
  const names = ['ADMIN', ...Object.keys(listeners)];
  const [controller = 0, ...ports] = await freePorts(names.length + 1);
  const addresses = Object.fromEntries(names.map((name, at) => [name, `${LOOPBACK}:${ports[at]}`]));
  const open = names.map((name) => `${name}://${addresses[name]}`).join(',');
  const protocols = Object.entries(listeners).map(([name, protocol]) => `${name}:${protocol}`);
  const dataDir = join(folder.path, 'kafka');
  await mkdir(dataDir, { recursive: true });
  const properties = join(dataDir, 'server.properties');
  const logging = join(dataDir, 'log4j2.properties');
  await writeFile(logging, 'status=off\nrootLogger.level=OFF\n');
  await writeFile(
    properties,
    `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@${LOOPBACK}:${controller}
listeners=${open},CONTROLLER://${LOOPBACK}:${controller}
advertised.listeners=${open}
listener.security.protocol.map=${['ADMIN:PLAINTEXT', 'CONTROLLER:PLAINTEXT', ...protocols].join(',')}
inter.broker.listener.name=ADMIN
controller.listener.names=CONTROLLER
log.dirs=${join(dataDir, 'data')}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
log.message.timestamp.after.max.ms=9223372036854775807
log.retention.ms=-1
${demanded}`,
  );
  const java = (main: string): string[] => [
    '-Xmx384m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dlog4j2.configurationFile=${logging}`,
    ...flags,
    '-cp',
    programs.classPath,
    main,
  ];
  const storageTool = java('kafka.tools.StorageTool');
  if (scram === undefined) {
    await formatFolder({ folder: join(dataDir, 'data'), nodeId: 1, storageTool: [programs.java, ...storageTool] });
  } else {
    const known = scram.mechanisms.flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${scram.user},password=${passwordOf(scram.user)}]`,
    ]);
    const { code, stdout, stderr } = await runProgram(
      programs.java,
      [...storageTool, 'format', '-t', freshId(), '-c', properties, ...known],
      {},
    );
    if (code !== 0) throw new Error(`the data folder could not be formatted: ${stdout}${stderr}`);
  }
  const output: string[] = [];
  const child = startChild(programs.java, [...java('kafka.Kafka'), properties], {
    name: 'kafka',
    onLine: (line) => void output.push(line),
  });
  const stop = async (): Promise<void> => {
    await child.stop();
    await folder.release();
  };
  const gone = new AbortController();
  void child.exited.then(() => gone.abort(new Error(`the broker ended: ${output.slice(-5).join('\n')}`)));
  try {
    await coordinatorsReady(LOOPBACK, ports[0]!, AbortSignal.any([gone.signal, AbortSignal.timeout(120_000)]));
  } catch (error) {
    await stop();
    throw error;
  }
  return { addresses, stop };
}
