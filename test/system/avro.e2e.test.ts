/** Events in Avro, of several schemas, with a registry that is away at first: outputs in Avro, equal to the model's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import avsc from 'avsc';
import { INPUTS, type MoneyInput } from '../../src/money/domain/events.ts';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { DEFAULT_SETTINGS, model, type ModelOutput, type LogRecord } from '../../src/money/model/model.ts';
import { program } from '../cli/program.ts';
import { createAvroEvents, jsonOfOutput } from '../support/avro-events.ts';
import { eventually } from '../support/eventually.ts';
import { startStandInRegistry } from '../support/schema-registry.ts';
import { startSystem, type ProducedRecord } from '../support/system.ts';
import { readTopics } from '../support/topic-reader.ts';

const GARBAGE = Buffer.from('not JSON, and not Avro');
const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';

test('events in Avro come out in Avro as the model says', { timeout: 300_000 }, async (t) => {
  const registry = await startStandInRegistry();
  t.after(() => registry.stop());
  const system = await startSystem(t, {
    partitions: 2,
    countOnly: true,
    env: { ENRICHMENT_VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: registry.url.replace('//', '//me:hunter2@') },
  });
  const { config } = system;

  /** What was produced, and the JSON that says the same. */
  const meaning = new Map<string, Buffer | null>();
  const events = createAvroEvents((schema) => registry.add(schema, 'inputs'));
  const asAvro = (input: MoneyInput, json: Buffer | null): Buffer | null => {
    if (json === null) return null;
    const value = events.encode(input, json);
    meaning.set(value.toString('hex'), json);
    return value;
  };
  const start = Date.now() - 7 * 86_400_000;
  const produced: ProducedRecord[] = [];
  const traffic = trafficOptions({
    users: 30,
    events: 2_000,
    seed: 4,
    start,
    disorder: 15_000,
    duplicates: 0.05,
    old: 0.02,
    pending: 0.02,
    late: 0.02,
    expiredSessions: 0.02,
    malformed: 0,
    tooLarge: false,
  });
  for (const { input, key, value, timestamp } of generateTraffic(traffic)) {
    produced.push({ input, key, value: asAvro(input, value), timestamp });
  }

  // What cannot be used, each beside what the model is told instead of it.
  const at = start + 60_000;
  const good = Buffer.from(
    `{"type":"PaymentEvent","id":"${USER}","userId":"${USER}","processedAt":"${new Date(at).toISOString()}","amount":1.50,"openingBalance":0.00,"closingBalance":1.50,` +
      '"currency":"EUR","moneyType":"BET","paymentRelatedThing":"x","isOldMoneyEvent":false}',
  );
  const avro = events.encode('money', good);
  const bomb = registry.add({
    type: 'record',
    name: 'Bomb',
    fields: [{ name: 'a', type: { type: 'array', items: 'null' } }],
  });
  const foreign = registry.add('"string"');
  const wire = (id: number, hex: string): Buffer => {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(id, 1);
    return Buffer.concat([prefix, Buffer.from(hex, 'hex')]);
  };
  const bad: [value: Buffer | null, json: Buffer | null, key?: string][] = [
    [null, null],
    [good, GARBAGE], // JSON
    [Buffer.from([0, 0, 0]), GARBAGE],
    [wire(bomb, '80e1eb1700'), GARBAGE],
    [wire(foreign, '0261'), GARBAGE],
    [wire(4_000_000_000, '00'), GARBAGE], // an id that the registry does not know
    [avro.subarray(0, avro.length - 1), GARBAGE],
    [Buffer.concat([avro, Buffer.from([0])]), GARBAGE],
    [wire(registry.add({ type: 'record', name: 'Other', fields: [] }), ''), Buffer.from('{"type":"Other"}')],
    [
      wire(registry.add({ type: 'record', name: 'PaymentEvent', fields: [] }), ''),
      Buffer.from('{"type":"PaymentEvent"}'),
    ],
    [
      events.encode('money', Buffer.from(good.toString().replace('EUR', 'EURO'))),
      Buffer.from(good.toString().replace('EUR', 'EURO')),
    ],
    [avro, good, 'someone'],
  ];
  for (const [value, json, key = USER] of bad) {
    if (value !== null) meaning.set(value.toString('hex'), json);
    produced.push({ input: 'money', key, value, timestamp: at });
  }
  await system.produce(produced);

  const inputs: Record<MoneyInput, string> = {
    user: config.topics.user,
    session: config.topics.session,
    money: config.topics.money,
  };
  const logged = await readTopics(config.kafka!, Object.values(inputs));
  t.after(() => logged.close());
  await eventually('all that was produced can be read', () => logged.records.length >= produced.length, 60_000);
  const expected = model({
    records: logged.records.map((record): LogRecord => {
      const value = record.value === null ? null : meaning.get(record.value.toString('hex'))!;
      return { ...record, value, topic: INPUTS.find((input) => inputs[input] === record.topic)! };
    }),
    settings: { ...DEFAULT_SETTINGS, pendingAtEnd: 'leave' },
    sessionService: () => 'UY',
  });
  assert.ok(expected.outputs.length > 800, `${expected.outputs.length} outputs`);
  assert.equal(expected.deadLetters.length, bad.length);
  assert.ok(events.used.size >= 8, `${events.used.size} schemas`);

  await system.start('worker'); // registers its schema
  registry.disturb((_, response) => void response.writeHead(503).end());
  const bridge = await system.start('bridge');
  await eventually(
    'the bridge says that it waits for the registry',
    async () => {
      const text = await (await fetch(`${bridge.httpUrl}/readyz`)).text();
      assert.doesNotMatch(text, /hunter2/);
      return (
        text.includes('of its partitions wait: the schema registry at') && text.includes('503 to GET /schemas/ids/')
      );
    },
    60_000,
  );
  assert.equal((await fetch(`${bridge.httpUrl}/healthz`)).status, 200);
  assert.deepEqual([system.outputs.length, system.deadLetters.length], [0, 0]);
  registry.disturb(undefined);

  await eventually(
    'all outputs and dead letters',
    () => system.outputs.length >= expected.outputs.length && system.deadLetters.length >= expected.deadLetters.length,
    120_000,
  );
  assert.equal((await fetch(`${bridge.httpUrl}/readyz`)).status, 200);

  const place = (partition: unknown, offset: unknown) => `${String(partition)}/${String(offset)}`;
  const ids = new Set(system.outputs.map(({ value }) => value!.readUInt32BE(1)));
  assert.equal(ids.size, 1);
  const [id] = ids;
  assert.deepEqual(registry.subjectsOf(id!), [`${config.topics.output}-value`]);
  const output = avsc.Type.forSchema(JSON.parse(registry.text(id!)!) as avsc.Schema);
  assert.deepEqual(
    system.outputs
      .map(({ headers, key, value }) => {
        assert.equal(value![0], 0);
        return `${place(headers['source-partition'], headers['source-offset'])} ${String(key)} ${jsonOfOutput(output.fromBuffer(value!.subarray(5)) as object)}`;
      })
      .sort(),
    expected.outputs.map(({ partition, offset, key, value }) => `${place(partition, offset)} ${key} ${value}`).sort(),
  );
  assert.deepEqual(
    system.deadLetters
      .map(({ headers }) => `${place(headers['source-partition'], headers['source-offset'])} ${headers['reason']}`)
      .sort(),
    expected.deadLetters.map(({ partition, offset, reason }) => `${place(partition, offset)} ${reason}`).sort(),
  );

  const [{ value: first, userId }] = expected.outputs as [ModelOutput];
  const moneyId = (JSON.parse(first) as { money: { id: string } }).money.id;
  const explained = await program(['explain', userId, moneyId, '--json'], system.env);
  assert.equal(explained.code, 0, explained.stderr);
  const { money } = JSON.parse(explained.stdout) as { money: { problems: string[]; published: unknown[] }[] };
  assert.ok(
    money.some(({ problems, published }) => problems.length === 0 && published.length === 1),
    explained.stdout,
  );

  const sources = new Map(
    logged.records.map((record) => [`${record.topic}/${place(record.partition, record.offset)}`, record]),
  );
  for (const { value, headers } of system.deadLetters) {
    const source = sources.get(
      `${headers['source-topic']}/${place(headers['source-partition'], headers['source-offset'])}`,
    )!;
    assert.equal(value?.toString('hex'), source.value?.toString('hex'), 'a dead letter has the bytes that came in');
  }
  const details = system.deadLetters.map(({ headers }) => headers['detail']);
  assert.ok(
    details.includes('value: schema 4000000000 cannot be used: the schema registry does not know it (404)'),
    details.join('\n'),
  );
});
