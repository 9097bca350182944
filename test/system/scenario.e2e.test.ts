import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { createClient, PATIENT_RETRY } from '../../src/engine/kafka/kafkajs/client.ts';
import { connectTemporal } from '../../src/engine/temporal/connection.ts';
import { NO_ENCRYPTION } from '../../src/engine/temporal/key-provider.ts';
import { createKafka } from '../../src/engine/kafka/kafkajs/create-kafka.ts';
import { valuesOf, type InRecord, type RecordBatch } from '../../src/engine/kafka/port.ts';
import { silentLogger } from '../../src/engine/log.ts';
import { program } from '../cli/program.ts';
import type { MoneyInput } from '../../src/money/domain/events.ts';
import { workflowIdOf } from '../../src/engine/naming.ts';
import type { TopSnapshot } from '../../src/tools/top/snapshot.ts';
import { eventually } from '../support/eventually.ts';
import { alerts, dashboardQueries, metricsIn } from '../observability/queries.ts';
import { startSystem, type ProducedRecord, type System } from '../support/system.ts';

const USER = '11111111-2222-4333-8444-555555555555';
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const S1 = id(901);
const S2 = id(902);
const S9 = id(909);
const T = Date.parse('2026-01-31T10:00:00.000Z');
const DAY = 86_400_000;
const trace = (n: number) => `00-0af7651916cd43dd8448eb211c80319c-${String(n).padStart(16, '0')}-01`;
const at = (ms: number) => new Date(T + ms).toISOString();

/** A record whose event time is T + `ms`, written to Kafka at T + `written`. */
function record(
  input: MoneyInput,
  type: string,
  ms: number,
  fields: string,
  written = ms,
  eventId = id(500 + ms),
): ProducedRecord {
  return {
    input,
    key: `"${USER}"`,
    value: `{"type":"${type}","id":"${eventId}","userId":"${USER}","processedAt":"${at(ms)}",${fields}}`,
    timestamp: T + written,
  };
}

function money(
  n: number,
  ms: number,
  moneyType: string,
  amount: string,
  session: string | undefined,
  { old = false, written = ms } = {},
): ProducedRecord {
  const fields =
    `${session ? `"userSessionId":"${session}",` : ''}"amount":${amount},"openingBalance":1,"closingBalance":${amount},` +
    `"currency":"EUR","moneyType":"${moneyType}","paymentRelatedThing":"x","isOldMoneyEvent":${old}`;
  return record('money', 'PaymentEvent', ms, fields, written, id(n));
}

function output(
  n: number,
  ms: number,
  moneyType: string,
  amount: string,
  session: string | undefined,
  rest: string,
  old = false,
): string {
  return (
    `{"money":{"id":"${id(n)}","userId":"${USER}",${session ? `"userSessionId":"${session}",` : ''}"processedAt":"${at(ms)}","amount":${amount},` +
    `"currency":"EUR","closingBalance":${amount},"moneyType":"${moneyType}","isOldMoneyEvent":${old}},${rest}}`
  );
}

/** By place of their money: what is no header of ours. Bytes that are no UTF-8 read as U+FFFD. */
async function headersIn({ config }: System, topic: string, count: number): Promise<unknown[][]> {
  const kafka = createKafka(config.kafka!, silentLogger());
  const member = kafka.joinGroup({ groupId: `${topic}-read-${randomUUID()}`, topics: [topic] });
  const records: InRecord[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const onRecords = async (batch: RecordBatch) => {
        records.push(...batch.records);
        if (records.length >= count) resolve();
      };
      member.start({ onAssigned: async () => undefined, onRecords, onCrash: reject }).catch(reject);
    });
  } finally {
    await member.stop();
    await kafka.close();
  }
  return records
    .filter(({ headers = {} }) => ['traceparent', 'x-id', 'other'].some((name) => name in headers))
    .map(({ headers = {} }) => [
      Number(String(headers['source-offset'])),
      ...['traceparent', 'x-id', 'other'].flatMap((name) =>
        name in headers ? valuesOf(headers[name]).map((value) => String(value)) : [],
      ),
    ])
    .sort(([a], [b]) => Number(a) - Number(b));
}

/** Brokers and Temporal know which process is which. */
async function namesOfProcesses({ config, env }: System): Promise<void> {
  const { appId } = config;
  const client = createClient(config.kafka!, silentLogger(), { retry: PATIENT_RETRY });
  const admin = client.kafka.admin();
  try {
    await admin.connect();
    const { groups } = await admin.describeGroups([`${appId}-bridge`, `${appId}-shards`]);
    assert.deepEqual(
      groups.map(({ members }) => members.map(({ clientId }) => clientId)),
      [[`${appId}-bridge`], [`${appId}-worker`]],
    );
  } finally {
    await admin.disconnect();
    client.destroy();
  }
  const temporal = await connectTemporal(env, NO_ENCRYPTION);
  try {
    const { events } = await temporal.client.workflow.getHandle(`${appId}/${USER}`).fetchHistory();
    const identities = new Set(
      (events ?? []).flatMap(
        ({ workflowExecutionSignaledEventAttributes: signal, workflowTaskStartedEventAttributes: task }) =>
          signal?.identity ?? task?.identity ?? [],
      ),
    );
    assert.deepEqual([...identities].sort(), [`${appId}-bridge@${hostname()}`, `${appId}-worker/0@${hostname()}`]);
  } finally {
    await temporal.connection.close();
  }
}

/** By the dashboard and the alerts, of ours and of Temporal's SDK. */
async function exposesWhatIsAskedOf(urls: readonly string[]): Promise<void> {
  const texts = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()));
  const exposed = new Set(
    texts.flatMap((text) => [...text.matchAll(/^([a-zA-Z_:][\w:]*)[{ ]/gm)].map(([, name]) => name)),
  );
  const asked = metricsIn([...dashboardQueries(), ...alerts().map(({ expr }) => expr)]);
  // Only where there are certificates and tokens, and from the first failure on.
  for (const name of [
    'money_enrichment_certificate_expires_timestamp_seconds',
    'money_enrichment_token_expires_timestamp_seconds',
    'temporal_workflow_task_execution_failed_total',
  ]) {
    asked.delete(name);
  }
  const missing = [...asked].filter((name) => !exposed.has(name));
  assert.deepEqual(missing, []);
  assert.match(texts[0]!, /^money_enrichment_end_to_end_seconds_count\{stream="applied"\} [1-9]/m);
}

test('a story of one user in one partition, every output by hand', { timeout: 180_000 }, async (t) => {
  const system = await startSystem(t, {
    partitions: 1,
    country: 'ZZ',
    env: { ENRICHMENT_IDLE_TIMEOUT: '2s', ENRICHMENT_FORWARD_HEADERS: 'traceparent,x-id' },
  });
  const session = (sessionId: string, ms: number, country: string) =>
    record('session', 'UserSessionCreatedEvent', ms, `"clientCountryCode":"${country}"`, ms, sessionId);
  const traced = (n: number, produced: ProducedRecord): ProducedRecord => ({
    ...produced,
    headers: { traceparent: trace(n), other: 'x', 'x-id': [Buffer.from([0xff, 0x00]), Buffer.from(`é${n}`)] },
  });
  const later = (input: MoneyInput, type: string, field: string) => record(input, type, DAY + 60_000, `"${field}":"x"`);

  await system.produce([
    session(S1, 0, 'UY'),
    record('user', 'ChangeBirthDateEvent', 1_000, '"birthYear":"1990","birthCityPlace":"Rocha"'),
    traced(1, money(1, 2_000, 'BET', '0.10', S1)),
    money(1, 2_000, 'BET', '0.10', S1, { written: 3_000 }), // a duplicate
    record('user', 'ChangeAddressEvent', 4_000, '"address":"x","residentCountryCode":"AR","postalCode":"1"'),
    money(2, 3_999, 'BET', '1E+2', S1, { written: 4_500 }), // before the new address, read after it
    money(3, 4_000, 'WIN', '1234567890123456789012345678901234567890', S1, { written: 4_600 }), // at the very time of it
    traced(4, money(4, 10_000, 'DEPOSIT', '5', S2)), // before its session
    traced(5, money(5, 11_000, 'BET', '6', S1, { old: true })),
    session(S2, 12_000, 'BR'),
    money(1, 62_001, 'BET', '0.10', S1), // the id of the first, a millisecond after the dedup TTL
    money(6, 70_000, 'BET', '7.0', undefined),
    money(7, DAY + 1, 'BET', '8', S1), // its session expired a millisecond ago
    later('user', 'OtherUserEvent', 'somethingUtil'),
    later('session', 'UserSessionClosedEvent', 'reason'),
    later('money', 'KindOfWalletEvent', 'somethingInteresting'),
    money(8, 30_000, 'LATE', '9', S1, { written: DAY + 61_000 }), // late, and its session has expired
    money(9, 3_000, 'LATE', '10', S9, { written: DAY + 62_000 }), // late, of a session that nobody knows
  ]);
  const [worker, bridge] = await Promise.all([system.start('worker'), system.start('bridge')]);

  const born = '"userInfo":{"birthYear":"1990"}';
  const moved = '"userInfo":{"birthYear":"1990","residentCountryCode":"AR"}';
  const from = (country: string) => `"sessionInfo":{"clientCountryCode":"${country}"}`;
  const expected = [
    output(1, 2_000, 'BET', '0.10', S1, `${born},${from('UY')},"firstOccurrence":true`),
    output(2, 3_999, 'BET', '1E+2', S1, `${born},${from('UY')},"firstOccurrence":false`),
    output(
      3,
      4_000,
      'WIN',
      '1234567890123456789012345678901234567890',
      S1,
      `${moved},${from('UY')},"firstOccurrence":true`,
    ),
    output(4, 10_000, 'DEPOSIT', '5', S2, `${moved},${from('BR')},"firstOccurrence":true`),
    output(5, 11_000, 'BET', '6', S1, `${moved},${from('ZZ')},"firstOccurrence":false`, true),
    output(1, 62_001, 'BET', '0.10', S1, `${moved},${from('UY')},"firstOccurrence":false`),
    output(6, 70_000, 'BET', '7.0', undefined, `${moved},"firstOccurrence":false`),
    output(7, DAY + 1, 'BET', '8', S1, `${moved},${from('ZZ')},"firstOccurrence":false`),
    output(8, 30_000, 'LATE', '9', S1, `${moved},${from('ZZ')},"firstOccurrence":true`),
    output(9, 3_000, 'LATE', '10', S9, `${born},${from('ZZ')},"firstOccurrence":false`),
  ];
  await eventually('all outputs', () => system.outputs.length >= expected.length, 60_000);
  assert.deepEqual(system.outputs.map(({ value }) => String(value)).sort(), [...expected].sort());
  assert.ok(system.outputs.every(({ key }) => String(key) === `"${USER}"`));
  await exposesWhatIsAskedOf([worker.httpUrl, bridge.httpUrl]);
  const addresses = [bridge.httpUrl, worker.httpUrl, 'http://127.0.0.1:1'].flatMap((url) => ['--metrics', url]);
  const seen = await program(['top', '--json', ...addresses], system.env);
  assert.equal(seen.code, 0, seen.stderr);
  const { users, partitions, deadLetters, shards, waiting, processes } = JSON.parse(seen.stdout) as TopSnapshot;
  assert.deepEqual(users, [{ user: USER, records: 18 }]);
  assert.deepEqual([partitions.length, partitions[0]!.held !== null, deadLetters.inTopic], [1, true, 0]);
  assert.deepEqual(shards, [{ shard: 0, owner: `${worker.httpUrl}/metrics` }]);
  assert.deepEqual([waiting.pendingMoney, waiting.lookupsInFlight], [0, 0]);
  assert.deepEqual(
    processes.map(({ problem }) => problem !== undefined),
    [false, false, true],
  );
  assert.equal(system.deadLetters.length, 0);
  // Applied at once, after its session, after a lookup: each with the chosen headers of its money, and no other has any.
  const handedOn = [
    [0, trace(1), '\ufffd\0', 'é1'],
    [4, trace(4), '\ufffd\0', 'é4'],
    [5, trace(5), '\ufffd\0', 'é5'],
  ];
  assert.deepEqual(await headersIn(system, system.config.topics.output, expected.length), handedOn);
  const backfilled = `${system.config.topics.output}-backfill`;
  const run = await program(['backfill', '--output-topic', backfilled], system.env);
  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual(await headersIn(system, backfilled, expected.length), handedOn);
  await namesOfProcesses(system);
  // Outputs that needed no waiting come in the order of application.
  const unwaited = [0, 1, 2, 5, 6].map((index) => expected[index]);
  assert.deepEqual(
    system.outputs.map(({ value }) => String(value)).filter((value) => unwaited.includes(value)),
    unwaited,
  );

  const story = await storyOf(system.env);
  assert.equal(story.summary, "enriches one user's money");
  // Money is found at the offset that the table names.
  const shown = [...story.details.matchAll(/^\| [^|]* ([0-9a-f-]{36}) \|.* at offset (\d+) \|$/gm)];
  assert.equal(shown.length, 5, story.details);
  for (const [, moneyId, offset] of shown) {
    const found = system.outputs.find((one) => one.offset === Number(offset));
    assert.match(String(found?.value), new RegExp(`"id":"${moneyId}"`), `offset ${offset}`);
  }
  // The asked sessions: an expired one twice, for the money of one batch, and one that nobody knows.
  assert.ok(
    story.summaries.some((text) => /^lookup of (?:session 00000000|\d sessions), 1 d late$/.test(text)),
    story.summaries.join('\n'),
  );
  assert.ok(story.summaries.some((text) => /^publish \d+ outputs?, from number \d+ on$/.test(text)));
});

/** What Temporal's UI shows of the user in words. */
async function storyOf(env: Record<string, string>) {
  const { client, connection } = await connectTemporal(env, NO_ENCRYPTION);
  try {
    const handle = client.workflow.getHandle(workflowIdOf(env['ENRICHMENT_APP_ID']!, USER));
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    const { events } = await handle.fetchHistory();
    const summaries = (events ?? []).map((event) => String(event.userMetadata?.summary?.data ?? ''));
    const [summary = '', ...rest] = summaries.filter((text) => text !== '').map((text) => JSON.parse(text) as string);
    return { details: currentDetails, summary, summaries: rest };
  } finally {
    await connection.close();
  }
}
