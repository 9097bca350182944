import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WORKFLOW_TYPE } from '../../workflows/messages.ts';
import { deadLetter } from '../../src/engine/bridge/dead-letter.ts';
import { createKafka } from '../../src/engine/kafka/kafkajs/create-kafka.ts';
import { silentLogger } from '../../src/engine/log.ts';
import { bridgeGroupOf, taskQueueOf, workflowIdOf } from '../../src/engine/naming.ts';
import { connectTemporal } from '../../src/engine/temporal/connection.ts';
import { NO_ENCRYPTION } from '../../src/engine/temporal/key-provider.ts';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { eventually } from '../support/eventually.ts';
import { startSystem } from '../support/system.ts';
import { program } from './program.ts';

const RECORDS = 200;
const USERS = 2;

test('--dry-run says in numbers what would be done, and writes nothing; nor does doctor', async (t) => {
  const system = await startSystem(t, { partitions: 2, countOnly: true });
  const { env, config } = system;
  const traffic = trafficOptions({
    users: 5,
    events: RECORDS,
    seed: 3,
    start: Date.now() - 86_400_000,
    tooLarge: false,
  });
  await system.produce(generateTraffic(traffic));
  const kafka = createKafka(config.kafka!, silentLogger());
  t.after(() => kafka.close());
  const producer = await kafka.fence(`${config.appId}-test`);
  const transaction = await producer.begin();
  const letter = deadLetter(
    { topic: config.topics.session, partition: 0, offset: 1, timestamp: 1_769_853_600_000 },
    { key: Buffer.from(randomUUID()), value: null },
    { reason: 'malformed', detail: 'x' },
  );
  await transaction.send(config.topics.deadLetter, 0, [letter]);
  await transaction.commit();
  await producer.close();
  const { client, connection } = await connectTemporal(env, NO_ENCRYPTION);
  const handles: { terminate(): Promise<unknown> }[] = [];
  t.after(async () => {
    for (const handle of handles) await handle.terminate();
    await connection.close();
  });
  for (let user = 0; user < USERS; user++) {
    const workflowId = workflowIdOf(config.appId, randomUUID());
    handles.push(await client.workflow.start(WORKFLOW_TYPE, { workflowId, taskQueue: taskQueueOf(config.appId, 0) }));
  }
  const workflows = async (): Promise<number> =>
    (await client.workflow.count(`WorkflowId STARTS_WITH '${config.appId}/'`)).count;
  await eventually('the workflows are listed', async () => (await workflows()) === USERS);

  const folder = await mkdtemp(join(tmpdir(), 'dry-run-'));
  t.after(() => rm(folder, { recursive: true }));
  const out = join(folder, 'users.ndjson');
  const copy = `copy-${randomUUID()}`;
  const elsewhere = { ...env, ENRICHMENT_OUTPUT_TOPIC: copy };
  const topics = Object.values(config.topics);
  const places = topics.flatMap((topic) => [0, 1].map((partition) => ({ topic, partition })));
  const historyLengths = async (): Promise<number[]> => {
    const lengths: number[] = [];
    const query = `WorkflowId STARTS_WITH '${config.appId}/'`;
    for await (const { workflowId } of client.workflow.list({ query })) {
      lengths.push((await client.workflow.getHandle(workflowId).describe()).historyLength);
    }
    return lengths;
  };
  const world = async () => ({
    ends: await kafka.endOffsets(places),
    committed: await kafka.committedOffsets(bridgeGroupOf(config.appId), places),
    copies: await kafka.partitionCounts([copy, `${copy}-ledger`]),
    historyLengths: await historyLengths(),
  });

  const before = await world();
  const dry = async (args: readonly string[], own: NodeJS.ProcessEnv = env): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await program([...args, '--dry-run', '--json'], own);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  const doctor = await program(['doctor', '--json'], env);
  assert.equal(doctor.code, 0, doctor.stderr);
  const checks = JSON.parse(doctor.stdout) as readonly { level: string; subject: string; next: string | null }[];
  const levelOf = (subject: string) => checks.find((check) => check.subject === subject)?.level;
  assert.deepEqual([levelOf('broker settings'), levelOf('namespace default'), levelOf('Temporal')], ['ok', 'ok', 'ok']);
  assert.ok(checks.every(({ level, next }) => (level === 'ok') === (next === null)));
  const made = (await dry(['topics', '--shards', '3'], elsewhere))['topics'] as Record<string, unknown>[];
  assert.deepEqual(
    made.filter(({ wouldBeCreated }) => wouldBeCreated).map(({ topic, partitions }) => [topic, partitions]),
    [
      [copy, 3],
      [`${copy}-ledger`, 3],
    ],
  );
  const accepted = await dry(['topics', '--accept', config.topics.money, '--from', 'end']);
  assert.deepEqual(accepted, { dryRun: true, accepted: [] });
  const backfill = await dry(['backfill', '--output-topic', copy]);
  assert.deepEqual([backfill['exists'], backfill['partitions'], backfill['total']], [false, 2, RECORDS]);
  const bootstrap = await dry(['bootstrap']);
  assert.deepEqual([bootstrap['read'], bootstrap['started']], [RECORDS, 0]);
  const generated = await dry(['generate', '--events', '300']);
  assert.deepEqual([generated['records'], generated['into']], [300, env['KAFKA_BROKERS']]);
  const byTopic = Object.values(generated['byTopic'] as Record<string, number>);
  assert.equal(
    byTopic.reduce((sum, number) => sum + number, 0),
    300,
  );
  assert.equal((await dry(['dead-letters', 'retry', '--reason', 'malformed', '--force']))['records'], 1);
  assert.equal((await dry(['nudge']))['found'], USERS);
  assert.equal((await dry(['export', '--out', out]))['users'], USERS);
  assert.equal((await dry(['generate', '--events', '300', '--out', out]))['records'], 300);
  await assert.rejects(access(out), { code: 'ENOENT' });
  assert.deepEqual(await world(), before);
});
