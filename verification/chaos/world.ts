/** Everything that runs: brokers, Temporal, the service that is asked, two bridges and two workers, traffic, a reader that watches. */
import { mkdir } from 'node:fs/promises';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KafkaConfig } from '../../src/engine/kafka/kafka-config.ts';
import { createPlainProducer } from '../../src/engine/kafka/kafkajs/producer.ts';
import { openDataFolder } from '../../src/dev/data-folder.ts';
import { undoAll, unlessAborted } from '../../src/dev/together.ts';
import type { Undo } from '../../src/dev/together.ts';
import { silentLogger } from '../../src/engine/log.ts';
import { topicsOf } from './apps/app.ts';
import type { App } from './apps/app.ts';
import { startChaoticService } from './asked-service.ts';
import type { ChaoticService } from './asked-service.ts';
import { createBrokerEye } from './broker-eye.ts';
import type { BrokerEye } from './broker-eye.ts';
import { createCluster, lineUp } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import type { Role } from './plan.ts';
import { follow } from './reader.ts';
import type { Follower } from './reader.ts';
import { Progress } from './recovery.ts';
import { createBrokers, createTemporal, quietPorts } from './servers.ts';
import type { Server } from './servers.ts';
import { Slot } from './slot.ts';
import { createTemporalEye } from './temporal-eye.ts';
import type { TemporalEye } from './temporal-eye.ts';
import { bundle, startTcpProxy } from './tcp-proxy.ts';
import { startTraffic } from './traffic.ts';
import type { Traffic } from './traffic.ts';
import { digestOf, placeOf } from './verdict.ts';
import { createVolume } from './volume.ts';
import type { Volume } from './volume.ts';

/** The fifth is for a bridge that comes and goes. */
const SLOTS = ['bridge-1', 'bridge-2', 'worker-1', 'worker-2', 'bridge-3'] as const;

export interface WorldOptions {
  readonly app: App;
  readonly partitions: number;
  /** Where logs and the record of the run go. */
  readonly out: string;
  readonly brokers: number;
  /** Room for the data of each broker, which is in memory where a small file system can be mounted. */
  readonly megabytes: number;
  readonly onUnasked: (what: string) => void;
  /** A product that does not start is started again and again: this ends it. */
  readonly signal: AbortSignal;
}

export interface World {
  readonly app: App;
  /** The brokers themselves, not through a proxy. */
  readonly kafka: KafkaConfig;
  readonly partitions: number;
  readonly brokers: readonly Server[];
  readonly cluster: Cluster;
  readonly temporal: Server;
  /** Of each broker. */
  readonly volumes: readonly Volume[];
  readonly service: ChaoticService;
  /** The two of each role that are always there. */
  readonly slots: readonly Slot[];
  readonly visitor: Slot;
  readonly eye: BrokerEye;
  readonly temporalEye: TemporalEye;
  readonly traffic: Traffic;
  readonly progress: Progress;
  readonly follower: Follower;
  /** {@link digestOf} by {@link placeOf}, of outputs and dead letters as they became visible. */
  readonly seenLive: ReadonlyMap<string, string>;
  readonly deadLetters: number;
  slot(role: Role, number: 1 | 2): Slot;
  stop(): Promise<void>;
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const undo: Undo = [];
  try {
    return await start(options, undo);
  } catch (error) {
    await undoAll(undo);
    throw error;
  }
}

async function start(
  { app, partitions, out, brokers: count, megabytes, onUnasked, signal }: WorldOptions,
  undo: Undo,
): Promise<World> {
  await mkdir(out, { recursive: true });
  const log = (line: string): void => appendFileSync(join(out, 'servers.log'), `${line}\n`);
  const folder = await openDataFolder();
  undo.push(() => folder.release());
  const volumes: Volume[] = [];
  while (volumes.length < count) {
    const volume = await createVolume(megabytes);
    volumes.push(volume);
    undo.push(() => volume.release());
  }
  const service = await startChaoticService(app.service);
  undo.push(() => service.stop());

  const [temporalPort = 0, ...ports] = await quietPorts(1 + count * (2 + SLOTS.length));
  const take = (): number => ports.pop()!;
  const places = volumes.map(({ path }) => ({
    dataDir: path,
    port: take(),
    controllerPort: take(),
    doors: SLOTS.map(take),
  }));
  const links = await Promise.all(
    SLOTS.map(async (_, index) => {
      const proxies = await Promise.all(places.map(({ doors }) => startTcpProxy(doors[index]!)));
      return {
        ports: proxies.map(({ port }) => port),
        brokers: proxies,
        kafka: bundle(proxies),
        temporal: await startTcpProxy(temporalPort),
        service: await startTcpProxy(service.port),
      };
    }),
  );
  const brokers = createBrokers(
    places.map((place, broker) => ({
      ...place,
      listeners: SLOTS.map((name, index) => ({
        name: name.toUpperCase().replace('-', ''),
        port: place.doors[index]!,
        advertisedPort: links[index]!.ports[broker]!,
      })),
    })),
    log,
  );
  const temporal = createTemporal({ dataDir: join(folder.path, 'temporal'), port: temporalPort, log });
  undo.push(...brokers.map((broker) => () => broker.stop()), () => temporal.stop());
  await Promise.all([...brokers, temporal].map((server) => server.start()));

  const kafka: KafkaConfig = { brokers: brokers.map(({ port }) => `127.0.0.1:${port}`), ssl: false };
  const { topics } = app;
  await app.createTopics(kafka.brokers);
  const cluster = createCluster(brokers.map(({ port }) => port));
  undo.push(async () => cluster.close());
  await lineUp(cluster, topicsOf(app), count);

  const slots = SLOTS.map((name, index) => {
    const own = links[index]!;
    const role = name.startsWith('bridge') ? 'bridge' : 'worker';
    return new Slot({
      name,
      role,
      links: own,
      start: app.start(role, {
        brokers: own.ports.map((port) => `127.0.0.1:${port}`).join(),
        temporal: `127.0.0.1:${own.temporal.port}`,
        service: own.service.port,
      }),
      logFile: join(out, `${name}.log`),
      onUnasked,
    });
  });
  const [visitor, lasting] = [slots.at(-1)!, slots.slice(0, -1)];
  undo.push(async () => void (await Promise.all(slots.map((slot) => slot.close()))));

  const producer = await createPlainProducer(kafka, silentLogger());
  undo.push(() => producer.close());
  const eye = createBrokerEye(brokers.map(({ port }) => port));
  undo.push(async () => eye.close());
  const temporalEye = createTemporalEye(`127.0.0.1:${temporalPort}`);
  undo.push(() => temporalEye.close());
  const progress = new Progress(partitions, Date.now());
  const seenLive = new Map<string, string>();
  let deadLetters = 0;
  const follower = await follow(kafka.brokers.join(), [topics.output, topics.deadLetter], (record) => {
    seenLive.set(placeOf(record), digestOf(record));
    if (record.topic === topics.deadLetter) deadLetters += 1;
    else progress.onOutput(record.partition, app.eventTimeOf(record), Date.now());
  });
  undo.push(() => follower.stop());
  await unlessAborted(signal, Promise.all(lasting.map((slot) => slot.start())));
  const traffic = startTraffic(app.traffic, partitions, (input, records, partition) =>
    producer.send(topics.inputs[input]!, records, partition),
  );
  undo.push(() => traffic.abandon());

  let stopped: Promise<void> | undefined;
  return {
    app,
    kafka,
    partitions,
    brokers,
    cluster,
    temporal,
    volumes,
    service,
    slots: lasting,
    visitor,
    eye,
    temporalEye,
    traffic,
    progress,
    follower,
    seenLive,
    get deadLetters() {
      return deadLetters;
    },
    slot: (role, number) => lasting.filter((slot) => slot.role === role)[number - 1]!,
    stop: () => (stopped ??= undoAll(undo)),
  };
}
