/**
 * `npm run example -- NAME`: an example of `examples/` on a Kafka and a Temporal of its own, or on those that KAFKA_BROKERS and
 * TEMPORAL_ADDRESS name. It makes the topics, starts the example, sends its records, and says what to try. Ctrl-C ends all.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const [name = ''] = process.argv.slice(2);
const folder = join(ROOT, 'examples', name);
if (name === '' || !existsSync(join(folder, 'example.json'))) {
  console.error(`usage: npm run example -- orders|bridge-only|publish-only, not "${name}"`);
  process.exit(2);
}
// Examples use the package by its name, as a project of your own would: it has to be built.
const built = spawnSync(process.execPath, [join(ROOT, 'scripts/build.js')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

register();
const { openDataFolder } = await import('../src/dev/data-folder.ts');
const { startKafkaBroker } = await import('../src/dev/kafka-broker.ts');
const { startTemporalServer } = await import('../src/dev/temporal-server.ts');
const { createClient, PATIENT_RETRY } = await import('../src/engine/kafka/kafkajs/client.ts');
const { createPlainProducer } = await import('../src/engine/kafka/kafkajs/producer.ts');
const { tailTopics } = await import('../src/engine/kafka/kafkajs/tail.ts');
const { silentLogger } = await import('../src/engine/log.ts');
const { shardQueueOf } = await import('../src/library/publisher.ts');

const undo = [];
let stopping = false;
async function stop(code) {
  if (stopping) return;
  stopping = true;
  for (const step of undo.reverse()) await step();
  process.exit(code);
}
process.once('SIGINT', () => void stop(0));
process.once('SIGTERM', () => void stop(0));

const { topics, records, shows = [], try: lines } = JSON.parse(readFileSync(join(folder, 'example.json'), 'utf8'));
const { KAFKA_BROKERS, TEMPORAL_ADDRESS } = process.env;
const brokers = KAFKA_BROKERS?.split(',') ?? (await ownKafka());
const temporal = TEMPORAL_ADDRESS ?? (await ownTemporal());
const config = { brokers, ssl: false };

async function ownKafka() {
  const data = await openDataFolder();
  undo.push(() => data.release());
  const broker = await startKafkaBroker({ dataDir: join(data.path, 'kafka'), log: console.error });
  undo.push(() => broker.stop());
  return broker.brokers;
}

async function ownTemporal() {
  const server = await startTemporalServer({ log: console.error });
  undo.push(() => server.stop());
  console.log(`Temporal UI: ${server.uiAddress}`);
  return server.address;
}

const client = createClient(config, silentLogger(), { retry: PATIENT_RETRY });
const admin = client.kafka.admin();
await admin.connect();
await admin.createTopics({
  topics: Object.entries(topics).map(([topic, { partitions, compacted }]) => ({
    topic,
    numPartitions: partitions,
    replicationFactor: 1,
    configEntries: compacted ? [{ name: 'cleanup.policy', value: 'compact' }] : [],
  })),
});
await admin.disconnect();
client.destroy();

const log = join(mkdtempSync(join(tmpdir(), 'example-')), `${name}.log`);
const child = spawn(process.execPath, ['--import', 'tsx', join(folder, 'main.ts')], {
  cwd: ROOT,
  stdio: ['ignore', 'pipe', openSync(log, 'a')],
  env: { ...process.env, KAFKA_BROKERS: brokers.join(','), TEMPORAL_ADDRESS: temporal },
});
const ended = once(child, 'exit');
undo.push(async () => {
  child.kill('SIGTERM');
  await ended;
});
void ended.then(([code]) => {
  if (!stopping) console.error(`the example ended with ${code}: see ${log}`);
  void stop(code ?? 1);
});
child.stdout.on('data', (data) => process.stdout.write(data));
await once(child.stdout, 'data');

const producer = await createPlainProducer(config, silentLogger());
for (const { topic, key, value } of records) await producer.send(topic, [{ key, value: JSON.stringify(value) }]);
await producer.close();

console.log(`Kafka: ${brokers.join(',')}   Temporal: ${temporal}   log: ${log}`);
console.log(`${records.length} records were sent. Try:`);
for (const line of lines) {
  const text = line.replace(/\{queue:([^:]+):([^:]+):(\d+)\}/g, (_, appId, key, shards) =>
    shardQueueOf(appId, key, Number(shards)),
  );
  console.log(`  ${text} --address ${temporal}`);
}

/** What comes out, as it comes. */
if (shows.length > 0) {
  const tail = await tailTopics(config, shows, silentLogger());
  undo.push(() => tail.close());
  let shown = 0;
  const timer = setInterval(() => {
    for (; shown < tail.records.length; shown += 1) {
      console.log(`${tail.records[shown].topic}: ${tail.records[shown].value}`);
    }
  }, 200);
  undo.push(async () => clearInterval(timer));
}
