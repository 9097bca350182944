/** A real registry: records that other clients wrote come out enriched, written with the latest schema of the output. Old money is looked up. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import avsc from 'avsc';
import { freePorts } from '../../src/dev/ports.ts';
import { startSchemaRegistry } from '../../src/dev/schema-registry.ts';
import { createSchemaRegistry } from '../../src/engine/schema-registry/client.ts';
import { outputSchema } from '../../src/money/codec/avro-output.ts';
import { program } from '../cli/program.ts';
import { jsonOfOutput } from '../support/avro-events.ts';
import { eventually } from '../support/eventually.ts';
import { startSystem } from '../support/system.ts';
import { FOREIGN, READER_SCHEMA } from './foreign/records.ts';

const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const SESSION = '5e551014-0000-4000-8000-000000000001';
const log = (line: string): void => console.error(line);

/** Registers as a pipeline would, which is not the product. */
async function register(url: string, subject: string, schema: string, references: readonly object[] = []) {
  const response = await fetch(`${url}/subjects/${encodeURIComponent(subject)}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema, references }),
  });
  const body = (await response.json()) as { id?: number };
  assert.equal(response.status, 200, JSON.stringify(body));
  return body.id!;
}

test('records that other clients wrote come out enriched, by a real registry', { timeout: 300_000 }, async (t) => {
  const registry = await startSchemaRegistry({ log });
  t.after(() => registry.stop());
  const folder = await mkdtemp(join(tmpdir(), 'registry-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const reader = join(folder, 'wallet-events.avsc');
  await writeFile(reader, JSON.stringify(READER_SCHEMA));
  const [nobody = 0] = await freePorts(1);
  const system = await startSystem(t, {
    partitions: 1,
    countOnly: true,
    env: {
      ENRICHMENT_VALUE_FORMAT: 'avro',
      SCHEMA_REGISTRY_URL: `http://127.0.0.1:${nobody},${registry.url}`,
      SCHEMA_REGISTRY_USE_LATEST_VERSION: 'true',
      SCHEMA_REGISTRY_SUBJECT_NAME_STRATEGY: 'TopicRecordNameStrategy',
      ENRICHMENT_WALLET_READER_SCHEMA: reader,
    },
  });
  const { topics } = system.config;
  const subject = `${topics.output}-money.enrichment.MoneyEnriched`;

  const missing = await program(['doctor'], system.env);
  assert.equal(missing.code, 1);
  assert.match(missing.stdout, new RegExp(`has no subject ${subject}`));
  await register(registry.url, subject, outputSchema());
  const ours = JSON.parse(outputSchema()) as { fields: object[] };
  const latest = { ...ours, fields: [...ours.fields, { name: 'region', type: 'string', default: 'EU' }] };
  const latestId = await register(registry.url, subject, JSON.stringify(latest));

  for (const { references, records } of FOREIGN) {
    const pointers = (names: readonly string[]) =>
      names.map((name) => ({ name, subject: references.find((one) => one.name === name)!.subject, version: 1 }));
    for (const one of references) await register(registry.url, one.subject, one.schema, pointers(one.references));
    for (const { input, key, timestamp, schema, references: named, value } of records) {
      const id = await register(registry.url, `${topics[input]}-${schema.length}`, schema, pointers(named));
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(id, 1);
      const bytes = Buffer.concat([prefix, Buffer.from(value, 'hex')]);
      await system.produce([{ input, key, value: bytes, timestamp }]);
    }
  }
  const subjects = await createSchemaRegistry([registry.url]).subjects();

  await Promise.all([system.start('worker'), system.start('bridge')]);
  await eventually('all outputs', () => system.outputs.length >= 3, 60_000);
  assert.deepEqual(
    system.deadLetters.map(({ headers }) => headers['detail']),
    [],
  );

  const type = avsc.Type.forSchema(latest as avsc.Schema);
  const outputs = system.outputs.map(({ value }) => {
    assert.equal(value!.readUInt32BE(1), latestId);
    const output = type.fromBuffer(value!.subarray(5)) as { region: string };
    assert.equal(output.region, 'EU');
    return jsonOfOutput(output);
  });
  const money = (id: number, session: string, rest: string) =>
    `{"money":{"id":"00000000-0000-4000-8000-00000000000${id}","userId":"${USER}",${session}"processedAt":"2026-01-31T10:00:0${rest}`;
  const user = '"userInfo":{"residentCountryCode":"UY"}';
  const inSession = `"userSessionId":"${SESSION}",`;
  assert.deepEqual(outputs.toSorted(), [
    `${money(1, inSession, '2.001Z')}","amount":-123456789012345678901234567890.10,"currency":"EUR","closingBalance":0.00,"moneyType":"BET","isOldMoneyEvent":false},${user},"sessionInfo":{"clientCountryCode":"AR"},"firstOccurrence":true}`,
    `${money(2, '', '3.000Z')}","amount":0.01,"currency":"UYU","closingBalance":7.10,"moneyType":"WIN","isOldMoneyEvent":false},${user},"firstOccurrence":true}`,
    `${money(3, inSession, '4.000Z')}","amount":-99999999999999999999999999.0001,"currency":"EUR","closingBalance":100000000000000000.99,"moneyType":"BET","isOldMoneyEvent":true},${user},"sessionInfo":{"clientCountryCode":"UY"},"firstOccurrence":false}`,
  ]);
  assert.equal(await createSchemaRegistry([registry.url]).subjects(), subjects, 'the product registered nothing');
  const checked = await program(['doctor'], system.env);
  assert.match(checked.stdout, new RegExp(`the worker takes the latest schema of ${subject}`));

  const generate = ['generate', '--users', '5', '--events', '120', '--disorder', '0'];
  const refused = await program(generate, system.env);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, new RegExp(`has no subject ${topics.user}-value`));
  const written = await program(generate, { ...system.env, SCHEMA_REGISTRY_USE_LATEST_VERSION: 'false' });
  assert.equal(written.code, 0, written.stderr);
  await eventually('generated money comes out', () => system.outputs.length >= 3 + 50, 60_000);
  assert.deepEqual(system.deadLetters.length, 0);
});
