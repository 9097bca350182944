/**
 * `UPGRADE_FROM=COMMIT npm run upgrade`: two workers and two bridges of COMMIT are replaced by those of this checkout, one after
 * the other, while money flows; the model judges what came out. Once as they are, by replay of the same runs, and once with worker
 * deployments, where a run goes on with the workflows that it began with; a commit from before those runs only the first. Some
 * six minutes.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { temporalProgram } from '../../src/dev/temporal-server.ts';
import { ownWorkflows } from '../../src/engine/worker/workflow-version.ts';
import type { Role } from '../../src/dev/product.ts';
import { program } from '../../test/cli/program.ts';
import { eventually } from '../../test/support/eventually.ts';
import { startSystem, type System } from '../../test/support/system.ts';
import { buildOlder, type OlderBuild } from './older-build.ts';

const FROM = process.env['UPGRADE_FROM'];
if (!FROM) throw new Error('UPGRADE_FROM has to name the commit whose build is replaced');
const PARTS = 1_500;
const PART_EVERY = 250;
const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn() {}, error() {} };
const run = promisify(execFile);

let older: OlderBuild;
before(async () => {
  older = await buildOlder(FROM);
});
after(() => older.remove());

/** In small parts, so that every moment of the upgrade has money under way, and for some seconds after it. */
async function traffic(system: System, replaced: AbortSignal): Promise<void> {
  const records = [
    ...generateTraffic(
      trafficOptions({
        users: 60,
        events: 30_000,
        seed: 47,
        start: Date.now() - 3 * 86_400_000,
        span: 27_000_000,
        disorder: 15_000,
        duplicates: 0.05,
        pending: 0.04,
        old: 0.05,
        tooLarge: false,
      }),
    ),
  ];
  let after = 40;
  for (let part = 0; part < PARTS && after > 0; part += 1) {
    if (replaced.aborted) after -= 1;
    await system.produce(records.slice((part * records.length) / PARTS, ((part + 1) * records.length) / PARTS));
    await sleep(PART_EVERY);
  }
}

async function upgrade(
  t: TestContext,
  env: Record<string, string>,
  onWorkers: (system: System, build: 'older' | 'new') => Promise<unknown>,
  newWorkers: Record<string, string>,
) {
  // On a busy machine an input that is late is taken for a silent one after 5 s.
  const system = await startSystem(t, { partitions: 4, env: { ENRICHMENT_IDLE_TIMEOUT: '15s', ...env } });
  const begin = (role: Role) => system.start(role, { command: older.command });
  const workers = [await begin('worker'), await begin('worker')];
  await onWorkers(system, 'older');
  const bridges = [await begin('bridge'), await begin('bridge')];
  const replaced = new AbortController();
  let sending = true;
  const sent = traffic(system, replaced.signal).finally(() => (sending = false));
  await eventually('the older build is at work', () => system.outputs.length > 200, 60_000);
  const began = Date.now();
  const seen: string[] = [];
  /** What has come out so far, and when something happened. */
  const note = (what: string) =>
    seen.push(`${((Date.now() - began) / 1_000).toFixed(0)} s: ${system.outputs.length}${what}`);
  const looking = setInterval(() => note(''), 2_000);
  t.after(() => clearInterval(looking));
  // Workers first: what a newer bridge writes a worker without its schemas does not read.
  for (const [role, processes, own] of [
    ['worker', workers, newWorkers],
    ['bridge', bridges, {}],
  ] as const) {
    for (const [n, old] of processes.entries()) {
      await system.start(role, { env: own });
      note(` a new ${role}`);
      await old.stop();
      note(` an old ${role} has stopped`);
      // A version becomes current when its workers have the task queues of all shards.
      if (role === 'worker' && n === processes.length - 1) await onWorkers(system, 'new');
      await sleep(8_000);
    }
  }
  assert.ok(sending, 'money flowed until the last process was replaced');
  replaced.abort();
  await sent;
  note(' all is sent');
  const expected = await system.expected();
  await system.matches(expected).finally(() => t.diagnostic(seen.join(', ')));
  t.diagnostic(`${expected.outputs.length} outputs: none missing, none twice, none different`);
  return system;
}

test('as they are: the same runs go on', { timeout: 600_000 }, async (t) => {
  const system = await upgrade(t, {}, async () => undefined, {});
  const replayed = await program(['replay'], system.env);
  assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
});

test('with worker deployments: runs go on with the workflows that they began with', { timeout: 600_000 }, async (t) => {
  if (!existsSync(older.workflows)) return t.skip(`${FROM} has no worker deployments`);
  const temporal = await temporalProgram({ log: () => undefined });
  const deployment = `upgrade-${process.pid}`;
  const builds = {
    older: (JSON.parse(readFileSync(older.workflows, 'utf8')) as { buildId: string }).buildId,
    new: (await ownWorkflows(quiet)).buildId,
  };
  assert.notEqual(builds.older, builds.new);
  const makeCurrent = (system: System, build: keyof typeof builds) =>
    eventually(
      `${build} is the current version`,
      () =>
        run(temporal, [
          ...['worker', 'deployment', 'set-current-version', '--deployment-name', deployment],
          ...['--build-id', builds[build], '--yes', '--address', system.env['TEMPORAL_ADDRESS']!],
        ]).then(
          () => true,
          (error: unknown) => {
            console.error(String(error));
            return false;
          },
        ),
      60_000,
    );
  const system = await upgrade(t, { ENRICHMENT_DEPLOYMENT: deployment }, makeCurrent, {
    ENRICHMENT_OLDER_WORKFLOWS: older.workflows,
  });
  const nudged = await program(['nudge'], system.env);
  assert.equal(nudged.code, 0, nudged.stderr);
  const replayed = await program(['replay'], system.env);
  assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
});
