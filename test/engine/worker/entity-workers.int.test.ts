/** Workers of entities with a data converter of the user's: payloads are encrypted on the way to Temporal, and all goes on as before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { defaultDataConverter, type LoadedDataConverter, type Payload, type PayloadCodec } from '@temporalio/common';
import { inputs } from '../../../examples/orders/events.ts';
import type { OrderEvent, Outcome } from '../../../examples/orders/rules.ts';
import { createBridge, signalEntities } from '../../../src/library/bridge.ts';
import { createPublisher } from '../../../src/library/publisher.ts';
import { kafkaInMemory } from '../../../src/library/testing.ts';
import { eventually } from '../../support/eventually.ts';
import { environment } from '../../workflows/harness.ts';

const SECRET = 'ada-lovelace';
const AT = Date.UTC(2026, 0, 1);

/** Turns every byte; that is enough to see what went through it. */
const turning: PayloadCodec = {
  encode: (payloads) =>
    Promise.resolve(
      payloads.map((payload) => ({ metadata: { encoding: Buffer.from('test/turned') }, data: turned(payload) })),
    ),
  decode: (payloads) =>
    Promise.resolve(
      payloads.map((payload) =>
        String(Buffer.from(payload.metadata?.['encoding'] ?? [])) === 'test/turned' ? unturned(payload) : payload,
      ),
    ),
};

function turned({ metadata, data }: Payload): Uint8Array {
  const encoding = String(Buffer.from(metadata?.['encoding'] ?? []));
  const text = JSON.stringify({ encoding, data: Buffer.from(data ?? []).toString('base64') });
  return Buffer.from(text).map((byte) => byte ^ 0xff);
}

function unturned({ data }: Payload): Payload {
  const text = Buffer.from(Buffer.from(data ?? []).map((byte) => byte ^ 0xff)).toString();
  const plain = JSON.parse(text) as { readonly encoding: string; readonly data: string };
  return { metadata: { encoding: Buffer.from(plain.encoding) }, data: Buffer.from(plain.data, 'base64') };
}

test('entities with a codec: nothing of an event is readable in the history, and what is emitted is right', async (t) => {
  const { env } = await environment('dev');
  const appId = `orders-${Date.now()}`;
  const kafka = kafkaInMemory();
  for (const { topic } of inputs) kafka.createTopic(topic, 1);
  kafka.createTopic('letters', 1);
  kafka.createTopic('outcomes', 1);
  kafka.createTopic('outcomes-ledger', 1);
  const dataConverter: LoadedDataConverter = { ...defaultDataConverter, payloadCodecs: [turning] };
  const client = new Client({ connection: env.connection, dataConverter });
  const asked: string[] = [];
  const services = [
    createBridge<OrderEvent>({
      appId,
      inputs,
      deadLetterTopic: 'letters',
      outOfOrderness: 0,
      idleTimeout: 200,
      kafka: kafka.port('bridge'),
      signaller: signalEntities(client.workflow, { workflowType: 'order', appId, shards: 1 }),
    }),
    createPublisher<Outcome>({
      appId,
      topic: 'outcomes',
      kafka: kafka.port('worker'),
      connection: env.nativeConnection,
      encode: (outcome, order) => ({ key: order, value: JSON.stringify(outcome) }),
      entities: {
        workflowsPath: fileURLToPath(new URL('./order-workflow.ts', import.meta.url)),
        inputs: inputs.map(({ topic }) => topic),
        dataConverter,
        questions: {
          cityOf: (customer: never) => {
            asked.push(customer);
            return Promise.resolve('London');
          },
        },
      },
    }),
  ];
  const ends = services.map((service) => service.run(() => undefined));
  t.after(async () => {
    for (const service of services) service.stop();
    await Promise.all(ends);
  });
  const at = (seconds: number): string => new Date(AT + seconds * 1_000).toISOString();
  const append = (topic: string, value: object): unknown =>
    kafka.append(topic, 0, { key: 'o-1', value: JSON.stringify({ order: 'o-1', ...value }), timestamp: AT });
  append('orders', { customer: SECRET, total: 5, at: at(0) });
  append('order-payments', { amount: 5, at: at(1) });
  append('order-shipments', { parcel: 'p', at: at(2) });
  await eventually('the outcome', () => kafka.committed('outcomes').length === 1, 60_000);
  assert.deepEqual(JSON.parse(String(kafka.committed('outcomes')[0]!.value)), {
    order: 'o-1',
    outcome: 'delivered',
    customer: SECRET,
    city: 'London',
    paid: 5,
    parcel: 'p',
  });
  assert.deepEqual(asked, [SECRET]);
  const { events } = await client.workflow.getHandle(`${appId}/o-1`).fetchHistory();
  const texts = [...bytesIn(events)].map((bytes) => Buffer.from(bytes).toString());
  assert.ok(texts.includes('test/turned'), 'payloads went through the codec');
  assert.deepEqual(
    texts.filter((text) => text.includes(SECRET)),
    [],
  );
});

function* bytesIn(value: unknown): Generator<Uint8Array> {
  if (value instanceof Uint8Array) yield value;
  else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) yield* bytesIn(one);
}
