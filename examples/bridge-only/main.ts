/** Kafka records, in the order of their event time, each once, into a workflow per account. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createBridge, signalWithStart, type Decoded, type RawKafkaRecord } from 'money-enrichment/bridge';
import { kafkajs } from 'money-enrichment/kafka';
import type { Payment } from './workflow.js';

const { KAFKA_BROKERS = '127.0.0.1:9092', TEMPORAL_ADDRESS: address = '127.0.0.1:7233' } = process.env;
const client = new Client({ connection: await Connection.connect({ address }) });

/** `{"account":"a-1","amount":5,"at":"2026-01-31T10:00:00Z"}` */
function decode({ value }: RawKafkaRecord): Decoded<Payment> {
  try {
    const { account, amount, at } = JSON.parse(String(value)) as Record<string, unknown>;
    const ts = Date.parse(String(at));
    if (typeof account === 'string' && typeof amount === 'number' && !Number.isNaN(ts)) {
      return { ok: true, key: account, ts, event: { amount }, urgent: true };
    }
    return { ok: false, reason: 'invalid', detail: 'expected account, amount and at' };
  } catch {
    return { ok: false, reason: 'malformed', detail: 'value: expected JSON' };
  }
}

const bridge = createBridge<Payment>({
  appId: 'accounts',
  inputs: [{ topic: 'payments', decode }],
  deadLetterTopic: 'payments-dead-letters',
  outOfOrderness: 2_000,
  idleTimeout: 2_000,
  kafka: kafkajs({ brokers: KAFKA_BROKERS.split(',') }),
  signaller: signalWithStart(client.workflow, {
    workflowType: 'account',
    workflowId: (account) => `account/${account}`,
    taskQueue: 'accounts',
  }),
});
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue: 'accounts',
  workflowsPath: fileURLToPath(new URL(`./workflow${extname(import.meta.url)}`, import.meta.url)),
});
process.once('SIGTERM', () => {
  bridge.stop();
  worker.shutdown();
});
await Promise.all([bridge.run(() => console.log('READY')), worker.run()]);
process.exit();
