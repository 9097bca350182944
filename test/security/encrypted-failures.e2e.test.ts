/**
 * With a keyring, what failures say is encrypted: messages, stacks, details and causes of activities, of workflow tasks and of
 * workflows. Neither whoever describes a workflow or reads its history without the keys finds a word of it, nor the database file.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { WorkflowFailedError, WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { startTemporalServer } from '../../src/dev/temporal-server.ts';
import { silentLogger } from '../../src/engine/log.ts';
import { connectTemporal, connectTemporalNative } from '../../src/engine/temporal/connection.ts';
import { decoderOf, messageOfFailure } from '../../src/engine/temporal/decode-payloads.ts';
import { NO_ENCRYPTION } from '../../src/engine/temporal/key-provider.ts';
import { dataConverterOf } from '../../src/engine/temporal/payload-codec.ts';
import { startShardWorker } from '../../src/engine/worker/shard-worker.ts';
import { bundleWorkflows } from '../../src/engine/worker/workflow-version.ts';
import { loadConfig } from '../../src/money/config.ts';
import { encryptionOf } from '../../src/money/config/encryption.ts';
import { eventually } from '../support/eventually.ts';
import type { FailingActivities } from './failing/index.ts';
import { WORDS } from './failing/words.ts';
import { marksIn, textOf } from './searched.ts';

type Failure = temporal.api.failure.v1.IFailure;

const CONTROL = 'a-plain-failure-that-the-search-must-find';
/** A name in the stack of a failure, where its message is not. */
const STACK = 'canaryInTheStack';
const MARKS = { ...WORDS, stack: STACK };

test('what failures say is encrypted where payloads are, and read with the keys', { timeout: 180_000 }, async (t) => {
  const undo: (() => Promise<unknown>)[] = [];
  t.after(async () => {
    for (const step of undo.reverse()) await step();
  });
  const { env, database } = await given(undo);
  const encryption = encryptionOf(loadConfig(env), silentLogger());
  const logger = new DefaultLogger('ERROR', () => undefined);
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });
  let succeeds = false;
  const { connection, namespace } = await connectTemporalNative(env);
  undo.push(() => connection.close());
  const worker = await startShardWorker({
    connection,
    namespace,
    taskQueue: 'failing',
    workflowBundle: await bundleWorkflows(fileURLToPath(new URL('./failing/index.ts', import.meta.url)), logger),
    dataConverter: dataConverterOf(encryption),
    activities: {
      async retried() {
        if (!succeeds) canaryInTheStack();
      },
      async refused() {
        throw ApplicationFailure.nonRetryable(WORDS.refused, 'Refused', WORDS.details);
      },
    } satisfies FailingActivities,
    stackTraces: true,
    maxCachedWorkflows: 10,
    onFailure: (error) => assert.fail(String(error)),
  });
  undo.push(() => worker.stop());
  const read = await connectTemporal(env, encryption);
  undo.push(() => read.connection.close());
  const raw = await connectTemporal(env, NO_ENCRYPTION);
  undo.push(() => raw.connection.close());
  const decode = decoderOf(read.client);

  const started = await read.client.workflow.start('failing', { workflowId: 'failing', taskQueue: 'failing' });
  const seen = raw.client.workflow.getHandle('failing');
  const pending = await eventually('the activity is tried again', async () => {
    const { raw: description } = await seen.describe();
    return description.pendingActivities?.find(({ lastFailure }) => lastFailure) && description;
  });
  const { lastFailure } = pending.pendingActivities![0]!;
  assert.deepEqual([lastFailure!.message, lastFailure!.stackTrace], ['Encoded failure', '']);
  assert.equal(lastFailure!.encodedAttributes!.metadata!['encoding']!.toString(), 'binary/encrypted');
  assert.deepEqual(marksIn(textOf(pending), MARKS), [], 'the description');
  assert.equal(await messageOfFailure(lastFailure, decode), WORDS.retried);
  const [attributes] = await decode<{ stack_trace: string }>([lastFailure!.encodedAttributes!]);
  assert.match(attributes!.stack_trace, new RegExp(STACK));

  succeeds = true;
  await eventually('a task of the workflow has failed', async () =>
    (await failuresOf(seen)).some(({ event }) => event === 'workflowTaskFailed'),
  );
  await started.signal('mend');
  await assert.rejects(started.result(), ({ cause }: WorkflowFailedError) => cause?.message === WORDS.workflow);

  const failures = await failuresOf(seen);
  const said = await Promise.all(
    failures.map(async ({ event, failure }) => [event, await messageOfFailure(failure, decode)] as const),
  );
  assert.deepEqual(Object.fromEntries(said), {
    activityTaskStarted: WORDS.retried,
    activityTaskFailed: WORDS.refused,
    workflowTaskFailed: WORDS.task,
    workflowExecutionFailed: WORDS.workflow,
  });
  for (const { event, failure } of failures) assert.equal(failure.message, 'Encoded failure', event);
  assert.deepEqual(marksIn(textOf(await seen.fetchHistory()), MARKS), [], 'the history');

  const plain = await raw.client.workflow.start('nobodys', { workflowId: 'control', taskQueue: 'nobodys' });
  await plain.terminate(CONTROL);
  const stored = await bytesOf(database);
  assert.deepEqual(marksIn(stored, { control: CONTROL, said: 'Encoded failure' }), ['control', 'said']);
  assert.deepEqual(marksIn(stored, MARKS), [], 'the database of Temporal');
});

function canaryInTheStack(): never {
  throw ApplicationFailure.create({
    message: WORDS.retried,
    details: [WORDS.details],
    cause: new Error(WORDS.cause),
  });
}

/** Each failure of a history, its causes aside, with the name of its event. */
async function failuresOf(handle: WorkflowHandle): Promise<{ readonly event: string; readonly failure: Failure }[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap((event) =>
    Object.entries(event).flatMap(([name, attributes]) => {
      const { failure, lastFailure } = (attributes ?? {}) as { failure?: Failure; lastFailure?: Failure };
      const found = failure ?? lastFailure;
      return found ? [{ event: name.replace(/EventAttributes$/, ''), failure: found }] : [];
    }),
  );
}

async function given(
  undo: (() => Promise<unknown>)[],
): Promise<{ readonly env: Record<string, string>; readonly database: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'encrypted-failures-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const database = join(folder, 'temporal');
  const server = await startTemporalServer({ dataDir: database, log: console.error });
  undo.push(() => server.stop());
  const keysFile = join(folder, 'keys.json');
  const keyring = { current: 'first', keys: { first: randomBytes(32).toString('base64') } };
  await writeFile(keysFile, JSON.stringify(keyring), { mode: 0o600 });
  return { database, env: { TEMPORAL_ADDRESS: server.address, ENRICHMENT_ENCRYPTION_KEYS_FILE: keysFile } };
}

async function bytesOf(folder: string): Promise<string> {
  const files = await readdir(folder);
  assert.ok(files.includes('temporal.db'), files.join());
  return (await Promise.all(files.map((file) => readFile(join(folder, file), 'latin1')))).join('\n');
}
