import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock, type Clock } from '../../../src/engine/clock.ts';
import { jsonDecoders } from '../../../src/engine/values/value.ts';
import { encodeOutput } from '../../../src/money/codec/output-record.ts';
import { checkSchemaRegistry } from '../../../src/tools/doctor/services.ts';
import { loadConfig } from '../../../src/money/config.ts';
import { silentLogger } from '../../../src/engine/log.ts';
import { outputSchema } from '../../../src/money/codec/avro-output.ts';
import { inputDecoders, outputEncoder, outputSubject } from '../../../src/money/codec/value-format.ts';
import { startStandInRegistry } from '../../support/schema-registry.ts';

const nothing = { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent' };
const avro = (url: string, env: Record<string, string> = {}) =>
  loadConfig({
    ...nothing,
    ...env,
    ENRICHMENT_VALUE_FORMAT: 'avro',
    ENRICHMENT_OUTPUT_TOPIC: 'out',
    SCHEMA_REGISTRY_URL: url.replace('//', '//me:hunter2@'),
  });
const json = loadConfig({ ...nothing, SCHEMA_REGISTRY_URL: 'http://nobody' });

/** Every sleep takes `ms`. */
function sleeping(ms: number): Clock {
  let now = 0;
  return { elapsed: () => now, now: () => now, sleep: async () => void (now += ms) };
}

describe('the value format', () => {
  test('json asks no registry, though one is configured', async () => {
    assert.equal(inputDecoders(json, systemClock), jsonDecoders);
    assert.equal(await outputEncoder(json, systemClock, silentLogger()), encodeOutput);
    assert.deepEqual(await checkSchemaRegistry(json), []);
  });

  test('a worker waits for a registry that is away for a moment', async (t) => {
    const registry = await startStandInRegistry();
    t.after(() => registry.stop());
    registry.disturb((_, response) => {
      response.writeHead(503).end();
      if (registry.requests.length === 3) registry.disturb(undefined);
    });
    const encode = await outputEncoder(avro(registry.url), sleeping(1_000), silentLogger());
    assert.equal(typeof encode, 'function');
    assert.deepEqual(registry.requests, Array(4).fill('POST /subjects/out-value/versions'));
  });

  test('and gives up, saying why, when it stays away or refuses', async (t) => {
    const registry = await startStandInRegistry();
    t.after(() => registry.stop());
    registry.disturb((_, response) => void response.writeHead(503).end());
    await assert.rejects(outputEncoder(avro(registry.url), sleeping(10_000), silentLogger()), {
      code: 'UNREACHABLE',
      message: /503 to POST \/subjects\/out-value\/versions$/,
    });
    assert.equal(registry.requests.length, 4);
    registry.disturb((_, response) => void response.writeHead(409).end('{"error_code":409,"message":"incompatible"}'));
    await assert.rejects(outputEncoder(avro(registry.url), sleeping(10_000), silentLogger()), {
      code: 'CONFIG',
      message: /refuses the schema of out-value with 409: incompatible$/,
    });
    assert.equal(registry.requests.length, 5);
  });

  test('without registration the id is looked up, and what is missing is said with its subject', async (t) => {
    const registry = await startStandInRegistry();
    t.after(() => registry.stop());
    const config = avro(registry.url, { SCHEMA_REGISTRY_AUTO_REGISTER: 'false' });
    const encoder = () => outputEncoder(config, sleeping(1_000), silentLogger());
    await assert.rejects(encoder(), {
      code: 'CONFIG',
      message:
        /has no subject out-value, and SCHEMA_REGISTRY_AUTO_REGISTER=false: register schemas\/money-enriched.avsc there$/,
    });
    registry.add({ type: 'record', name: 'Other', fields: [] }, 'out-value');
    await assert.rejects(encoder(), { code: 'CONFIG', message: /does not have this schema under out-value, and / });
    registry.add(outputSchema(), 'out-value');
    assert.equal(typeof (await encoder()), 'function');
    assert.deepEqual(registry.requests, Array(3).fill('POST /subjects/out-value'));
  });

  test('with the latest schema nothing is registered either, and one that cannot be written is refused by its field', async (t) => {
    const registry = await startStandInRegistry();
    t.after(() => registry.stop());
    const config = avro(registry.url, { SCHEMA_REGISTRY_USE_LATEST_VERSION: 'true' });
    const encoder = () => outputEncoder(config, sleeping(1_000), silentLogger());
    const { fields, ...record } = JSON.parse(outputSchema()) as { fields: object[] };
    registry.add(outputSchema(), 'out-value');
    registry.add({ ...record, fields: fields.slice(0, -1) }, 'out-value');
    await assert.rejects(encoder(), {
      code: 'CONFIG',
      message:
        /^the outputs cannot be written with version 2 of out-value, the latest .*: firstOccurrence: it has no such field\. Register a version/,
    });
    const [finding] = await checkSchemaRegistry(config);
    assert.match(finding!.message, /version 2 of out-value/);
    registry.add({ ...record, fields: [...fields, { name: 'region', type: 'string', default: 'EU' }] }, 'out-value');
    assert.equal(typeof (await encoder()), 'function');
    assert.deepEqual(await checkSchemaRegistry(config), [
      {
        level: 'ok',
        subject: 'schema registry',
        message: `${registry.url} answers: 1 subjects; the worker takes the latest schema of out-value`,
      },
    ]);
    assert.ok(
      registry.requests.every((request) => request.startsWith('GET ')),
      registry.requests.join(),
    );
  });

  test('the subject is by the strategy, or said outright', () => {
    const subject = (env: Record<string, string>) => outputSubject(avro('http://registry', env));
    assert.equal(subject({}), 'out-value');
    const strategy = (name: string) => subject({ SCHEMA_REGISTRY_SUBJECT_NAME_STRATEGY: name });
    assert.equal(strategy('TopicNameStrategy'), 'out-value');
    assert.equal(strategy('RecordNameStrategy'), 'money.enrichment.MoneyEnriched');
    assert.equal(strategy('topicrecordnamestrategy'), 'out-money.enrichment.MoneyEnriched');
    assert.equal(subject({ SCHEMA_REGISTRY_SUBJECT: 'team.money' }), 'team.money');
  });

  test('the doctor says whether the registry answers, without its password', async () => {
    const registry = await startStandInRegistry();
    registry.add({}, 'a');
    assert.deepEqual(await checkSchemaRegistry(avro(registry.url)), [
      {
        level: 'ok',
        subject: 'schema registry',
        message: `${registry.url} answers: 1 subjects; the worker registers out-value`,
      },
    ]);
    await registry.stop();
    const [finding] = await checkSchemaRegistry(avro(registry.url));
    assert.equal(finding!.level, 'failed');
    assert.match(finding!.message, /ECONNREFUSED/);
    assert.doesNotMatch(finding!.message, /hunter2/);
  });
});
