import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { takeTemporalOptions, TEMPORAL_OPTIONS } from '../../src/cli/temporal-options.ts';

function take(line: string, before: NodeJS.ProcessEnv = {}) {
  const env = { ...before };
  const warnings: string[] = [];
  const args = takeTemporalOptions(line.split(' '), env, {
    warn: (text) => warnings.push(text),
    readEnvironmentFile: (name, file) => ({
      address: `${name}:${file ?? 'own'}`,
      namespace: 'n',
      tls: 'true',
      'codec-auth': 'x',
    }),
  });
  return { args: args.join(' '), env, warnings };
}

test('connection options become variables, wherever they stand', () => {
  assert.deepEqual(take('--profile p state x --address a:1 -n=shop --tls --tls-cert-path /c --limit 5'), {
    args: 'state x --limit 5',
    env: {
      TEMPORAL_PROFILE: 'p',
      TEMPORAL_ADDRESS: 'a:1',
      TEMPORAL_NAMESPACE: 'shop',
      TEMPORAL_TLS: 'true',
      TEMPORAL_TLS_CLIENT_CERT_PATH: '/c',
    },
    warnings: [],
  });
});

test('they win over the environment, and the last one over the others', () => {
  assert.equal(take('state --address a:1 --address b:2', { TEMPORAL_ADDRESS: 'c:3' }).env['TEMPORAL_ADDRESS'], 'b:2');
});

test('output, colour and log level mean here what they mean there', () => {
  assert.equal(take('--output json state x').args, 'state x --json');
  assert.equal(take('-o text state x').args, 'state x');
  assert.equal(take('-o json state x --json').args, 'state x --json');
  assert.throws(() => take('--output jsonl state x'), {
    code: 'CONFIG',
    message: /^--output "jsonl": expected text or json/,
  });
  assert.deepEqual(take('--color never --log-level never doctor').env, {
    NO_COLOR: '1',
    ENRICHMENT_LOG_LEVEL: 'silent',
  });
  assert.deepEqual(take('--color always doctor').env, { FORCE_COLOR: '1' });
  assert.deepEqual(take('--color auto doctor', { PATH: '/' }).env, { PATH: '/' });
});

test('a header of every request', () => {
  assert.deepEqual(take('--grpc-meta my-key=a=b doctor').env, { TEMPORAL_GRPC_META_MY_KEY: 'a=b' });
  assert.throws(() => take('--grpc-meta x doctor'), { code: 'CONFIG', message: /expected KEY=VALUE/ });
});

test('an environment of temporal env; options on the line win over it', () => {
  const { env, warnings } = take('--env prod --env-file /e --namespace other doctor');
  assert.deepEqual(env, { TEMPORAL_ADDRESS: 'prod:/e', TEMPORAL_NAMESPACE: 'other', TEMPORAL_TLS: 'true' });
  assert.deepEqual(warnings, ['codec-auth of the environment "prod" means nothing here']);
});

test('--disable-config-env and --disable-config-file', () => {
  const { env } = take('--disable-config-env --disable-config-file --namespace n doctor', { TEMPORAL_ADDRESS: 'a:1' });
  assert.deepEqual(
    [env['TEMPORAL_ADDRESS'], env['TEMPORAL_NAMESPACE'], env['TEMPORAL_CONFIG_FILE']],
    ['', 'n', '/dev/null'],
  );
});

test('what means nothing here is said, and what is after -- is no option', () => {
  assert.deepEqual(take('--time-format iso doctor -- --address a').args, 'doctor -- --address a');
  assert.deepEqual(take('--time-format iso doctor').warnings, ['--time-format means nothing here']);
  assert.throws(() => take('doctor --address'), { code: 'CONFIG', message: '--address: expected a value after it' });
});

test('no command has an option of the same name', async () => {
  const options = (command: Command): string[] =>
    [
      ...command.options
        .flatMap(({ long, short }) => [long, short])
        .filter((name) => name !== undefined && name !== null),
      ...command.commands.flatMap(options),
    ] as string[];
  const all = await createProgram('temporal enrichment', 'all', () => undefined);
  assert.deepEqual(
    options(all).filter((name) => TEMPORAL_OPTIONS.has(name)),
    [],
  );
});
