/** Workflows publish to Kafka, each record exactly once. Start any number of these processes, and kill any of them. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NativeConnection } from '@temporalio/worker';
import { kafkajs } from 'money-enrichment/kafka';
import { createPublisher, runServices } from 'money-enrichment/publisher';
import type { Invoice } from './workflow.js';

const { KAFKA_BROKERS = '127.0.0.1:9092', TEMPORAL_ADDRESS: address = '127.0.0.1:7233' } = process.env;

const publisher = createPublisher<Invoice>({
  appId: 'invoicing',
  topic: 'invoices',
  kafka: kafkajs({ brokers: KAFKA_BROKERS.split(',') }),
  connection: await NativeConnection.connect({ address }),
  encode: (invoice, customer) => ({ key: customer, value: JSON.stringify(invoice) }),
  worker: { workflowsPath: fileURLToPath(new URL(`./workflow${extname(import.meta.url)}`, import.meta.url)) },
});
await runServices({ publisher }, { onReady: () => console.log('READY') });
process.exit();
