/** The programs that `dev` starts: up, usable, and gone without a trace, however their end comes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startKafkaBroker } from '../../src/dev/kafka-broker.ts';
import { accepts } from '../../src/dev/ports.ts';
import { isAlive } from '../../src/dev/processes.ts';
import { startTemporalServer } from '../../src/dev/temporal-server.ts';
import { createSchemaRegistry } from '../../src/engine/schema-registry/client.ts';
import { PROGRAM } from '../support/product.ts';

const PARENT = fileURLToPath(new URL('fixtures/parent.ts', import.meta.url));
const MARK = 'ENRICHMENT_TEST_MARK';
const log = (line: string): void => console.error(line);
const needsProc = { skip: existsSync('/proc/self/environ') ? false : 'needs /proc' };

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'local-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `not within ${ms} ms: ${what}`);
    await sleep(50);
  }
}

/** Pids of all processes that inherited the mark, however deep. */
function marked(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${mark}`);
      } catch {
        return false; // ended meanwhile, or another user's
      }
    })
    .map(Number);
}

interface Run {
  readonly child: ChildProcess;
  readonly mark: string;
  stdout(): string;
  stderr(): string;
  ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

function run(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>>): Run {
  const mark = randomUUID();
  const own: NodeJS.ProcessEnv = { ...process.env, ...env, [MARK]: mark };
  for (const name of ['KAFKA_BROKERS', 'TEMPORAL_ADDRESS']) delete own[name];
  const child = spawn(process.execPath, args, { env: own, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes: Buffer) => (output.stdout += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (output.stderr += bytes.toString()));
  const end = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  t.after(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  });
  return { child, mark, stdout: () => output.stdout, stderr: () => output.stderr, ended: () => end };
}

test('a broker starts, stops and comes back with its data folder', async (t) => {
  const dataDir = await folderFor(t);
  for (let round = 0; round < 2; round++) {
    const broker = await startKafkaBroker({ dataDir, log });
    const port = Number(broker.brokers[0]?.split(':')[1]);
    assert.match(broker.brokers.join(), /^127\.0\.0\.1:\d+$/);
    assert.equal(await accepts(port), true);
    await broker.stop();
    assert.equal(isAlive(broker.pid), false);
    await until('its group is gone', () => !isAlive(-broker.pid), 10_000);
    assert.equal(await accepts(port), false);
    assert.equal((await readdir(join(dataDir, 'data'))).includes('.lock'), false);
  }
});

test('a Temporal server starts with its UI, keeps its state in a file, stops', async (t) => {
  const server = await startTemporalServer({ dataDir: await folderFor(t), namespace: 'another', log });
  assert.equal((await fetch(server.uiAddress)).status, 200);
  await server.stop();
  assert.equal(isAlive(server.pid), false);
  await until('its group is gone', () => !isAlive(-server.pid), 10_000);
});

test('a start that is aborted leaves nothing running', needsProc, async (t) => {
  const mark = randomUUID();
  process.env[MARK] = mark;
  t.after(() => delete process.env[MARK]);
  const dataDir = await folderFor(t);
  for (const ms of [0, 200, 1_000]) {
    const abort = new AbortController();
    const started = Promise.allSettled([
      startKafkaBroker({ dataDir, log, signal: abort.signal }),
      startTemporalServer({ log, signal: abort.signal }),
    ]);
    await sleep(ms);
    abort.abort(new Error('stop'));
    for (const result of await started) if (result.status === 'fulfilled') await result.value.stop();
    await until('only this process is left', () => marked(mark).filter((pid) => pid !== process.pid).length === 0);
  }
});

test('when their parent is killed by SIGKILL, the servers end by themselves', async (t) => {
  const { child, stdout } = run(t, ['--import', 'tsx', PARENT, await folderFor(t)], {});
  await until('the servers are up', () => stdout().includes('\n'));
  const pids = JSON.parse(stdout()) as number[];
  assert.deepEqual(pids.map(isAlive), [true, true]);
  child.kill('SIGKILL');
  await until('both are gone', () => !pids.some((pid) => isAlive(pid) || isAlive(-pid)), 20_000);
});

for (const [signal, ms] of [
  ['SIGINT', 100],
  ['SIGTERM', 600],
  ['SIGINT', 1_000],
  ['SIGINT', 1_800],
  ['SIGTERM', 3_000],
  ['SIGINT', 5_000],
] as const) {
  test(`${signal} after ${ms} ms of dev leaves no process, no file and no lock`, needsProc, async (t) => {
    const temporary = await folderFor(t);
    const dev = run(t, [PROGRAM, 'dev'], { TMPDIR: temporary, ENRICHMENT_METRICS_PORT: '0' });
    await sleep(ms);
    dev.child.kill(signal);
    const end = await dev.ended();
    // Before its handlers are there the signal itself ends it, and nothing has been started.
    assert.ok(
      end.code === 0 || (dev.stderr() === '' && end.signal === signal),
      `${JSON.stringify(end)} ${dev.stderr()}`,
    );
    // What a process killed by the signal had started ends as soon as it sees that.
    await until('no process is left', () => marked(dev.mark).length === 0, 5_000);
    const left = (await readdir(temporary)).filter((name) => name.startsWith('money-enrichment'));
    assert.deepEqual(left, []);
  });
}

test(
  'a signal while programs are fetched leaves no process, and neither lock nor half of an entry',
  needsProc,
  async (t) => {
    const cache = await folderFor(t);
    const dev = run(t, [PROGRAM, 'dev', '--infra'], { MONEY_ENRICHMENT_CACHE: cache });
    await until('it fetches', () => /Fetching/.test(dev.stderr()));
    dev.child.kill('SIGINT');
    assert.deepEqual(await dev.ended(), { code: 0, signal: null });
    assert.deepEqual(marked(dev.mark), []);
    assert.deepEqual(
      (await readdir(cache)).filter((name) => /\.(lock|part)$/.test(name)),
      [],
    );
  },
);

test(
  'dev --infra --avro --data says READY on stdout, and its folder serves the next run, with its schemas',
  needsProc,
  async (t) => {
    const folder = await folderFor(t);
    for (let round = 0; round < 2; round++) {
      const dev = run(t, [PROGRAM, 'dev', '--infra', '--avro', '--partitions', '2', '--data', folder], {});
      await until('it is ready', () => dev.stdout().includes('\n') || dev.child.exitCode !== null);
      assert.match(dev.stdout(), /^READY \{.*\}\n$/, dev.stderr());
      const ready = JSON.parse(dev.stdout().slice('READY '.length)) as Record<string, string>;
      assert.deepEqual(Object.keys(ready), [
        'kafka',
        'temporal',
        'temporalUi',
        'sessionService',
        'codecServer',
        'schemaRegistry',
      ]);
      assert.equal(await (await fetch(`${ready['sessionService']}/sessions/x`)).text(), '{"clientCountryCode":"UY"}');
      const registry = createSchemaRegistry([ready['schemaRegistry']!]);
      assert.equal(await registry.subjects(), round);
      assert.equal(await registry.register('s', '{"type":"record","name":"R","fields":[]}'), 1);
      assert.equal(/Created the topics/.test(dev.stderr()), round === 0);
      if (round === 0) {
        const second = run(t, [PROGRAM, 'dev', '--infra', '--data', folder], {});
        assert.equal((await second.ended()).code, 2);
        assert.match(second.stderr(), /Another process is using the data folder/);
      }
      dev.child.kill('SIGTERM');
      assert.deepEqual(await dev.ended(), { code: 0, signal: null });
      assert.deepEqual(marked(dev.mark), []);
      assert.equal(existsSync(join(folder, 'in-use.lock')), false);
    }
  },
);
