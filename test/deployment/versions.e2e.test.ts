/**
 * Version A runs half of it, version B takes over, on a real server with worker deployments. A is this code with other commands
 * and the schemas of 0.1.0 (verification/broken/version-a.ts).
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { temporalProgram } from '../../src/dev/temporal-server.ts';
import { connectTemporal } from '../../src/engine/temporal/connection.ts';
import { NO_ENCRYPTION } from '../../src/engine/temporal/key-provider.ts';
import * as workflowVersion from '../../src/engine/worker/workflow-version.ts';
import { makeBrokenBuild } from '../../verification/broken/run.ts';
import { VERSION_A } from '../../verification/broken/version-a.ts';
import { program } from '../cli/program.ts';
import { eventually } from '../support/eventually.ts';
import { PRODUCT } from '../support/product.ts';
import { startSystem, type ProducedRecord } from '../support/system.ts';

const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn() {}, error() {} };
const run = promisify(execFile);

async function versionA(): Promise<{ folder: string; workflows: workflowVersion.WorkflowVersion }> {
  const folder = await makeBrokenBuild(VERSION_A);
  for (const file of ['ledger.avsc', 'state.avsc']) {
    await copyFile(join(folder, 'schemas/released/0.1.0', file), join(folder, 'schemas', file));
  }
  const { ownWorkflows } = (await import(
    pathToFileURL(join(folder, 'src/engine/worker/workflow-version.ts')).href
  )) as typeof workflowVersion;
  return { folder, workflows: await ownWorkflows(quiet) };
}

/** What `system.start('worker')` runs. */
function productWorkflows(): Promise<workflowVersion.WorkflowVersion> {
  const built = join(PRODUCT, 'dist/workflows.json');
  return existsSync(join(PRODUCT, 'src'))
    ? workflowVersion.ownWorkflows(quiet)
    : workflowVersion.readWorkflows(built, 'dist/workflows.json');
}

test(
  'runs go on with the version that they began with, and then on the current one; idle ones when they are nudged',
  { timeout: 600_000 },
  async (t) => {
    const scratch = await mkdtemp(join(tmpdir(), 'deployment-'));
    const { folder, workflows } = await versionA();
    t.after(() => Promise.all([folder, scratch].map((path) => rm(path, { recursive: true, force: true }))));
    const older = join(scratch, 'a.json');
    await writeFile(older, JSON.stringify(workflows));
    const { buildId } = await productWorkflows();
    assert.notEqual(buildId, workflows.buildId);

    // Records are written while bridges run: on a busy machine an input that is late is taken for a silent one after 5 s.
    const env = { ENRICHMENT_DEPLOYMENT: `deployment-${process.pid}`, ENRICHMENT_IDLE_TIMEOUT: '12s' };
    const system = await startSystem(t, { partitions: 2, env });
    const deployment = system.env['ENRICHMENT_DEPLOYMENT']!;
    const { client, connection } = await connectTemporal(system.env, NO_ENCRYPTION);
    t.after(() => connection.close());
    const temporal = await temporalProgram({ log: () => undefined });
    // As a person does it. The server knows a version only when its workers have polled.
    const makeCurrent = (build: string): Promise<unknown> =>
      eventually(
        `${build} is the current version`,
        () =>
          run(temporal, [
            'worker',
            'deployment',
            'set-current-version',
            '--deployment-name',
            deployment,
            '--build-id',
            build,
            '--yes',
            '--address',
            system.env['TEMPORAL_ADDRESS']!,
          ]).then(
            () => true,
            () => false,
          ),
        30_000,
      );
    const on = async (build: string): Promise<Set<string>> => {
      const found = new Set<string>();
      for await (const { workflowId } of client.workflow.list({
        query: `ExecutionStatus = 'Running' AND TemporalWorkerDeploymentVersion = '${deployment}:${build}'`,
      })) {
        found.add(workflowId);
      }
      return found;
    };
    const records: readonly ProducedRecord[] = [
      ...generateTraffic(
        trafficOptions({
          users: 40,
          events: 3_000,
          seed: 31,
          start: Date.now() - 3 * 86_400_000,
          span: 7_200_000,
          disorder: 15_000,
          duplicates: 0.05,
          pending: 0.04,
          old: 0.05,
          tooLarge: false,
        }),
      ),
    ];
    const users = [
      ...new Set(
        records
          .slice(0, 1_500)
          .flatMap(({ key }) => (typeof key === 'string' && /^"[0-9a-f-]{36}"$/.test(key) ? [key] : [])),
      ),
    ];
    const idle = new Set(users.slice(0, 8));
    const ofActive = records.slice(1_500, 2_600).filter(({ key }) => typeof key !== 'string' || !idle.has(key));

    const missing = await program(['nudge', '--dry-run'], system.env);
    assert.equal(missing.code, 1);
    assert.match(
      missing.stderr,
      /^money-enrichment: the deployment "[^"]+" does not exist: start its workers, then "temporal worker deployment set-current-version/,
    );

    const workerA = await system.start('worker', {
      command: [process.execPath, join(folder, 'bin/money-enrichment.js')],
    });
    await makeCurrent(workflows.buildId);
    // Workers first, then bridges: what a newer bridge writes a worker without its schemas does not read.
    const bridgeA = await system.start('bridge', {
      command: [process.execPath, join(folder, 'bin/money-enrichment.js')],
    });
    await system.produce(records.slice(0, 1_500));
    const half = await system.expected();
    await eventually('A has done its half', () => system.outputs.length >= half.outputs.length, 120_000);
    await eventually('all run on A', async () => (await on(workflows.buildId)).size === users.length, 30_000);
    const replayed = await program(['replay'], system.env);
    assert.equal(replayed.code, 1, 'this code cannot go on with the runs of A');
    assert.match(replayed.stdout + replayed.stderr, /timer/i);

    // B alone: what is pinned to A stands still, and loses nothing.
    await workerA.stop();
    const alone = await system.start('worker');
    await makeCurrent(buildId);
    const before = system.outputs.length;
    await system.produce(ofActive);
    await sleep(6_000);
    assert.equal(system.outputs.length, before);
    await alone.stop();

    // B with the workflows of A.
    const both = await system.start('worker', { env: { ENRICHMENT_OLDER_WORKFLOWS: older } });
    await bridgeA.stop();
    await system.start('bridge');
    await system.matches(await system.expected());
    // Who had none may have moved as well, by a deadline of money that waited.
    await eventually(
      'who had events is on B',
      async () => (await on(buildId)).size >= users.length - idle.size,
      60_000,
    );
    const idleIds = new Set([...idle].map((key) => `${system.config.appId}/${JSON.parse(key) as string}`));
    const onA = await on(workflows.buildId);
    assert.ok(onA.size > 0 && [...onA].every((workflowId) => idleIds.has(workflowId)), `on A: ${[...onA].join(', ')}`);

    assert.match(
      (await program(['doctor'], system.env)).stdout,
      new RegExp(`deployment ${deployment}: current version ${deployment}:${buildId}`),
    );
    const dry = await program(['nudge', '--dry-run'], system.env);
    assert.match(
      dry.stdout,
      new RegExp(`^[1-${idle.size}] workflows? would be nudged to ${deployment}:${buildId}\n$`),
      dry.stderr,
    );
    const nudged = await program(['nudge'], system.env);
    assert.equal(nudged.code, 0, nudged.stderr);
    assert.match(
      nudged.stdout,
      new RegExp(`^[1-${idle.size}] workflows? continued as new on ${deployment}:${buildId}\n$`),
    );
    await eventually('all are on B', async () => (await on(buildId)).size === users.length, 30_000);
    assert.equal((await on(workflows.buildId)).size, 0);

    // Nobody needs A any more.
    await both.stop();
    const onlyB = await system.start('worker');
    await system.produce(records.slice(2_600, 2_800));
    await system.matches(await system.expected());
    const replayedAgain = await program(['replay'], system.env);
    assert.equal(replayedAgain.code, 0, replayedAgain.stdout + replayedAgain.stderr);

    // And back: A takes over the state of B, without what it does not know.
    await onlyB.stop();
    await system.start('worker', { env: { ENRICHMENT_OLDER_WORKFLOWS: older } });
    await makeCurrent(workflows.buildId);
    const back = await program(['nudge'], system.env);
    assert.equal(back.code, 0, back.stderr);
    await eventually('all are on A again', async () => (await on(workflows.buildId)).size === users.length, 30_000);
    await system.produce(records.slice(2_800));
    await system.matches(await system.expected());
  },
);
