import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { acceptLogs } from '../../../src/engine/bridge/accept-logs.ts';
import { encodeMetadata } from '../../../src/engine/ordering/checkpoint.ts';
import { readPlace } from '../../../src/engine/bridge/committed-place.ts';
import { createClient, PATIENT_RETRY } from '../../../src/engine/kafka/kafkajs/client.ts';
import { createKafka } from '../../../src/engine/kafka/kafkajs/create-kafka.ts';
import type { KafkaJS } from '../../../src/engine/kafka/kafkajs/library.ts';
import { createPlainProducer } from '../../../src/engine/kafka/kafkajs/producer.ts';
import { openTransactions } from '../../../src/engine/kafka/open-transactions.ts';
import type { ProductProcess } from '../../../src/dev/product.ts';
import { silentLogger } from '../../../src/engine/log.ts';
import { program } from '../../cli/program.ts';
import { eventually } from '../../support/eventually.ts';
import { kafkaLab, uniqueId } from '../../support/kafka-lab.ts';
import { ownBroker } from '../../support/own-broker.ts';
import { startSystem } from '../../support/system.ts';
import { createTopics } from '../../support/create-topics.ts';

test('a topic that was deleted and made anew on a real broker is not taken for the old one, and goes on when a person has decided', async (t) => {
  const lab = await kafkaLab(t);
  const kafka = lab.port();
  const inputTopics = [await lab.topic(1), await lab.topic(1), await lab.topic(1)] as const;
  const appId = uniqueId('app');
  const options = { groupId: `${appId}-bridge`, partition: 0, inputTopics };
  const send = async (topic: string, offset: number, metadata = '') => {
    const producer = await kafka.fence(`${appId}-bridge-0`);
    const transaction = await producer.begin();
    await transaction.send(topic, 0, [
      { key: 'k', value: 'v' },
      { key: 'k', value: 'v' },
    ]);
    await transaction.sendOffsets(
      options.groupId,
      inputTopics.map((each) => ({ topic: each, partition: 0, offset: each === topic ? offset : 0, metadata })),
    );
    await transaction.commit();
    await producer.close();
  };

  /** As a bridge does: whoever fences sees all that was committed. */
  const place = async () => {
    await (await kafka.fence(`${appId}-bridge-0`)).close();
    return readPlace(kafka, options);
  };

  const first = await place();
  assert.ok(
    first.logs.names.every((name) => name.length === 11),
    'real brokers have ids',
  );
  assert.deepEqual([first.logs.partitions, first.committed.start.next], [1, [0, 0, 0]]);
  await send(inputTopics[2], 2, encodeMetadata({ maxTs: 1, watermark: 1, deadLettersBelow: 2, logs: first.logs }));
  assert.deepEqual((await place()).committed.start.next, [0, 0, 2]);

  const client = createClient(lab.config, silentLogger(), { retry: PATIENT_RETRY });
  const admin = client.kafka.admin();
  await admin.connect();
  t.after(async () => {
    await admin.disconnect();
    client.destroy();
  });
  await admin.deleteTopics({ topics: [inputTopics[2]] });
  await eventually('the topic to be gone', async () => (await kafka.partitionCounts([inputTopics[2]]))[0] === null);
  await createTopics(admin, [{ topic: inputTopics[2], numPartitions: 1 }]);
  await assert.rejects(place(), {
    code: 'LOG_CHANGED',
    message: new RegExp(`^${inputTopics[2]}, partition 0 belongs to another topic of that name`),
  });

  const accepted = await acceptLogs(kafka, {
    ...options,
    appId,
    partitions: 1,
    topics: [inputTopics[2]],
    from: 'beginning',
    dryRun: false,
  });
  assert.deepEqual(
    accepted.map(({ topic, offset }) => [topic, offset]),
    [[inputTopics[2], 0]],
  );
  const { logs, committed } = await place();
  assert.deepEqual(committed.start.next, [0, 0, 0]);
  assert.deepEqual([logs.names[0], logs.names[2] === first.logs.names[2]], [first.logs.names[0], false]);
});

test('a transaction of a producer that is open on a real broker is named, and nothing of it once it is over', async (t) => {
  const lab = await kafkaLab(t);
  const kafka = lab.port();
  const topic = await lab.topic(2);
  const producer = await kafka.fence(uniqueId('upstream'));
  const transaction = await producer.begin();
  await transaction.send(topic, 1, [{ key: 'k', value: 'v' }]);
  const [line, ...others] = await openTransactions(kafka, [topic], 2);
  assert.match(line ?? '', new RegExp(`^${topic}, partition 1: .* its 1 offsets from 0 to before 1 are not read`));
  assert.deepEqual(others, []);
  await transaction.commit();
  await eventually('the transaction to be over', async () => (await openTransactions(kafka, [topic], 2)).length === 0);
  await producer.close();
});

const U = [0, 1, 2].map((n) => `aaaaaaaa-0000-4000-8000-00000000000${n}`);
const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** Of partition 0. */
async function deleteBefore(admin: KafkaJS.Admin, topic: string, offset: string): Promise<void> {
  // It knows no leader of a topic that it was not asked about before.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] });
}

/** The product on a broker of its own: two partitions with a user each, money by its number. */
async function decisions(t: TestContext) {
  const { broker, cluster } = await ownBroker();
  const env = { ENRICHMENT_IDLE_TIMEOUT: '2s', ENRICHMENT_OUT_OF_ORDERNESS: '1s', ENRICHMENT_LOG_LEVEL: 'info' };
  const system = await startSystem(t, { partitions: 2, shards: 1, cluster, countOnly: true, env });
  const client = createClient(system.config.kafka!, silentLogger(), { retry: PATIENT_RETRY });
  const kafka = createKafka(system.config.kafka!, silentLogger());
  t.after(async () => {
    client.destroy();
    await kafka.close();
  });
  const { user, session, money: wallet } = system.config.topics;
  const inputs = [user, session, wallet];
  const lines: string[] = [];
  let bridge: ProductProcess | undefined;
  await system.start('worker');
  return {
    system,
    broker,
    wallet,
    inputs,
    kafka,
    async admin<T>(work: (admin: KafkaJS.Admin) => Promise<T>): Promise<T> {
      const admin = client.kafka.admin();
      await admin.connect();
      try {
        return await work(admin);
      } finally {
        await admin.disconnect();
      }
    },
    /** In a partition, of a user; `ahead`: ms of the producer's clock. */
    async give(n: number, partition: number, { user: of = partition, ahead = 0 } = {}): Promise<void> {
      const at = Date.now() + ahead;
      const value =
        `{"type":"PaymentEvent","id":"${uuid(n)}","userId":"${U[of]}","processedAt":"${new Date(at).toISOString()}","amount":1.5,"openingBalance":0,` +
        '"closingBalance":1.5,"currency":"EUR","moneyType":"BET","paymentRelatedThing":"x","isOldMoneyEvent":false}';
      // A new one each time: a log that was restored knows nothing of what a producer has sent since.
      const producer = await createPlainProducer(system.config.kafka!, silentLogger());
      await producer.send(wallet, [{ key: U[of]!, value, timestamp: at }], partition);
      await producer.close();
    },
    async startBridge(): Promise<void> {
      lines.length = 0;
      bridge = await system.start('bridge', { log: (line) => void lines.push(line) });
    },
    async stopBridge(): Promise<void> {
      await bridge!.stop();
    },
    /** Exactly these have come out, once each. */
    async out(...numbers: number[]): Promise<void> {
      await eventually(
        `the outputs ${numbers.join(', ')}`,
        () => system.outputs.length >= numbers.length,
        240_000,
      ).catch(() => undefined);
      const ids = system.outputs.map(({ value }) =>
        Number((JSON.parse(String(value)) as { money: { id: string } }).money.id.slice(-12)),
      );
      assert.deepEqual(
        ids.sort((a, b) => a - b),
        numbers,
      );
    },
    /** What `/readyz` says of the bridge. */
    waits: (pattern: RegExp) =>
      eventually(
        `the bridge to wait for a person: ${pattern}`,
        async () => {
          const { parts } = (await (await fetch(`${bridge!.httpUrl}/readyz`)).json()) as {
            parts: { bridge?: { problem?: string } };
          };
          return pattern.test(parts.bridge?.problem ?? '');
        },
        120_000,
      ),
    said: (pattern: RegExp) =>
      eventually(`the bridge to say ${pattern}`, () => lines.some((line) => pattern.test(line)), 60_000),
    async metric(name: string): Promise<number> {
      const text = await (await fetch(`${bridge!.httpUrl}/metrics`)).text();
      return [...text.matchAll(new RegExp(`^money_enrichment_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
        (sum, [, value]) => sum + Number(value),
        0,
      );
    },
    cli: (...args: string[]) => program(args, system.env),
  };
}

test(
  'logs that were made anew, cut, restored and grown on a real broker wait for a person, in the words of the product, and money goes on exactly',
  { timeout: 900_000 },
  async (t) => {
    const world = await decisions(t);
    const { wallet, broker, give, out, waits, cli, system } = world;
    const step = (what: string) => t.diagnostic(`${new Date().toISOString()} ${what}`);
    await world.startBridge();
    for (const [n, partition] of [
      [1, 0],
      [2, 1],
      [3, 0],
    ] as const) {
      await give(n, partition);
    }
    await out(1, 2, 3);

    step('deleted and made anew');
    await world.stopBridge();
    const settings = await world.kafka.topicSettings(wallet);
    const configEntries = [
      'cleanup.policy',
      'max.message.bytes',
      'message.timestamp.type',
      'message.timestamp.after.max.ms',
      'retention.ms',
    ].map((name) => ({ name, value: settings![name]! }));
    await world.admin((admin) => admin.deleteTopics({ topics: [wallet] }));
    await eventually('the topic to be gone', async () => (await world.kafka.partitionCounts([wallet]))[0] === null);
    await world.admin((admin) => createTopics(admin, [{ topic: wallet, numPartitions: 2, configEntries }]));
    await give(4, 0);
    await give(5, 1);
    await world.startBridge();
    const anew = `${wallet}, partition 0 belongs to another topic of that name than the one that was read, which was deleted and made anew: the committed offset went with it, it now holds the offsets from 0 to before 1. Nothing of it is processed until a person decides where to go on`;
    await waits(new RegExp(`^partition [01] waits, for \\d+ s: ${wallet}, partition [01] belongs to another topic`));
    const doctor = await cli('topics');
    assert.equal(doctor.code, 1);
    assert.ok(doctor.stdout.includes(`✗ ${anew}`), doctor.stdout);
    const unfinished = await cli('topics', '--accept', wallet);
    assert.deepEqual(
      [unfinished.code, unfinished.stderr],
      [
        2,
        'money-enrichment: --accept needs --from: beginning (all that the log holds is processed, as new records), end (none of it), or an ISO time\n',
      ],
    );
    const strange = await cli('topics', '--accept', 'another', '--from', 'end');
    assert.match(strange.stderr, /^money-enrichment: --accept another: expected one of /);
    const dry = await cli('topics', '--accept', wallet, '--from', 'beginning', '--dry-run');
    assert.equal(
      dry.stdout,
      `${wallet}, partition 0: would go on at offset 0\n${wallet}, partition 1: would go on at offset 0\n2 partitions would be accepted; bridges that wait go on by themselves.\n`,
    );
    await out(1, 2, 3);
    const accepted = await cli('topics', '--accept', wallet, '--from', 'beginning');
    assert.equal(
      accepted.stdout + accepted.stderr,
      `${wallet}, partition 0: goes on at offset 0\n${wallet}, partition 1: goes on at offset 0\n2 partitions accepted; bridges that wait go on by themselves.\n`,
    );
    await out(1, 2, 3, 4, 5);
    assert.equal(
      (await cli('topics', '--accept', wallet, '--from', 'end')).stdout,
      'No log of these topics is another one than was read.\n',
    );

    step('records deleted before they were read');
    await world.stopBridge();
    for (const n of [6, 7]) await give(n, 0);
    await world.admin((admin) => deleteBefore(admin, wallet, '2'));
    await world.startBridge();
    await out(1, 2, 3, 4, 5, 7);
    await world.said(
      new RegExp(
        `${wallet}, partition 0: the records from offset 1 to before 2 went from the topic before they were read, and are not processed: raise its retention`,
      ),
    );
    assert.equal(await world.metric('records_lost_total'), 1);

    step('restored from a copy, and grown beyond the committed place again');
    await world.stopBridge();
    const copy = join(await mkdtemp(join(tmpdir(), 'copy-')), 'log');
    t.after(() => rm(copy, { recursive: true, force: true }));
    await broker.stopped((logs) => cp(join(logs, `${wallet}-0`), copy, { recursive: true }));
    await give(8, 0);
    await world.startBridge();
    await out(1, 2, 3, 4, 5, 7, 8);
    await world.stopBridge();
    await broker.stopped(async (logs) => {
      await rm(join(logs, `${wallet}-0`), { recursive: true });
      await cp(copy, join(logs, `${wallet}-0`), { recursive: true });
    });
    const restoredAt = new Date().toISOString();
    for (const n of [9, 10]) await give(n, 0);
    await world.startBridge();
    await waits(
      new RegExp(
        `^partition 0 waits, for \\d+ s: ${wallet}, partition 0 was read up to offset 4, but at offset 3 is not the record that was read there, and it now holds the offsets from 2 to before 5: it was cut or restored, and has grown beyond that place again\\.`,
      ),
    );
    await give(11, 1);
    await out(1, 2, 3, 4, 5, 7, 8, 11);
    assert.match(
      (await cli('topics')).stdout,
      new RegExp(`✗ ${wallet}, partition 0 was read up to offset 4, but at offset 3 is not the record`),
    );
    assert.equal(
      (await cli('topics', '--accept', wallet, '--from', restoredAt)).stdout,
      `${wallet}, partition 0: goes on at offset 3, not at 4\n1 partition accepted; bridges that wait go on by themselves.\n`,
    );
    await out(1, 2, 3, 4, 5, 7, 8, 9, 10, 11);

    step('partitions added');
    await world.stopBridge();
    await world.admin((admin) =>
      admin.createPartitions({ topicPartitions: world.inputs.map((topic) => ({ topic, count: 3 })) }),
    );
    await give(12, 0);
    await give(13, 2);
    await world.startBridge();
    await waits(
      new RegExp(
        `^partition \\d waits, for \\d+ s: the inputs had 2 partitions when they were read last, and now ${world.inputs.map((topic) => `${topic} has 3`).join(', ')}: most keys are in another partition than before`,
      ),
    );
    const grown = await cli('topics', '--accept', wallet, '--from', 'end');
    assert.equal(
      grown.stdout,
      `${wallet}, partition 0: goes on at offset 5\n${wallet}, partition 1: goes on at offset 2\n2 partitions accepted; bridges that wait go on by themselves.\n`,
    );
    await out(1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13);

    step('a watermark that has run ahead');
    await give(14, 1, { user: 2, ahead: 3_000_000 });
    await out(1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14);
    await give(15, 1);
    await out(1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    assert.equal(await world.metric('records_late_total'), 1);
    await world.stopBridge();
    assert.match(
      (await cli('topics', '--reset-watermark', '1')).stdout,
      /^The watermark of partition 1 begins anew \(it was \d{4}-\d\d-\d\dT[\d:.]+Z\); bridges go on by themselves\.\n$/,
    );
    assert.deepEqual((await cli('topics', '--reset-watermark', '77')).code, 1);
    await world.startBridge();
    await give(16, 1);
    await out(1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
    assert.equal(await world.metric('records_late_total'), 0);
    assert.equal(system.deadLetters.length, 0);
  },
);

test('a record is found by its offset on a real broker: in its batch, a marker, of an aborted transaction, and not where it is gone', async (t) => {
  const lab = await kafkaLab(t);
  const kafka = lab.port();
  const topic = await lab.topic(1);
  const producer = await kafka.fence(uniqueId('upstream'));
  const transaction = await producer.begin();
  await transaction.send(
    topic,
    0,
    [0, 1, 2].map((n) => ({ key: `k${n}`, value: `v${n}`, timestamp: 1_000 + n })),
    { compressed: true },
  );
  await transaction.commit();
  await producer.close();
  const aborting = await lab.rawProducer();
  const aborted = await aborting.transaction();
  await aborted.send({ topic, messages: [{ key: 'k4', value: 'v4', partition: 0, timestamp: '1004' }] });
  await aborted.abort();
  const at = (offset: number) => kafka.recordAt!({ topic, partition: 0 }, offset);
  await eventually(
    'the markers to be written',
    async () => (await kafka.endOffsets([{ topic, partition: 0 }]))[0]?.end === 6,
  );
  assert.deepEqual(await at(1), { timestamp: 1_001, key: Buffer.from('k1'), value: Buffer.from('v1') });
  assert.equal(await at(3), null);
  assert.equal(String((await at(4))?.value), 'v4');
  assert.equal(await at(6), undefined);
  assert.equal(await at(100), undefined);
  const began = performance.now();
  await Promise.all(Array.from({ length: 300 }, () => at(2)));
  const told = performance.now();
  await Promise.all(Array.from({ length: 300 }, () => kafka.endOffsets([{ topic, partition: 0 }])));
  t.diagnostic(`300 at once: ${Math.round(told - began)} ms; their ends: ${Math.round(performance.now() - told)} ms`);

  const client = createClient(lab.config, silentLogger(), { retry: PATIENT_RETRY });
  const admin = client.kafka.admin();
  await admin.connect();
  await deleteBefore(admin, topic, '2');
  await admin.disconnect();
  client.destroy();
  assert.equal(await at(1), undefined);
  assert.equal(String((await at(2))?.value), 'v2');
});
