/** Sizes on a real broker: what it refuses is a batch, as it is written, and each topic has a limit of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { KafkaConfig } from '../../src/engine/kafka/kafka-config.ts';
import { createClient, PATIENT_RETRY } from '../../src/engine/kafka/kafkajs/client.ts';
import { createKafka } from '../../src/engine/kafka/kafkajs/create-kafka.ts';
import { library } from '../../src/engine/kafka/kafkajs/library.ts';
import { moneyEvent, render } from '../../src/tools/generate/event-text.ts';
import { Random } from '../../src/engine/random.ts';
import { silentLogger } from '../../src/engine/log.ts';
import { eventually } from '../support/eventually.ts';
import { noise } from '../support/noise.ts';
import { startSystem, type ProducedRecord } from '../support/system.ts';

const START = Date.now() - 3_600_000;
/** bytes that the small topics take in one batch */
const SMALL = 100_000;

function money(
  random: Random,
  userId: string,
  ms: number,
  changed: { readonly amount?: string; readonly moneyType?: string } = {},
): ProducedRecord {
  const plain = {
    type: 'PaymentEvent',
    id: random.uuid(),
    userId,
    userSessionId: null,
    amount: '1.50',
    openingBalance: '0',
    closingBalance: '2',
    currency: 'EUR',
    moneyType: 'BET',
    isOldMoneyEvent: false,
  } as const;
  return {
    input: 'money',
    key: `"${userId}"`,
    value: render(moneyEvent({ ...plain, ...changed }, new Date(START + ms).toISOString()).fields),
    timestamp: START + ms,
  };
}

async function withAdmin<T>(
  kafka: KafkaConfig,
  run: (admin: ReturnType<ReturnType<typeof createClient>['kafka']['admin']>) => Promise<T>,
): Promise<T> {
  const client = createClient(kafka, silentLogger(), { retry: PATIENT_RETRY });
  const admin = client.kafka.admin();
  try {
    await admin.connect();
    return await run(admin);
  } finally {
    await admin.disconnect();
    client.destroy();
  }
}

async function limit(kafka: KafkaConfig, topics: readonly string[], bytes: number): Promise<void> {
  const { ConfigResourceTypes } = library();
  await withAdmin(kafka, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: topics.map((name) => ({
        type: ConfigResourceTypes.TOPIC,
        name,
        configEntries: Object.entries({
          'cleanup.policy': 'delete',
          'retention.ms': '-1',
          'max.message.bytes': String(bytes),
        }).map(([key, value]) => ({ name: key, value })),
      })),
    }),
  );
}

/** The dead letters that a bridge says it has cut. */
async function cutLetters(httpUrl: string): Promise<number> {
  const text = await (await fetch(`${httpUrl}/metrics`)).text();
  return Number(/^money_enrichment_dead_letters_cut_total(?:\{[^}]*\})? (\d+)$/m.exec(text)?.[1] ?? NaN);
}

async function committedToTheEnd(t: TestContext, kafka: KafkaConfig, appId: string, topic: string): Promise<void> {
  const port = createKafka(kafka, silentLogger());
  t.after(() => port.close());
  await eventually(`everything of ${topic} is committed`, async () => {
    const places = [{ topic, partition: 0 }];
    const [[committed], [bounds]] = await Promise.all([
      port.committedOffsets(`${appId}-bridge`, places),
      port.endOffsets(places),
    ]);
    return committed?.offset === bounds?.end;
  });
}

test(
  'a record of 3 MB that its producer wrote in a batch of 6 kB becomes one dead letter, its partition goes on',
  { timeout: 300_000 },
  async (t) => {
    const random = new Random(7);
    const system = await startSystem(t, { partitions: 1, shards: 1 });
    const kafka = system.config.kafka!;
    const users = Array.from({ length: 20 }, () => random.uuid());
    await system.produce(users.map((userId, n) => money(random, userId, n)));
    await system.produce([
      { input: 'money', key: `"${users[0]}"`, value: Buffer.alloc(3_000_000, 'x'), timestamp: START + 100 },
    ]);
    await system.produce(users.map((userId, n) => money(random, userId, 1_000 + n)));
    const [bridge] = await Promise.all([system.start('bridge'), system.start('worker')]);
    const expected = await system.expected();
    assert.deepEqual([expected.outputs.length, expected.deadLetters.length], [40, 1]);
    await system.matches(expected);
    const [letter] = system.deadLetters;
    assert.deepEqual(
      [letter!.headers['reason'], letter!.headers['value-cut'], letter!.value!.length],
      ['too-large', undefined, 3_000_000],
    );
    assert.equal(await cutLetters(bridge.httpUrl), 0);
    await committedToTheEnd(t, kafka, system.config.appId, system.config.topics.money);
  },
);

test(
  'dead letters and outputs of topics that take 100,000 bytes: each once, what no batch can carry is cut and its hash is right',
  { timeout: 480_000 },
  async (t) => {
    const random = new Random(8);
    const system = await startSystem(t, { partitions: 1, shards: 1, env: { ENRICHMENT_MAX_RECORD_BYTES: '65536' } });
    const kafka = system.config.kafka!;
    const { topics } = system.config;
    await limit(kafka, [topics.output, topics.deadLetter], SMALL);
    const users = Array.from({ length: 50 }, () => random.uuid());
    const unusable = (n: number, userId: string): ProducedRecord => {
      const bytes = (value: Buffer): ProducedRecord => ({
        input: 'money',
        key: `"${userId}"`,
        value,
        timestamp: START + n * 10,
      });
      // Larger than accepted: one that fits, one that fits just not, one that fits compressed, one that does not.
      if (n % 50 === 0) return bytes(noise(66_000));
      if (n % 50 === 1) return bytes(noise(SMALL - 300));
      if (n % 50 === 2) return bytes(Buffer.alloc(190_000, 'x'));
      if (n % 50 === 3) return bytes(noise(150_000));
      return n % 2 === 0
        ? bytes(Buffer.from(`no JSON ${n}`))
        : money(random, userId, n * 10, { moneyType: 'x'.repeat(1_001) });
    };
    const records = Array.from({ length: 1_500 }, (_, n) => {
      const userId = users[n % users.length]!;
      // The largest outputs fit one batch, never two of them.
      const amount = n % 100 === 7 ? `1.${'0123456789'.repeat(6_400)}` : '1.50';
      return [money(random, userId, n * 10, { amount }), unusable(n, userId)];
    }).flat();
    await system.produce(records);
    const started = Date.now();
    const [bridge] = await Promise.all([system.start('bridge'), system.start('worker')]);
    const expected = await system.expected();
    assert.deepEqual([expected.outputs.length, expected.deadLetters.length], [1_500, 1_500]);
    await system.matches(expected, 240_000);
    t.diagnostic(`1,500 outputs, 1,500 dead letters in ${Date.now() - started} ms`);
    const cut = system.deadLetters.filter(({ headers }) => headers['value-cut'] === 'true');
    const sizes = cut.map(({ headers }) => headers['value-bytes']);
    assert.deepEqual(
      [
        sizes.filter((bytes) => bytes === '150000').length,
        sizes.filter((bytes) => bytes === String(SMALL - 300)).length,
      ],
      [30, cut.length - 30],
    );
    assert.ok(
      cut.every(({ value }) => value!.length > SMALL / 2),
      'most of what a batch takes is kept',
    );
    assert.equal(await cutLetters(bridge.httpUrl), cut.length);
    await committedToTheEnd(t, kafka, system.config.appId, topics.money);
  },
);
