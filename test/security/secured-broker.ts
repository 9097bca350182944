/**
 * A broker with Kafka's own authorizer, SASL/PLAIN users, and nothing allowed that was not granted. Its second door, without
 * authentication, is the administrator's: that user is a super user.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDataFolder } from '../../src/dev/data-folder.ts';
import { formatFolder } from '../../src/dev/kafka-format.ts';
import { kafkaPrograms } from '../../src/dev/kafka-jars.ts';
import { coordinatorsReady } from '../../src/dev/kafka-ready.ts';
import { freePorts, LOOPBACK } from '../../src/dev/ports.ts';
import { startChild } from '../../src/dev/processes.ts';

export interface SecuredBroker {
  /** `host:port` of the super user. */
  readonly admin: string;
  /** `host:port` of everybody else. */
  readonly secured: string;
  stop(): Promise<void>;
}

export const passwordOf = (user: string) => `password-of-${user}`;

export async function startSecuredBroker(users: readonly string[]): Promise<SecuredBroker> {
  const folder = await openDataFolder();
  const programs = await kafkaPrograms({ log: () => undefined });
  const [admin = 0, secured = 0, controller = 0] = await freePorts(3);
  const dataDir = join(folder.path, 'kafka');
  await mkdir(dataDir, { recursive: true });
  const properties = join(dataDir, 'server.properties');
  const logging = join(dataDir, 'log4j2.properties');
  const listed = users.map((user) => `user_${user}="${passwordOf(user)}"`).join(' ');
  await writeFile(logging, 'status=off\nrootLogger.level=OFF\n');
  await writeFile(
    properties,
    `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@${LOOPBACK}:${controller}
listeners=ADMIN://${LOOPBACK}:${admin},SECURED://${LOOPBACK}:${secured},CONTROLLER://${LOOPBACK}:${controller}
advertised.listeners=ADMIN://${LOOPBACK}:${admin},SECURED://${LOOPBACK}:${secured}
listener.security.protocol.map=ADMIN:PLAINTEXT,SECURED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=ADMIN
controller.listener.names=CONTROLLER
sasl.enabled.mechanisms=PLAIN
listener.name.secured.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required ${listed};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
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
`,
  );
  const java = (main: string): string[] => [
    '-Xmx384m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dlog4j2.configurationFile=${logging}`,
    '-cp',
    programs.classPath,
    main,
  ];
  await formatFolder({
    folder: join(dataDir, 'data'),
    nodeId: 1,
    storageTool: [programs.java, ...java('kafka.tools.StorageTool')],
  });
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
    await coordinatorsReady(LOOPBACK, admin, AbortSignal.any([gone.signal, AbortSignal.timeout(120_000)]));
  } catch (error) {
    await stop();
    throw error;
  }
  return { admin: `${LOOPBACK}:${admin}`, secured: `${LOOPBACK}:${secured}`, stop };
}
