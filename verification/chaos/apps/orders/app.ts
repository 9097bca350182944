/** `examples/orders`: its program, as two bridges and two workers. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inputs } from '../../../../examples/orders/events.ts';
import { createClient, PATIENT_RETRY } from '../../../../src/engine/kafka/kafkajs/client.ts';
import { silentLogger } from '../../../../src/engine/log.ts';
import { ledgerTopicOf } from '../../../../src/engine/naming.ts';
import type { App, AppOptions, AppTopics } from '../app.ts';
import { topicsOf } from '../app.ts';
import { expectationOf } from './expectation.ts';
import { eventTimeIn, ordersTraffic } from './traffic.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const OUTPUT = 'order-outcomes';
const TOPICS: AppTopics = {
  inputs: inputs.map(({ topic }) => topic),
  output: OUTPUT,
  deadLetter: 'order-dead-letters',
  ledger: ledgerTopicOf(OUTPUT),
};
/** ms. Silence is not what is tested: only at the end may a partition be taken for idle. */
const IDLE = 30_000;

export async function ordersApp(options: AppOptions): Promise<App> {
  const { partitions, outage } = options;
  const folder = await project(options);
  const idleTimeout = outage === undefined ? IDLE : outage.lasts + 60_000;
  return {
    appId: 'orders',
    idleTimeout,
    topics: TOPICS,
    createTopics: (brokers) => createTopics(brokers, partitions),
    service: {
      path: '/',
      field: 'city',
      answer: (customer) => `the city of ${customer}`,
      // Its client takes an answer of any length, and puts a sign in the place of what is no UTF-8.
      believed: ['huge', 'not-utf-8'],
    },
    traffic: ordersTraffic(options),
    start: (_, { brokers, temporal, service }) => ({
      command: [process.execPath, '--import', TSX, join(folder, 'examples', 'orders', 'main.ts')],
      env: {
        KAFKA_BROKERS: brokers,
        TEMPORAL_ADDRESS: temporal,
        CITIES_URL: `http://127.0.0.1:${service}`,
        IDLE_TIMEOUT_MS: String(idleTimeout),
      },
      portSetting: 'HEALTH_PORT',
    }),
    metrics: { held: { bridge: 'held_partitions', worker: 'held_partitions' } },
    eventTimeOf: ({ key }) => eventTimeIn(String(key)),
    expectation: (logs, outputs) => expectationOf(logs, TOPICS.inputs, outputs),
  };
}

const TSX = import.meta.resolve('tsx');

/** A folder in which the example finds the package by its name, as it is published. */
async function project({ product, out }: AppOptions): Promise<string> {
  let built = product;
  if (!existsSync(join(product, 'dist', 'src', 'library'))) {
    built = join(out, 'product');
    const { status } = spawnSync(process.execPath, [join(product, 'scripts', 'build.js'), '--package', built], {
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error(`the product in ${product} cannot be built`);
  }
  const folder = join(out, 'project');
  await mkdir(join(folder, 'examples'), { recursive: true });
  for (const name of ['dist', 'node_modules']) await symlink(join(built, name), join(folder, name));
  await cp(join(built, 'package.json'), join(folder, 'package.json'));
  await cp(join(ROOT, 'examples', 'orders'), join(folder, 'examples', 'orders'), { recursive: true });
  return folder;
}

async function createTopics(brokers: readonly string[], numPartitions: number): Promise<void> {
  const client = createClient({ brokers, ssl: false }, silentLogger(), { retry: PATIENT_RETRY });
  const admin = client.kafka.admin();
  try {
    await admin.connect();
    await admin.createTopics({
      waitForLeaders: true,
      topics: topicsOf({ topics: TOPICS }).map((topic) => ({
        topic,
        numPartitions,
        replicationFactor: Math.min(3, brokers.length),
        configEntries: [
          { name: 'min.insync.replicas', value: brokers.length >= 3 ? '2' : '1' },
          { name: 'retention.ms', value: '-1' },
          ...(topic === TOPICS.ledger ? [{ name: 'cleanup.policy', value: 'compact' }] : []),
        ],
      })),
    });
  } finally {
    await admin.disconnect();
    client.destroy();
  }
}
