/**
 * What is shipped, built as the Dockerfile builds it, without Docker: the files that git has and `.dockerignore` leaves,
 * `npm ci`, the build, what the last stage copies. It must tell its version, and bridge and worker must become ready.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../src/dev/processes.ts';
import { productVersion } from '../../src/engine/process/version.ts';
import { startSystem } from '../support/system.ts';
import { entrypointOf, ignoredBy, stagesOf } from './dockerfile.ts';
import type { Step } from './dockerfile.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** /app of the image */
const APP = 'app';

/** Runs the steps of a stage in `folder`, which stands for the root of its file system. */
async function build(
  steps: readonly Step[],
  folder: string,
  context: string,
  stages: ReadonlyMap<string, string>,
): Promise<void> {
  const home = join(folder, APP);
  await mkdir(home, { recursive: true });
  for (const step of steps) {
    if (step.type === 'run') {
      const { code, stdout, stderr } = await runProgram('/bin/sh', ['-c', step.command], {
        cwd: home,
        env: { ...process.env, NODE_ENV: undefined, npm_config_prefer_offline: 'true' },
      });
      assert.equal(code, 0, `${step.command}\n${stdout}${stderr}`);
    } else {
      const from = step.from === undefined ? context : stages.get(step.from)!;
      for (const source of step.sources) {
        const target = step.target === './' ? join(home, basename(source)) : join(home, step.target);
        await cp(join(from, source), target, { recursive: true, verbatimSymlinks: true });
      }
    }
  }
}

test(
  'the image builds from what .dockerignore leaves, and what is in it starts: --version, bridge, worker',
  { timeout: 900_000 },
  async (t) => {
    const work = await mkdtemp(join(tmpdir(), 'shipped-'));
    t.after(() => rm(work, { recursive: true, force: true, maxRetries: 5 }));
    const context = join(work, 'context');
    const ignored = ignoredBy(await readFile(join(ROOT, '.dockerignore'), 'utf8'));
    const tracked = (await runProgram('git', ['ls-files'], { cwd: ROOT })).stdout.trim().split('\n');
    assert.ok(tracked.length > 100, 'the files that git has');
    for (const file of tracked.filter((name) => !ignored(name))) {
      await mkdir(dirname(join(context, file)), { recursive: true });
      await cp(join(ROOT, file), join(context, file));
    }

    const stages = new Map<string, string>();
    const text = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
    const dockerfile = stagesOf(text);
    for (const { name, steps } of dockerfile) {
      const folder = join(work, `stage-${name}`);
      await build(steps, folder, context, stages);
      stages.set(name, folder);
    }
    const image = join(stages.get(dockerfile.at(-1)!.name)!, APP);

    const modules = join(image, 'node_modules');
    for (const name of ['typescript', 'tsx', 'esbuild', '@esbuild', '@swc', 'vitepress']) {
      assert.ok(!existsSync(join(modules, name)), `${name} is in the image`);
    }
    assert.equal((await readdir(join(modules, '@temporalio/core-bridge/releases'))).length, 1, 'one platform');

    const [flag, program] = entrypointOf(text);
    const command: [string, ...string[]] = [process.execPath, flag!, join(image, program!)];
    const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): ReturnType<typeof runProgram> =>
      runProgram(process.execPath, [...command.slice(1), ...args], { cwd: image, env: { ...process.env, ...env } });
    const version = await run(['--version']);
    assert.deepEqual([version.code, version.stdout], [0, `${productVersion()}\n`], version.stderr);
    const failed = await run(['bridge'], { KAFKA_BROKERS: '', ENRICHMENT_LOG_LEVEL: 'debug' });
    assert.match(failed.stderr, /src\/money\/config\.ts:\d+/, 'stacks name the lines of the sources');

    const system = await startSystem(t, { partitions: 1 });
    await Promise.all([system.start('worker', { command }), system.start('bridge', { command })]);
  },
);
