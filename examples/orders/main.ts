/** Orders, their payments and their shipments, from three topics into one workflow per order; what became of each comes out once. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { createBridge, signalEntities } from 'money-enrichment/bridge';
import { kafkajs } from 'money-enrichment/kafka';
import { createPublisher } from 'money-enrichment/publisher';
import { inputs } from './events.js';
import type { OrderEvent, Outcome } from './rules.js';

/** Partitions of the topic "order-outcomes", which never change. */
const SHARDS = 4;

const { KAFKA_BROKERS = '127.0.0.1:9092', TEMPORAL_ADDRESS: address = '127.0.0.1:7233' } = process.env;

/** The question to the outside; a real one would be an HTTP request. */
const cityOf = async (customer: string): Promise<string> => `the city of ${customer}`;

const kafka = kafkajs({ brokers: KAFKA_BROKERS.split(',') });
const client = new Client({ connection: await Connection.connect({ address }) });
const bridge = createBridge<OrderEvent>({
  appId: 'orders',
  inputs,
  deadLetterTopic: 'order-dead-letters',
  outOfOrderness: 2_000,
  idleTimeout: 2_000,
  kafka,
  signaller: signalEntities(client.workflow, { workflowType: 'order', appId: 'orders', shards: SHARDS }),
});
const publisher = createPublisher<Outcome>({
  appId: 'orders',
  topic: 'order-outcomes',
  kafka,
  connection: await NativeConnection.connect({ address }),
  encode: (outcome, order) => ({ key: order, value: JSON.stringify(outcome) }),
  entities: {
    workflowsPath: fileURLToPath(new URL(`./workflow${extname(import.meta.url)}`, import.meta.url)),
    inputs: inputs.map(({ topic }) => topic),
    questions: { cityOf },
  },
});
process.once('SIGTERM', () => {
  bridge.stop();
  publisher.stop();
});
const ready: string[] = [];
const isReady = (what: string) => () => {
  if (ready.push(what) === 2) console.log('READY');
};
await Promise.all([bridge.run(isReady('bridge')), publisher.run(isReady('publisher'))]);
process.exit();
