/**
 * The test command: `node scripts/test.js [--release] [--kafka VERSION|oldest|newest] [unit|int|e2e|FILE ...]`, everything by
 * default. `--release`: the sizes that are for a release (test/support/size.ts), and the files that are only for it.
 *
 * The layers run one after the other, as one run with one summary: unit (*.test.ts, many of them in one process), int
 * (*.int.test.ts: Temporal's test server), e2e (*.e2e.test.ts: real Kafka and Temporal, started once here; first the files that
 * share the machine, side by side, then the others). Exit code 0 only if all pass.
 */
import { execFile } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { parseArgs, promisify } from 'node:util';
import { spec } from 'node:test/reporters';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { register } from 'tsx/esm/api';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LAYERS = ['unit', 'int', 'e2e'];
/** Files. Those of a workflow or of commands mostly wait; an end-to-end one has several processes of its own. */
const AT_A_TIME = { unit: 3, int: 3, e2e: 3 };
/** Unit-test files of one process: its start costs more than most of them do. */
const A_PROCESS = 12;
/** Files that run only by name or with `--release`: faults and outages of many minutes, an image, versions side by side. */
const FOR_RELEASE = [
  'verification/chaos/chaos.e2e.test.ts',
  'verification/chaos/three-brokers.e2e.test.ts',
  'verification/simulation/outages.test.ts',
  'test/system/outages.e2e.test.ts',
  'test/deployment/versions.e2e.test.ts',
  'test/shipped/image.e2e.test.ts',
];
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
/** Unit-test files with a process of their own, beside those above: they measure it. */
const MEASURES = /(growth|memory|stored-size|counts)[^/]*\.test\.ts$/;
const FILE_TIMEOUT_MS = 20 * 60_000;
const COUNTS = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

const abort = new AbortController();
// One for each file that runs.
setMaxListeners(0, abort.signal);
const log = (line) => console.error(line);

function selectFiles(args, release) {
  const all = ['test', 'verification']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true }).map((name) => join(folder, name)))
    .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
    .sort();
  const usual = release ? all : all.filter((file) => !FOR_RELEASE.includes(file));
  if (args.length === 0) return usual;
  return args.flatMap((arg) =>
    LAYERS.includes(arg) ? usual.filter((file) => layerOf(file) === arg) : [relative(ROOT, resolve(arg))],
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

/**
 * The paths that are run: of unit tests, files that import some of them each, written to `folder`. Such a process writes beside its
 * own that it has come to its end, with all files loaded: whatever ends it with exit code 0 would silence all that come after it.
 */
async function pathsOf(layer, files, folder) {
  const paths = files.map((file) => join(ROOT, file));
  if (layer !== 'unit') return paths;
  const alone = files.map((file) => FIRST.includes(file) || MEASURES.test(file));
  const shared = paths.filter((_, n) => !alone[n]);
  const processes = Math.ceil(shared.length / A_PROCESS);
  const written = await Promise.all(
    Array.from({ length: processes }, async (_, process) => {
      const path = join(folder, `${process}.test.mjs`);
      // Every so many-th: those of a folder, which are alike long, do not come together.
      const imports = shared.filter((_, n) => n % processes === process).map((file) => importing(pathToFileURL(file)));
      await writeFile(path, `${SHARED(endOf(path))}${imports.join('')}loaded = true;\n`);
      return path;
    }),
  );
  return [...paths.filter((_, n) => alone[n]), ...written];
}

const endOf = (path) => `${path}.ended`;
/** Not a hook of the tests: those after all of them also come when the tests of one file are over while the next one is loaded. */
const SHARED = (end) =>
  `import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
let loaded = false;
process.on('beforeExit', () => loaded && writeFileSync(${JSON.stringify(end)}, ''));
`;

/** A file that cannot be loaded is a failure of its own; the others run. */
function importing({ href }) {
  return `await import('${href}').catch((error) => test('${href}', () => { throw error; }));\n`;
}

/** The events of the layers' runs, with the counts added up into one summary at the end. */
async function* runLayers(files, outcome, kafka) {
  const counts = new Map();
  for (const layer of LAYERS) {
    const chosen = files.filter((file) => layerOf(file) === layer);
    if (chosen.length === 0 || abort.signal.aborted) continue;
    const began = performance.now();
    const stop = layer === 'e2e' ? await startServers(kafka) : async () => undefined;
    try {
      for await (const event of eventsOf(layer, phasesOf(layer, chosen), outcome)) {
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
    log(`${layer}: ${chosen.length} files, ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  }
  outcome.tests = counts.get('tests') ?? 0;
  for (const [name, value] of counts) {
    yield { type: 'test:diagnostic', data: { nesting: 0, message: `${name} ${value}`, level: 'info' } };
  }
}

async function* eventsOf(layer, phases, outcome) {
  const folder = await mkdtemp(join(tmpdir(), 'tests-'));
  try {
    for (const { files, concurrency } of phases) {
      if (abort.signal.aborted) return;
      const paths = await pathsOf(layer, files, folder);
      yield* run({ files: paths, concurrency, timeout: FILE_TIMEOUT_MS, signal: abort.signal });
      const silenced = paths.filter((path) => path.startsWith(folder) && !existsSync(endOf(path)));
      if (silenced.length === 0 || abort.signal.aborted) continue;
      outcome.failed = true;
      for (const path of silenced) {
        log(`Something ended its process before all had run, of these files:\n${await readFile(path, 'utf8')}`);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
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
  const files = selectFiles(positionals, values.release);
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
