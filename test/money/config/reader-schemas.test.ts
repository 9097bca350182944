import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { decodeRecord, eventTypesOf } from '../../../src/money/codec/decode.ts';
import { loadConfig, type Config } from '../../../src/money/config.ts';
import { INPUTS, type MoneyInput } from '../../../src/money/domain/events.ts';
import { identityOf } from '../../../src/tools/backfill/plan.ts';
import { decoderOf, typeOf, wire } from '../../engine/values/avro/given.ts';

const VARIABLES = {
  money: 'ENRICHMENT_WALLET_READER_SCHEMA',
  user: 'ENRICHMENT_USER_READER_SCHEMA',
  session: 'ENRICHMENT_SESSION_READER_SCHEMA',
} as const;
const PUBLISHED = { money: 'wallet-events', user: 'user-events', session: 'user-session-events' } as const;
const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const AT = '2026-01-31T10:00:00.000Z';
const KAFKA_TIME = Date.parse(AT);

interface Field {
  name: string;
  type: unknown;
  default?: unknown;
  aliases?: string[];
}
interface Schema {
  name: string;
  aliases?: string[];
  fields: Field[];
}

function published(input: MoneyInput): Schema[] {
  const file = new URL(`../../../schemas/${PUBLISHED[input]}.avsc`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Schema[];
}

function load(env: Record<string, string>): Config {
  return loadConfig({
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    ENRICHMENT_VALUE_FORMAT: 'avro',
    SCHEMA_REGISTRY_URL: 'http://registry',
    ...env,
  });
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'reader-schemas-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function configured(t: TestContext, input: MoneyInput, schema: unknown): Config {
  const file = join(folder(t), 'reader.avsc');
  writeFileSync(file, typeof schema === 'string' ? schema : JSON.stringify(schema));
  return load({ [VARIABLES[input]]: file });
}

function decoded(config: Config, input: MoneyInput, writer: Schema, value: object) {
  const bytes = wire(typeOf(writer).toBuffer(value));
  return decodeRecord(
    input,
    { key: Buffer.from(USER), value: bytes, timestamp: KAFKA_TIME },
    config,
    decoderOf(writer),
  );
}

test('those that are published have the events of their topic, and read what they write', () => {
  for (const input of INPUTS) {
    const file = new URL(`../../../schemas/${PUBLISHED[input]}.avsc`, import.meta.url).pathname;
    const config = load({ [VARIABLES[input]]: file });
    assert.deepEqual(
      published(input).map(({ name }) => name),
      eventTypesOf(input),
    );
    for (const schema of published(input)) {
      const special: Record<string, unknown> = {
        userSessionId: null,
        isOldMoneyEvent: false,
        id: USER,
        userId: USER,
        processedAt: AT,
        currency: 'EUR',
        amount: '1.50',
        openingBalance: '0.00',
        closingBalance: '1.50',
      };
      const value = Object.fromEntries(
        schema.fields.map(({ name }) => [name, special[name] === undefined ? 'x' : special[name]]),
      );
      const result = decoded(config, input, schema, value);
      assert.ok(result.ok, `${schema.name}: ${JSON.stringify(result)}`);
    }
  }
});

test('events of a producer with other names, and without a field, are ours', (t) => {
  const [payment, ...others] = published('money');
  const writer: Schema = {
    ...payment!,
    name: 'PaymentMade',
    fields: payment!.fields
      .filter(({ name }) => name !== 'isOldMoneyEvent')
      .map((field) => (field.name === 'moneyType' ? { ...field, name: 'kind' } : field)),
  };
  const value = {
    ...{ id: USER, userId: USER, processedAt: AT, userSessionId: null, currency: 'EUR', kind: 'BET' },
    ...{ amount: '12345678901234567890.10', openingBalance: '0', closingBalance: '1E+2', paymentRelatedThing: 'x' },
  };
  const plain = decoded(load({}), 'money', writer, value);
  assert.ok(!plain.ok);
  assert.equal(plain.reason, 'unknown-type');

  const ours = {
    ...payment!,
    aliases: ['PaymentMade'],
    fields: payment!.fields.map((field) => {
      if (field.name === 'moneyType') return { ...field, aliases: ['kind'] };
      return field.name === 'isOldMoneyEvent' ? { ...field, default: false } : field;
    }),
  };
  assert.deepEqual(decoded(configured(t, 'money', [ours, ...others]), 'money', writer, value), {
    ok: true,
    userId: USER,
    ts: KAFKA_TIME,
    event: {
      type: 'money',
      money: {
        id: USER,
        ts: KAFKA_TIME,
        amount: '12345678901234567890.10',
        currency: 'EUR',
        closingBalance: '1E+2',
        moneyType: 'BET',
        isOldMoneyEvent: false,
      },
    },
  });
});

test('those that mean nothing are refused with what to change, and JSON takes none', (t) => {
  const refused = (schema: unknown) => {
    try {
      configured(t, 'session', schema);
    } catch (error) {
      return (error as Error).message.replace(/^[^:]*: /, '');
    }
    return assert.fail('it was taken');
  };
  assert.equal(refused('{'), 'expected an Avro schema (.avsc) for reading: it is not JSON');
  assert.equal(
    refused({ type: 'record', name: 'SessionMade', fields: [] }),
    'expected an Avro schema (.avsc) for reading: SessionMade is none of UserSessionCreatedEvent, UserSessionClosedEvent, and has no field "type" that says which (old names go into "aliases")',
  );
  assert.throws(() => load({ ENRICHMENT_USER_READER_SCHEMA: '/nowhere.avsc' }), /the file cannot be read \(ENOENT/);
  assert.throws(
    () => load({ ENRICHMENT_VALUE_FORMAT: 'json', ENRICHMENT_USER_READER_SCHEMA: 'x.avsc' }),
    /ENRICHMENT_USER_READER_SCHEMA="x.avsc": expected not to be set, as ENRICHMENT_VALUE_FORMAT is json/,
  );
});

test('a backfill that goes on with others is another one', (t) => {
  const schema = published('user');
  const window = { from: -Infinity, to: Infinity };
  const without = identityOf(load({}), window);
  const one = identityOf(configured(t, 'user', schema), window);
  assert.ok(one.startsWith(`${without} reader-schemas=`), one);
  assert.equal(identityOf(configured(t, 'user', JSON.stringify(schema, null, 2)), window), one);
  assert.notEqual(identityOf(configured(t, 'user', schema.slice(1)), window), one);
});
