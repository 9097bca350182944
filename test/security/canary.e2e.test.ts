/**
 * Marked personal data goes down every path of the product, at the most talkative log level. Afterwards logs, metrics,
 * and all that Temporal and the output topics keep are searched for it.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createKafka } from '../../src/engine/kafka/kafkajs/create-kafka.ts';
import { createPlainProducer } from '../../src/engine/kafka/kafkajs/producer.ts';
import { startProductProcess, type Role } from '../../src/dev/product.ts';
import { createLogger } from '../../src/engine/log.ts';
import { shardTransactionalIdOf } from '../../src/engine/naming.ts';
import { connectTemporal } from '../../src/engine/temporal/connection.ts';
import { NO_ENCRYPTION } from '../../src/engine/temporal/key-provider.ts';
import { program } from '../cli/program.ts';
import { eventually } from '../support/eventually.ts';
import { startSystem } from '../support/system.ts';
import { money, session, STATE, unusableRecords, UNUSED, usedRecords } from './canaries.ts';
import { frameOf, marksIn, textOf } from './searched.ts';

const HASH_KEY = 'a-key-of-the-test-0123456789-abcdef';
const ALL = { ...UNUSED, ...STATE, key: UNUSED.key, hashKey: HASH_KEY };
const quiet = createLogger({ level: 'silent' });

test('personal data is nowhere where it need not be', { timeout: 240_000 }, async (t) => {
  const system = await startSystem(t, {
    partitions: 1,
    env: {
      ENRICHMENT_SESSION_SERVICE_URL: await talkativeSessionService(t),
      ENRICHMENT_USER_ID_HASH_KEY: HASH_KEY,
      ENRICHMENT_LOG_LEVEL: 'trace',
      ENRICHMENT_OUT_OF_ORDERNESS: '500ms',
      ENRICHMENT_IDLE_TIMEOUT: '500ms',
      ENRICHMENT_LOOKUP_GIVE_UP_AFTER: '4s',
      ENRICHMENT_MAX_RECORD_BYTES: '1500',
    },
  });
  const { config } = system;
  const logs: string[] = [];
  const metrics: string[] = [];
  const start = async (role: Role) => {
    const started = await startProductProcess(role, { env: system.env, log: (line) => logs.push(line) });
    t.after(() => started.stop());
    return started;
  };
  const logged = (text: RegExp) => eventually(`a line ${text}`, () => logs.some((line) => text.test(line)), 60_000);
  const outputs = (count: number) =>
    eventually(`${count} outputs`, () => system.outputs.length >= count, 60_000).catch((error: unknown) => {
      console.error(logs.slice(-30).join('\n'));
      throw error;
    });

  const [worker, bridge] = await Promise.all([start('worker'), start('bridge')]);
  const ts = Date.now() - 60_000;
  const unusable = unusableRecords(ts);
  await system.produce([...usedRecords(ts), ...unusable]);
  await outputs(6); // all but the one that waits for its session; looked-up ones and the given-up one included
  await system.produce([session(STATE.lateSession, ts + 8)]);
  await outputs(7);
  // Late, and its lookup is a call of its own: no other answer hides what the failure says of this one.
  await system.produce([money(8, ts - 3_600_000, STATE.illSession)]);
  await outputs(8);
  await eventually('the dead letters', () => system.deadLetters.length >= unusable.length, 60_000);

  // A takeover: the worker is fenced in the middle, and says so.
  const kafka = createKafka(config.kafka!, quiet);
  t.after(() => kafka.close());
  await (await kafka.fence(shardTransactionalIdOf(config.appId, 0))).close();
  await system.produce([money(9, Date.now())]);
  await logged(/is lost|opened again/);
  await outputs(9);

  const asked = await program(['state', STATE.user, '--json'], system.env);
  assert.equal(asked.code, 0, asked.stderr);
  assert.equal(
    (JSON.parse(asked.stdout) as { userId: string }).userId,
    STATE.user,
    'state finds the workflow by the hashed id',
  );
  for (const { httpUrl } of [worker, bridge]) {
    for (const path of ['metrics', 'healthz', 'readyz']) metrics.push(await (await fetch(`${httpUrl}/${path}`)).text());
  }

  // The ledger forgets the user: the next output is refused with an error in the log and a failed workflow task.
  await worker.stop();
  const writer = await createPlainProducer(config.kafka!, quiet);
  t.after(() => writer.close());
  await writer.send(config.topics.ledger, [{ key: STATE.user, value: null }]);
  const second = await start('worker');
  await system.produce([money(10, Date.now())]);
  await logged(/the ledger ends at 0/);
  await second.stop();
  // Somebody else writes to the ledger.
  await writer.send(config.topics.ledger, [{ key: UNUSED.foreignKey, value: UNUSED.foreignValue }]);
  await start('worker');
  await logged(/not one of ours/);
  assert.ok(
    logs.some((line) => line.includes('"level":10')),
    'the trace level was on',
  );

  assert.deepEqual(marksIn(logs.join('\n'), ALL), [], 'logs');
  assert.deepEqual(marksIn(metrics.join('\n'), ALL), [], 'metrics and health');
  assert.match(metrics.join('\n'), /lookups_total\{outcome="given-up"\} 4/);
  await searchTemporal(system.env, config.appId);

  assert.equal(system.outputs.length, 9);
  for (const { key, value, headers } of system.outputs) {
    assert.deepEqual(marksIn(JSON.stringify(headers), ALL), [], 'headers of an output');
    assert.deepEqual(marksIn(`${key}${value}`, UNUSED), [], 'an output');
  }
  for (const { headers } of system.deadLetters) {
    assert.deepEqual(marksIn(JSON.stringify(headers), ALL), [], `headers of a dead letter: ${headers['detail']}`);
  }
  const reasons = new Set(system.deadLetters.map(({ headers }) => headers['reason']));
  assert.deepEqual([...reasons].sort(), [
    'future',
    'invalid',
    'key-mismatch',
    'malformed',
    'too-large',
    'unknown-type',
  ]);
});

async function searchTemporal(env: Record<string, string>, appId: string): Promise<void> {
  const { client, connection } = await connectTemporal(env, NO_ENCRYPTION);
  try {
    const found = [];
    for await (const info of client.workflow.list()) if (info.workflowId.startsWith(appId)) found.push(info);
    const [info] = found;
    assert.equal(found.length, 1);
    assert.match(info!.workflowId, new RegExp(`^${appId}/[0-9a-f]{64}$`));
    assert.deepEqual(
      marksIn(textOf(info!.raw), ALL),
      [],
      'what a list of workflows shows: ids, task queue, search attributes, memo',
    );

    const handle = client.workflow.getHandle(info!.workflowId);
    const description = await handle.describe();
    assert.deepEqual(
      marksIn(frameOf(description.raw), ALL),
      [],
      'a description, pending activities and their failures included',
    );
    const history = await handle.fetchHistory();
    assert.ok((history.events ?? []).length > 20);
    assert.deepEqual(marksIn(frameOf(history), ALL), [], 'the history around its payloads: failures, names, headers');
    assert.deepEqual(
      marksIn(textOf(history), { ...UNUSED, hashKey: HASH_KEY }),
      [],
      'the whole history: nothing that no rule uses',
    );
    // The search finds what is there: the state itself.
    assert.deepEqual(marksIn(textOf(history), { type: STATE.moneyType, amount: STATE.amount, user: STATE.user }), [
      'type',
      'amount',
      'user',
    ]);
    assert.match(frameOf(history), /the ledger ends at 0/);
    assert.match(
      frameOf(history) + frameOf(description.raw),
      /session service gave no usable answer|status 500|not JSON/,
    );
  } finally {
    await connection.close();
  }
}

/** Says more than it is asked, and is ill in four ways, each with personal data in it. */
async function talkativeSessionService(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    const id = request.url?.split('/').at(-1);
    if (id === STATE.illSession) response.writeHead(200).end(UNUSED.lookupBody);
    else if (id === STATE.movedSession) {
      response.writeHead(302, { location: `http://${UNUSED.lookupLocation}/` }).end(UNUSED.lookupBody);
    } else if (id === STATE.brokenSession) response.writeHead(500, UNUSED.lookupError).end(UNUSED.lookupError);
    else if (id === STATE.lateSession) response.writeHead(404).end(UNUSED.lookupError);
    else {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ clientCountryCode: STATE.lookedUp, owner: UNUSED.lookupExtra }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
