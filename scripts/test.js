/**
 * The test command: `node scripts/test.js [--kafka VERSION|oldest|newest] [unit|int|e2e|FILE ...]`, everything by default.
 *
 * The layers run one after the other, as one run with one summary: unit (*.test.ts), int (*.int.test.ts: Temporal's test
 * server), e2e (*.e2e.test.ts: real Kafka and Temporal, started once here, one file at a time). Exit code 0 only if all pass.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { parseArgs, promisify } from 'node:util';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LAYERS = ['unit', 'int', 'e2e'];
/** Files: those of Temporal's test server mostly wait. */
const AT_A_TIME = { unit: 2, int: 3, e2e: 1 };
const FILE_TIMEOUT_MS = 20 * 60_000;
const COUNTS = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

const abort = new AbortController();
const log = (line) => console.error(line);

function selectFiles(args) {
  const all = ['test', 'verification']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true }).map((name) => join(folder, name)))
    .filter((name) => name.endsWith('.test.ts'))
    .sort();
  if (args.length === 0) return all;
  return args.flatMap((arg) =>
    LAYERS.includes(arg) ? all.filter((file) => layerOf(file) === arg) : [relative(ROOT, resolve(arg))],
  );
}

function layerOf(file) {
  return /\.(int|e2e)\.test\.ts$/.exec(file)?.[1] ?? 'unit';
}

/** The events of the layers' runs, with the counts added up into one summary at the end. */
async function* runLayers(files, outcome, kafka) {
  const counts = new Map();
  for (const layer of LAYERS) {
    const chosen = files.filter((file) => layerOf(file) === layer).map((file) => join(ROOT, file));
    if (chosen.length === 0 || abort.signal.aborted) continue;
    const stop = layer === 'e2e' ? await startServers(kafka) : async () => undefined;
    try {
      const options = { files: chosen, concurrency: AT_A_TIME[layer], timeout: FILE_TIMEOUT_MS, signal: abort.signal };
      for await (const event of run(options)) {
        const count =
          event.type === 'test:diagnostic' && event.data.nesting === 0 ? COUNTS.exec(event.data.message) : null;
        if (event.type === 'test:fail' && !event.data.todo) outcome.failed = true;
        if (event.type === 'test:summary') continue;
        if (count === null) yield event;
        else counts.set(count[1], (counts.get(count[1]) ?? 0) + Number(count[2]));
      }
    } finally {
      await stop();
    }
  }
  outcome.tests = counts.get('tests') ?? 0;
  for (const [name, value] of counts) {
    yield { type: 'test:diagnostic', data: { nesting: 0, message: `${name} ${value}`, level: 'info' } };
  }
}

/** The product, one broker (of version `kafka`) and one Temporal server for all end-to-end tests; those named by the environment are used instead. */
async function startServers(kafka) {
  const { openDataFolder } = await import('../src/dev/data-folder.ts');
  const { startKafka } = await import('../src/dev/kafka.ts');
  const { startTemporalServer } = await import('../src/dev/temporal-server.ts');
  const undo = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const folder = await openDataFolder();
    undo.push(() => folder.release());
    if (!process.env.TEST_PRODUCT) {
      const product = join(folder.path, 'product');
      await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/build.js'), '--package', product]);
      process.env.TEST_PRODUCT = product;
    }
    if (!process.env.TEST_KAFKA_BROKERS) {
      const { kafkaVersion } = await import('./kafka-versions.js');
      const version = kafka === undefined ? undefined : await kafkaVersion(kafka, abort.signal);
      if (version !== undefined) log(`End-to-end tests run on Apache Kafka ${version}.`);
      const broker = await startKafka({ dataDir: join(folder.path, 'kafka'), version, log, signal: abort.signal });
      undo.push(() => broker.stop());
      process.env.TEST_KAFKA_BROKERS = broker.brokers.join(',');
    }
    if (!process.env.TEST_TEMPORAL_ADDRESS) {
      const server = await startTemporalServer({ log, signal: abort.signal });
      undo.push(() => server.stop());
      process.env.TEST_TEMPORAL_ADDRESS = server.address;
    }
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function main() {
  process.chdir(ROOT);
  process.execArgv.push('--import', 'tsx'); // node:test starts each file with the flags of this process
  register();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => abort.abort(new Error(`stopped by ${signal}`)));
  const outcome = { failed: false, tests: 0 };
  const { values, positionals } = parseArgs({ options: { kafka: { type: 'string' } }, allowPositionals: true });
  try {
    const report = Readable.from(runLayers(selectFiles(positionals), outcome, values.kafka)).compose(spec);
    for await (const text of report) process.stdout.write(text);
  } catch (error) {
    log(error.message);
    outcome.failed = true;
  }
  if (outcome.tests === 0) log('No test ran.');
  process.exitCode = abort.signal.aborted ? 130 : outcome.failed || outcome.tests === 0 ? 1 : 0;
}

await main();
