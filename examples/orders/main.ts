/**
 * Orders, their payments and their shipments, from three topics into one workflow per order; what became of each comes out once.
 * `main.ts [bridge|worker]`: that half of it, or both in one process. Of each any number may run.
 */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { createBridge, runServices, signalEntities, type Service } from 'money-enrichment/bridge';
import { kafkajs } from 'money-enrichment/kafka';
import { createPublisher } from 'money-enrichment/publisher';
import { anyCity, cities } from './cities.js';
import { inputs } from './events.js';
import type { OrderEvent, Outcome } from './rules.js';

/** Partitions of the topic "order-outcomes", which never change. */
const SHARDS = 4;

const {
  KAFKA_BROKERS = '127.0.0.1:9092',
  TEMPORAL_ADDRESS: address = '127.0.0.1:7233',
  CITIES_URL,
  IDLE_TIMEOUT_MS = '2000',
  HEALTH_PORT,
} = process.env;

const kafka = kafkajs({ brokers: KAFKA_BROKERS.split(',') });

async function bridge(): Promise<Service> {
  const client = new Client({ connection: await Connection.connect({ address }) });
  return createBridge<OrderEvent>({
    appId: 'orders',
    inputs,
    deadLetterTopic: 'order-dead-letters',
    outOfOrderness: 2_000,
    idleTimeout: Number(IDLE_TIMEOUT_MS),
    kafka,
    signaller: signalEntities(client.workflow, { workflowType: 'order', appId: 'orders', shards: SHARDS }),
  });
}

async function worker(): Promise<Service> {
  return createPublisher<Outcome>({
    appId: 'orders',
    topic: 'order-outcomes',
    shards: SHARDS,
    kafka,
    connection: await NativeConnection.connect({ address }),
    encode: (outcome, order) => ({ key: order, value: JSON.stringify(outcome) }),
    entities: {
      workflowsPath: fileURLToPath(new URL(`./workflow${extname(import.meta.url)}`, import.meta.url)),
      inputs: inputs.map(({ topic }) => topic),
      questions: { cityOf: CITIES_URL === undefined ? anyCity : cities(CITIES_URL) },
    },
  });
}

const [half] = process.argv.slice(2);
await runServices(
  {
    ...(half !== 'worker' && { bridge: await bridge() }),
    ...(half !== 'bridge' && { worker: await worker() }),
  },
  { healthPort: HEALTH_PORT === undefined ? undefined : Number(HEALTH_PORT), onReady: () => console.log('READY') },
);
process.exit();
