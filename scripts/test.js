/**
 * The test command: `node scripts/test.js [--release] [--kafka VERSION|oldest|newest] [unit|int|e2e|FILE ...]`, everything by
 * default. `--release`: the sizes that are for a release (test/support/size.ts).
 *
 * The layers run one after the other, as one run with one summary: unit (*.test.ts), int (*.int.test.ts: Temporal's test
 * server), e2e (*.e2e.test.ts: real Kafka and Temporal, started once here; first the files that share the machine, side by
 * side, then the others). Exit code 0 only if all pass.
 */
import { execFile } from 'node:child_process';
import { setMaxListeners } from 'node:events';
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
/** Files. Those of a workflow or of commands mostly wait; an end-to-end one has several processes of its own. */
const AT_A_TIME = { unit: 3, int: 3, e2e: 2 };
/** End-to-end files that count what a while of the machine brings: they run one at a time, with nothing beside them. */
const ALONE = ['test/system/paused-worker.e2e.test.ts', 'verification/chaos/chaos.e2e.test.ts'];
/** Begun first: the longest ones of their layer. */
const FIRST = [
  'verification/simulation/simulation.test.ts',
  'verification/simulation/outages.test.ts',
  'verification/fuzz/lookup.test.ts',
  'test/security/secrets.test.ts',
  'verification/broken/broken.e2e.test.ts',
  'test/shipped/package.e2e.test.ts',
  'verification/chaos/three-brokers.e2e.test.ts',
];
const FILE_TIMEOUT_MS = 20 * 60_000;
const COUNTS = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

const abort = new AbortController();
// One for each file that runs.
setMaxListeners(0, abort.signal);
const log = (line) => console.error(line);

function selectFiles(args) {
  const all = ['test', 'verification']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true }).map((name) => join(folder, name)))
    .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
    .sort();
  if (args.length === 0) return all;
  return args.flatMap((arg) =>
    LAYERS.includes(arg) ? all.filter((file) => layerOf(file) === arg) : [relative(ROOT, resolve(arg))],
  );
}

function layerOf(file) {
  return /\.(int|e2e)\.test\.ts$/.exec(file)?.[1] ?? 'unit';
}

/** What runs after each other: files that run side by side. */
function phasesOf(layer, files) {
  const together = files.filter((file) => !ALONE.includes(file));
  const order = (file) => (FIRST.includes(file) ? FIRST.indexOf(file) : FIRST.length);
  together.sort((a, b) => order(a) - order(b));
  return [
    { files: together, concurrency: AT_A_TIME[layer] },
    { files: files.filter((file) => ALONE.includes(file)), concurrency: 1 },
  ].filter((phase) => phase.files.length > 0);
}

/** The events of the layers' runs, with the counts added up into one summary at the end. */
async function* runLayers(files, outcome, kafka) {
  const counts = new Map();
  for (const layer of LAYERS) {
    const chosen = files.filter((file) => layerOf(file) === layer);
    if (chosen.length === 0 || abort.signal.aborted) continue;
    const stop = layer === 'e2e' ? await startServers(kafka) : async () => undefined;
    try {
      for await (const event of eventsOf(phasesOf(layer, chosen))) {
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

async function* eventsOf(phases) {
  for (const { files, concurrency } of phases) {
    if (abort.signal.aborted) return;
    const paths = files.map((file) => join(ROOT, file));
    yield* run({ files: paths, concurrency, timeout: FILE_TIMEOUT_MS, signal: abort.signal });
  }
}

/** One broker (of version `kafka`) and one Temporal server for all end-to-end tests; those named by the environment are used instead. */
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

/** The product as it is published, for all processes that tests start of it; where it is not built, they run its sources. */
async function buildProduct() {
  const { openDataFolder } = await import('../src/dev/data-folder.ts');
  const folder = await openDataFolder();
  process.env.TEST_PRODUCT = join(folder.path, 'product');
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/build.js'), '--package', process.env.TEST_PRODUCT]);
  return () => folder.release();
}

async function main() {
  process.chdir(ROOT);
  process.execArgv.push('--import', 'tsx'); // node:test starts each file with the flags of this process
  register();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => abort.abort(new Error(`stopped by ${signal}`)));
  const outcome = { failed: false, tests: 0 };
  const { values, positionals } = parseArgs({
    options: { kafka: { type: 'string' }, release: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (values.release) process.env.TEST_RELEASE = '1';
  const files = selectFiles(positionals);
  let removeProduct = async () => undefined;
  try {
    if (files.some((file) => layerOf(file) === 'e2e') && !process.env.TEST_PRODUCT) {
      removeProduct = await buildProduct();
    }
    const report = Readable.from(runLayers(files, outcome, values.kafka)).compose(spec);
    for await (const text of report) process.stdout.write(text);
  } catch (error) {
    log(error.message);
    outcome.failed = true;
  } finally {
    await removeProduct();
  }
  if (outcome.tests === 0) log('No test ran.');
  process.exitCode = abort.signal.aborted ? 130 : outcome.failed || outcome.tests === 0 ? 1 : 0;
}

await main();
