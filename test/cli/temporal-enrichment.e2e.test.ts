import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporalProgram } from '../../src/dev/temporal-server.ts';
import { sharedCluster } from '../support/cluster.ts';
import { PRODUCT } from '../support/product.ts';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Temporal's own command line, with our program and nothing else of ours on the PATH. */
async function temporalCli(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'temporal-enrichment-'));
  t.after(() => rm(folder, { recursive: true }));
  await symlink(join(PRODUCT, 'bin', 'temporal-enrichment.js'), join(folder, 'temporal-enrichment'));
  const program = await temporalProgram({ log: () => undefined });
  const env = {
    PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
    HOME: process.env['HOME'],
    XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'],
    MONEY_ENRICHMENT_CACHE: process.env['MONEY_ENRICHMENT_CACHE'],
    XDG_CONFIG_HOME: folder,
    TEMPORAL_CLI: program,
  };
  const options = (more: NodeJS.ProcessEnv = {}) => ({ cwd: folder, env: { ...env, ...more } });
  const run = (args: readonly string[], more?: NodeJS.ProcessEnv): Promise<Ended> =>
    new Promise((resolve) => {
      execFile(program, args, options(more), (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  return { folder, program, run, options };
}

test('temporal enrichment: listed, helped, and connected as the rest of the command line is', async (t) => {
  const { temporal } = await sharedCluster();
  const { folder, run } = await temporalCli(t);
  const appId = `t-${randomUUID()}`;
  const userId = randomUUID();
  const own = { ENRICHMENT_APP_ID: appId };

  assert.match((await run(['help', '-a'])).stdout, /^ +enrichment +An extension command/m);
  const help = await run(['enrichment', 'state', '--help']);
  assert.equal(help.code, 0, help.stderr);
  assert.match(help.stdout, /^Usage: temporal enrichment state \[options\] <userId>/);
  assert.equal((await run(['help', 'enrichment', 'state'])).stdout, help.stdout);
  assert.match((await run(['enrichment', 'generate', '--help'])).stdout, /^ {2}temporal enrichment generate --seed 7/m);

  const wrong = await run(['enrichment', 'state']);
  assert.equal(wrong.code, 2);
  assert.equal(
    wrong.stderr,
    "temporal enrichment: missing required argument 'userId'; see temporal enrichment state --help\n",
  );
  const topics = await run(['enrichment', 'topics', '--output', 'json']);
  assert.equal(topics.code, 2);
  assert.equal((JSON.parse(topics.stdout) as { next: string }).next, 'temporal enrichment doctor');

  const missing = new RegExp(`no workflow "${appId}/${userId}" in namespace "default" of ${temporal}`);
  const after = await run(['enrichment', 'state', userId, '--address', temporal], own);
  assert.equal(after.code, 1, after.stderr);
  assert.match(after.stderr, missing);
  const before = await run(['enrichment', '--address', temporal, 'state', userId], own);
  assert.match(before.stderr, missing);

  const profiles = join(folder, 'profiles.toml');
  await writeFile(profiles, `[profile.here]\naddress = "${temporal}"\nnamespace = "default"\n`);
  const profile = ['--config-file', profiles, '--profile', 'here'];
  assert.match((await run([...profile, 'enrichment', 'state', userId], own)).stderr, missing);
  const elsewhere = ['enrichment', 'state', userId, ...profile, '--namespace', 'nowhere', '-o', 'json'];
  const { code, stdout } = await run(elsewhere, own);
  assert.equal(code, 1);
  assert.match((JSON.parse(stdout) as { message: string }).message, /nowhere/);

  const file = join(folder, 'env.yaml');
  for (const [key, value] of [
    ['address', temporal],
    ['namespace', 'default'],
  ] as const) {
    const set = await run(['env', 'set', '--env-file', file, '--env', 'prod', '-k', key, '-v', value]);
    assert.equal(set.code, 0, set.stderr);
  }
  assert.match((await run(['--env-file', file, '--env', 'prod', 'enrichment', 'state', userId], own)).stderr, missing);
});

test('what it runs ends in good order when the command line is interrupted', async (t) => {
  const { program, options } = await temporalCli(t);
  // dev --infra holds Kafka, Temporal and a service: none of them may stay behind.
  const child = spawn(program, ['enrichment', 'dev', '--infra', '--json'], options());
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  let document = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (document += text));
  const ready = new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (/^READY /m.test(said)) resolve();
    });
  });
  // The pipes stay open as long as anything of it runs.
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  await Promise.race([ready, closed.then(() => assert.fail(said))]);
  child.kill('SIGINT');
  await closed;
  const { temporal } = JSON.parse(document) as { temporal: string };
  assert.match(temporal, /^127\.0\.0\.1:\d+$/);
  assert.match(said, /^Stopping \(SIGTERM\)/m);
});
