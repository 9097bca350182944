/** Orders, their payments and their shipments, from three topics into one workflow per order; what became of each comes out once. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { createBridge, signalEntities, type Decoded, type RawKafkaRecord } from 'money-enrichment/bridge';
import { kafkajs } from 'money-enrichment/kafka';
import { createPublisher } from 'money-enrichment/publisher';
import type { OrderEvent, Outcome } from './rules.js';

/** Partitions of the topic "order-outcomes", which never change. */
const SHARDS = 4;

const { KAFKA_BROKERS = '127.0.0.1:9092', TEMPORAL_ADDRESS: address = '127.0.0.1:7233' } = process.env;

type Fields = Readonly<Record<string, unknown>>;

/** Values are JSON: `order` and `at` (ISO 8601) of every record, and what the topic's event has. */
function decoderOf(read: (fields: Fields) => OrderEvent | undefined): (record: RawKafkaRecord) => Decoded<OrderEvent> {
  return ({ value }) => {
    let fields: Fields;
    try {
      fields = Object(JSON.parse(String(value))) as Fields;
    } catch {
      return { ok: false, reason: 'malformed', detail: 'value: expected JSON' };
    }
    const { order, at } = fields;
    const event = read(fields);
    const ts = typeof at === 'string' ? Date.parse(at) : NaN;
    if (typeof order !== 'string' || Number.isNaN(ts) || event === undefined) {
      return { ok: false, reason: 'invalid', detail: 'a field is missing or of another type' };
    }
    return { ok: true, key: order, ts, event, urgent: true };
  };
}

const text = (value: unknown): value is string => typeof value === 'string' && value !== '';
const cents = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

const inputs = [
  {
    topic: 'orders',
    decode: decoderOf(({ customer, total }) =>
      text(customer) && cents(total) ? { type: 'ordered', customer, total } : undefined,
    ),
  },
  {
    topic: 'order-payments',
    decode: decoderOf(({ amount }) => (cents(amount) ? { type: 'paid', amount } : undefined)),
  },
  {
    topic: 'order-shipments',
    decode: decoderOf(({ parcel }) => (text(parcel) ? { type: 'shipped', parcel } : undefined)),
  },
];

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
