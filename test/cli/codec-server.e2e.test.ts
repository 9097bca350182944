/** `codec-server` as people run it: Temporal's own command line shows an encrypted workflow in words when it asks there. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram, startChild } from '../../src/dev/processes.ts';
import { startTemporalServer, temporalProgram } from '../../src/dev/temporal-server.ts';
import { silentLogger } from '../../src/engine/log.ts';
import { connectTemporal } from '../../src/engine/temporal/connection.ts';
import { loadConfig } from '../../src/money/config.ts';
import { encryptionOf } from '../../src/money/config/encryption.ts';
import { program } from './program.ts';
import { PROGRAM } from '../support/product.ts';

const ARGUMENT = 'canary-argument-6701';
const SIGNAL = 'canary-signal-6702';
const TOKEN = 'a-token-of-this-test';

test(
  'the command line of Temporal shows an encrypted workflow, by way of codec-server',
  { timeout: 120_000 },
  async (t) => {
    const undo: (() => Promise<unknown>)[] = [];
    t.after(async () => {
      for (const step of undo.reverse()) await step();
    });
    const folder = await mkdtemp(join(tmpdir(), 'codec-server-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const keysFile = join(folder, 'keys.json');
    const keyring = { current: 'first', keys: { first: randomBytes(32).toString('base64') } };
    await writeFile(keysFile, JSON.stringify(keyring), { mode: 0o600 });
    const temporal = await startTemporalServer({ log: console.error });
    undo.push(() => temporal.stop());
    const env = {
      TEMPORAL_ADDRESS: temporal.address,
      ENRICHMENT_ENCRYPTION_KEYS_FILE: keysFile,
      ENRICHMENT_CODEC_TOKEN: TOKEN,
    };
    const { client, connection } = await connectTemporal(env, encryptionOf(loadConfig(env), silentLogger()));
    undo.push(() => connection.close());
    const started = await client.workflow.start('anything', {
      workflowId: 'encrypted',
      taskQueue: 'nobodys',
      args: [ARGUMENT],
    });
    await started.signal('anything', SIGNAL);

    const { url, stop } = await startCodecServer(env);
    undo.push(stop);
    const health = await fetch(`${url}/healthz`);
    assert.deepEqual([health.status, await health.json()], [200, { live: true }]);

    const cli = await temporalProgram({ log: console.error });
    const show = async (...more: string[]): Promise<string> => {
      const asked = [
        'workflow',
        'show',
        '--workflow-id',
        'encrypted',
        '--output',
        'json',
        '--address',
        temporal.address,
      ];
      const { code, stdout, stderr } = await runProgram(cli, [...asked, ...more]);
      return code === 0 ? stdout : stderr;
    };
    const without = inWords(await show());
    assert.match(without, /binary\/encrypted/);
    for (const word of [ARGUMENT, SIGNAL]) assert.ok(!without.includes(word), `${word} in ${without}`);
    const shown = inWords(await show('--codec-endpoint', url, '--codec-auth', `Bearer ${TOKEN}`));
    for (const word of [ARGUMENT, SIGNAL]) assert.ok(shown.includes(word), `no ${word} in ${shown}`);
    // Its own command line would ask again for ten seconds.
    assert.equal((await fetch(`${url}/decode`, { method: 'POST', body: '{}' })).status, 401);
  },
);

test('keys of a module: it is asked from where the process runs, and one that is not there is said at the start', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'codec-server-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const code = `import { createSecretKey } from 'node:crypto';
    const key = { id: 'of-the-module', key: createSecretKey(Buffer.alloc(32, 7)) };
    export default () => ({ current: async () => key, byId: async () => key });`;
  await writeFile(join(folder, 'keys.mjs'), code);
  const env = { ENRICHMENT_ENCRYPTION_KEY_PROVIDER: './keys.mjs' };
  const { url, stop } = await startCodecServer(env, folder);
  const ask = async (action: string, payloads: unknown): Promise<unknown> => {
    const headers = { 'x-namespace': 'default' };
    const answer = await fetch(`${url}/${action}`, { method: 'POST', headers, body: JSON.stringify(payloads) });
    return answer.json();
  };
  try {
    const plain = { payloads: [{ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'MQ==' }] };
    const encoded = await ask('encode', plain);
    assert.ok(JSON.stringify(encoded).includes(Buffer.from('of-the-module').toString('base64')));
    assert.deepEqual(await ask('decode', encoded), plain);
  } finally {
    await stop();
  }
  for (const command of [['codec-server'], ['replay', '--file', 'no-such-file']]) {
    const { code: exit, stderr } = await program(command, env, tmpdir());
    assert.deepEqual([exit, /KEY_PROVIDER="\.\/keys\.mjs": there is no file/.test(stderr)], [2, true], stderr);
  }
});

/** Histories have the bytes of payloads in base64, as JSON of protobuf has them. */
function inWords(shown: string): string {
  return shown.replace(/"(?:data|encoding)": "([^"]*)"/g, (_, base64: string) =>
    Buffer.from(base64, 'base64').toString(),
  );
}

async function startCodecServer(
  env: object,
  cwd = '/',
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const lines: string[] = [];
  let sawReady: (url: string) => void = () => undefined;
  const ready = new Promise<string>((resolve) => (sawReady = resolve));
  const child = startChild(process.execPath, [PROGRAM, 'codec-server', '--port', '0'], {
    name: 'codec-server',
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    onLine: (line) => {
      lines.push(line);
      const [, said] = /^READY (.+)$/.exec(line) ?? [];
      if (said !== undefined) sawReady((JSON.parse(said) as { codecServer: string }).codecServer);
    },
  });
  const url = await Promise.race([ready, child.exited.then(() => undefined)]);
  assert.ok(url, `codec-server ended: ${lines.join('\n')}`);
  return { url, stop: () => child.stop() };
}
