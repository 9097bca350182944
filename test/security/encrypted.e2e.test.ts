/**
 * Marked personal data goes through the product with a keyring set. Temporal's database file is searched for it, histories
 * included; the commands read it all the same, before and after a change of the key.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startProductProcess } from '../../src/dev/product.ts';
import { startTemporalServer } from '../../src/dev/temporal-server.ts';
import { connectTemporal } from '../../src/engine/temporal/connection.ts';
import { NO_ENCRYPTION } from '../../src/engine/temporal/key-provider.ts';
import { program } from '../cli/program.ts';
import { sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { startSystem } from '../support/system.ts';
import { money, session, STATE, usedRecords } from './canaries.ts';
import { marksIn } from './searched.ts';

const CONTROL = 'a-plain-mark-that-the-search-must-find';

test('with a keyring nothing of personal data is in the database of Temporal', { timeout: 300_000 }, async (t) => {
  const folder = await folderFor(t);
  const database = join(folder, 'temporal');
  const server = await startTemporalServer({ dataDir: database, log: console.error });
  t.after(() => server.stop());
  const keysFile = join(folder, 'keys.json');
  const [first, second] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  const write = async (keyring: object): Promise<void> => {
    await writeFile(`${keysFile}.new`, JSON.stringify(keyring), { mode: 0o600 });
    await rename(`${keysFile}.new`, keysFile);
  };
  await write({ current: 'first', keys: { first } });
  const system = await startSystem(t, {
    partitions: 1,
    cluster: { ...(await sharedCluster()), temporal: server.address },
    env: {
      ENRICHMENT_ENCRYPTION_KEYS_FILE: keysFile,
      ENRICHMENT_USER_ID_HASH_KEY: 'a-key-of-the-test-0123456789-abcdef',
      ENRICHMENT_OUT_OF_ORDERNESS: '500ms',
      ENRICHMENT_IDLE_TIMEOUT: '500ms',
    },
  });
  const logs: string[] = [];
  for (const role of ['worker', 'bridge'] as const) {
    const started = await startProductProcess(role, { env: system.env, log: (line) => logs.push(line) });
    t.after(() => started.stop());
  }
  const outputs = (count: number) =>
    eventually(`${count} outputs`, () => system.outputs.length >= count, 60_000).catch((error: unknown) => {
      console.error(logs.slice(-30).join('\n'));
      throw error;
    });
  const ts = Date.now() - 60_000;
  await system.produce([...usedRecords(ts), session(STATE.lateSession, ts + 8)]);
  await outputs(7);
  await write({ current: 'second', keys: { first, second } });
  await eventually(
    'the worker and the bridge use the new key',
    async () => {
      await system.produce([money(9, Date.now())]);
      return (await namesOfKeys(system.env)).has('second');
    },
    30_000,
  );

  const { money: published } = JSON.parse(String(system.outputs[0]!.value)) as { money: { id: string } };
  for (const args of [
    ['state', STATE.user, '--json'],
    ['export', '--offline'],
    ['explain', STATE.user, published.id],
  ]) {
    const { code, stdout, stderr } = await program(args, system.env);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    assert.match(stdout, args[0] === 'explain' ? /canary-client-5520/ : new RegExp(STATE.user, 'i'), args.join(' '));
  }
  const replayed = await program(['replay', '--json'], system.env);
  assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
  const without = await program(['export', '--offline'], { ...system.env, ENRICHMENT_ENCRYPTION_KEYS_FILE: '' });
  assert.equal(without.code, 1);
  assert.match(without.stderr, /encrypted with the key "(first|second)", and there is no keyring: set ENRICHMENT_ENC/);

  const { client, connection } = await connectTemporal(system.env, NO_ENCRYPTION);
  t.after(() => connection.close());
  await client.workflow.start('nobodys', { workflowId: 'control', taskQueue: 'nobodys', args: [CONTROL] });
  const stored = await bytesOf(database);
  assert.deepEqual(marksIn(stored, { control: CONTROL, key: 'encryption-key-id' }), ['control', 'key']);
  assert.deepEqual(marksIn(stored, STATE), [], 'the database of Temporal');
});

async function namesOfKeys(env: Record<string, string>): Promise<ReadonlySet<string>> {
  const { client, connection } = await connectTemporal(env, NO_ENCRYPTION);
  try {
    const names = new Set<string>();
    for await (const { workflowId } of client.workflow.list()) {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      for (const { workflowExecutionSignaledEventAttributes: signal } of events ?? []) {
        for (const { metadata } of signal?.input?.payloads ?? []) {
          names.add(Buffer.from(metadata?.['encryption-key-id'] ?? []).toString());
        }
      }
    }
    return names;
  } finally {
    await connection.close();
  }
}

async function bytesOf(folder: string): Promise<string> {
  const files = await readdir(folder);
  assert.ok(files.includes('temporal.db'), files.join());
  return (await Promise.all(files.map((file) => readFile(join(folder, file), 'latin1')))).join('\n');
}

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'encrypted-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
