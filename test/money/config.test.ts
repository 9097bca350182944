import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { loadConfig, readEnvironment } from '../../src/money/config.ts';
import type { ConfigRequirements } from '../../src/money/config.ts';
import { formatDuration, parseDuration } from '../../src/engine/process/environment-reader.ts';
import { CodedError } from '../../src/engine/errors.ts';
import { currentOf } from '../../src/engine/process/secret-file.ts';
import { CERTIFICATE } from '../support/pem.ts';
import { temporalConnectionOptions } from '../../src/engine/temporal/connection.ts';

/** An environment in which no file of the person who runs the tests is read. */
const nothing = { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent' };

function problemsOf(env: NodeJS.ProcessEnv, requirements: ConfigRequirements = {}): string[] {
  try {
    loadConfig({ ...nothing, ...env }, requirements);
    return [];
  } catch (error) {
    assert.ok(error instanceof CodedError);
    assert.equal(error.code, 'CONFIG');
    return error.message.split('\n');
  }
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'money-enrichment-config-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('an empty environment gives the defaults of the contract', () => {
  assert.deepEqual(loadConfig(nothing), {
    appId: 'money-enrichment',
    temporalConfigured: false,
    topics: {
      user: 'user-events',
      session: 'user-session-events',
      money: 'wallet-events',
      output: 'money-enriched-events',
      deadLetter: 'money-enrichment-dead-letters',
      ledger: 'money-enriched-events-ledger',
    },
    outOfOrderness: 20_000,
    idleTimeout: 5_000,
    flushDelay: 2_000,
    sessionTtl: 86_400_000,
    dedupTtl: 60_000,
    pendingTimeout: 3_600_000,
    lookupTimeout: 1_000,
    lookupGiveUpAfter: 600_000,
    maxLookups: 64,
    maxFutureSkew: 3_600_000,
    maxRecordBytes: 1_048_576,
    standInCountry: 'UY',
    standInDelay: 20,
    valueFormat: 'json',
    readerSchemas: {},
    forwardHeaders: ['traceparent', 'tracestate'],
    codecCorsOrigins: [],
    olderWorkflows: [],
    pollers: { workflow: 4, activity: 2 },
    stackTraces: false,
    metricsPort: 9464,
    metricsPortIsDefault: true,
    logLevel: 'info',
  });
});

test('every variable is read', () => {
  const config = loadConfig({
    ...nothing,
    KAFKA_BROKERS: 'one:9092, two:9093,',
    KAFKA_SESSION_TIMEOUT: '3s',
    KAFKA_SSL: 'true',
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SASL_USERNAME: 'me',
    KAFKA_SASL_PASSWORD: 'secret',
    TEMPORAL_ADDRESS: 'localhost:7233',
    ENRICHMENT_APP_ID: 'app_1.x-y',
    ENRICHMENT_WALLET_TOPIC: 'w',
    ENRICHMENT_USER_TOPIC: 'u',
    ENRICHMENT_SESSION_TOPIC: 's',
    ENRICHMENT_OUTPUT_TOPIC: 'o',
    ENRICHMENT_DEAD_LETTER_TOPIC: 'd',
    ENRICHMENT_OUT_OF_ORDERNESS: '0s',
    ENRICHMENT_IDLE_TIMEOUT: '500ms',
    ENRICHMENT_FLUSH_DELAY: '250ms',
    ENRICHMENT_SESSION_TTL: '1.5h',
    ENRICHMENT_DEDUP_TTL: '2m',
    ENRICHMENT_PENDING_TIMEOUT: '3d',
    ENRICHMENT_LOOKUP_TIMEOUT: '4s',
    ENRICHMENT_LOOKUP_GIVE_UP_AFTER: '5s',
    ENRICHMENT_MAX_LOOKUPS: '9',
    ENRICHMENT_MAX_FUTURE_SKEW: '6ms',
    ENRICHMENT_MAX_RECORD_BYTES: '7',
    ENRICHMENT_SESSION_SERVICE_URL: 'http://localhost:8080/api/',
    ENRICHMENT_STAND_IN_COUNTRY: 'AR',
    ENRICHMENT_STAND_IN_DELAY: '0ms',
    ENRICHMENT_VALUE_FORMAT: 'json',
    SCHEMA_REGISTRY_URL: 'https://registry',
    ENRICHMENT_DEPLOYMENT: 'money',
    ENRICHMENT_OLDER_WORKFLOWS: 'old.json',
    ENRICHMENT_FORWARD_HEADERS: 'b3, x-request-id,b3',
    ENRICHMENT_GROUP_INSTANCE_ID: 'bridge-0',
    ENRICHMENT_GROUP_SESSION_TIMEOUT: '1m',
    ENRICHMENT_WORKFLOW_CACHE_MB: '500',
    ENRICHMENT_WORKFLOW_POLLERS: '20',
    ENRICHMENT_ACTIVITY_POLLERS: '10',
    ENRICHMENT_WORKFLOW_STACK_TRACES: 'true',
    ENRICHMENT_CODEC_CORS_ORIGINS: 'http://localhost:8233',
    ENRICHMENT_CODEC_JWKS_URL: 'https://issuer/keys',
    ENRICHMENT_CODEC_JWT_ISSUER: 'issuer',
    ENRICHMENT_CODEC_JWT_AUDIENCE: 'codec',
    ENRICHMENT_BRAKE_PERCENT: '50',
    ENRICHMENT_BRAKE_RECORDS: '200',
    ENRICHMENT_METRICS_PORT: '0',
    ENRICHMENT_LOG_LEVEL: 'debug',
  });
  assert.deepEqual(config, {
    appId: 'app_1.x-y',
    kafka: {
      brokers: ['one:9092', 'two:9093'],
      ssl: true,
      sessionTimeout: 3_000,
      sasl: { mechanism: 'scram-sha-512', username: 'me', password: 'secret' },
    },
    temporalConfigured: true,
    topics: { money: 'w', user: 'u', session: 's', output: 'o', deadLetter: 'd', ledger: 'o-ledger' },
    outOfOrderness: 0,
    idleTimeout: 500,
    flushDelay: 250,
    sessionTtl: 5_400_000,
    dedupTtl: 120_000,
    pendingTimeout: 259_200_000,
    lookupTimeout: 4_000,
    lookupGiveUpAfter: 5_000,
    maxLookups: 9,
    maxFutureSkew: 6,
    maxRecordBytes: 7,
    sessionServiceUrl: 'http://localhost:8080/api',
    standInCountry: 'AR',
    standInDelay: 0,
    valueFormat: 'json',
    readerSchemas: {},
    schemaRegistry: {
      urls: ['https://registry'],
      outputSchema: 'register',
      subject: { strategy: 'TopicNameStrategy' },
    },
    forwardHeaders: ['b3', 'x-request-id'],
    codecCorsOrigins: ['http://localhost:8233'],
    codecIssuer: { jwks: 'https://issuer/keys', issuer: 'issuer', audience: 'codec' },
    groupInstance: { id: 'bridge-0', timeout: 60_000 },
    deployment: 'money',
    olderWorkflows: ['old.json'],
    workflowCacheMb: 500,
    pollers: { workflow: 20, activity: 10 },
    stackTraces: true,
    brake: { share: 0.5, records: 200 },
    metricsPort: 0,
    metricsPortIsDefault: false,
    logLevel: 'debug',
  });
});

test('a session service may be called sessions', () => {
  const { sessionServiceUrl } = loadConfig({ ENRICHMENT_SESSION_SERVICE_URL: 'http://sessions' });
  assert.equal(sessionServiceUrl, 'http://sessions');
});

test('an empty variable is an unset one', () => {
  assert.deepEqual(
    loadConfig({
      ...nothing,
      KAFKA_BROKERS: '',
      ENRICHMENT_APP_ID: '',
      TEMPORAL_ADDRESS: '',
      ENRICHMENT_DEDUP_TTL: ' ',
    }),
    loadConfig(nothing),
  );
});

describe('what is wrong is said with variable, value and expectation', () => {
  const cases: readonly [env: NodeJS.ProcessEnv, line: string][] = [
    [
      { ENRICHMENT_SESSION_TTL: '1 day' },
      'ENRICHMENT_SESSION_TTL="1 day": expected a duration such as 500ms, 20s, 5m, 1h or 1d',
    ],
    [
      { ENRICHMENT_SESSION_TTL: '-1s' },
      'ENRICHMENT_SESSION_TTL="-1s": expected a duration such as 500ms, 20s, 5m, 1h or 1d',
    ],
    [
      { ENRICHMENT_SESSION_TTL: '86400' },
      'ENRICHMENT_SESSION_TTL="86400": expected a duration such as 500ms, 20s, 5m, 1h or 1d',
    ],
    [{ ENRICHMENT_SESSION_TTL: '0s' }, 'ENRICHMENT_SESSION_TTL="0s": expected a duration from 1ms to 3650d'],
    [{ ENRICHMENT_DEDUP_TTL: '0.1ms' }, 'ENRICHMENT_DEDUP_TTL="0.1ms": expected a duration from 1ms to 3650d'],
    [{ ENRICHMENT_IDLE_TIMEOUT: '30d' }, 'ENRICHMENT_IDLE_TIMEOUT="30d": expected a duration from 1ms to 2147483647ms'],
    [
      { ENRICHMENT_MAX_RECORD_BYTES: '1MiB' },
      'ENRICHMENT_MAX_RECORD_BYTES="1MiB": expected a whole number from 1 to 1048576',
    ],
    [
      { ENRICHMENT_MAX_RECORD_BYTES: '0' },
      'ENRICHMENT_MAX_RECORD_BYTES="0": expected a whole number from 1 to 1048576',
    ],
    [{ ENRICHMENT_METRICS_PORT: '65536' }, 'ENRICHMENT_METRICS_PORT="65536": expected a whole number from 0 to 65535'],
    [
      { ENRICHMENT_LOG_LEVEL: 'loud' },
      'ENRICHMENT_LOG_LEVEL="loud": expected one of trace, debug, info, warn, error, fatal, silent',
    ],
    [{ ENRICHMENT_APP_ID: 'a/b' }, 'ENRICHMENT_APP_ID="a/b": expected up to 100 letters, digits, "-", "_" and "."'],
    [
      { ENRICHMENT_USER_TOPIC: 'a b' },
      'ENRICHMENT_USER_TOPIC="a b": expected a topic name: up to 240 letters, digits, ".", "_" and "-"',
    ],
    [
      { ENRICHMENT_USER_TOPIC: '..' },
      'ENRICHMENT_USER_TOPIC="..": expected a topic name: up to 240 letters, digits, ".", "_" and "-"',
    ],
    [
      { ENRICHMENT_USER_TOPIC: 'wallet-events' },
      'ENRICHMENT_USER_TOPIC="wallet-events": expected a topic of its own, not that of ENRICHMENT_WALLET_TOPIC',
    ],
    [
      { ENRICHMENT_DEAD_LETTER_TOPIC: 'money-enriched-events-ledger' },
      'ENRICHMENT_DEAD_LETTER_TOPIC="money-enriched-events-ledger": expected a topic of its own, not that of the ledger (<output topic>-ledger)',
    ],
    [{ ENRICHMENT_MAX_LOOKUPS: '0' }, 'ENRICHMENT_MAX_LOOKUPS="0": expected a whole number from 1 to 10000'],
    [
      { ENRICHMENT_SESSION_SERVICE_URL: 'http://sessions:8080/api/sessions/' },
      'ENRICHMENT_SESSION_SERVICE_URL="http://sessions:8080/api/sessions/": expected an address without "/sessions" at its end: "/sessions/<session id>" is added to it',
    ],
    [
      { ENRICHMENT_SESSION_SERVICE_URL: 'http://sessions:8080/sessions/{id}' },
      'ENRICHMENT_SESSION_SERVICE_URL="http://sessions:8080/sessions/{id}": expected an address without "/sessions" at its end: "/sessions/<session id>" is added to it',
    ],
    [{ ENRICHMENT_LOOKUP_TIMEOUT: '26s' }, 'ENRICHMENT_LOOKUP_TIMEOUT="26s": expected a duration from 1ms to 25s'],
    [
      { ENRICHMENT_LOOKUP_TIMEOUT: '20s', ENRICHMENT_LOOKUP_GIVE_UP_AFTER: '20s' },
      'ENRICHMENT_LOOKUP_TIMEOUT="20s": expected less than ENRICHMENT_LOOKUP_GIVE_UP_AFTER',
    ],
    [
      { ENRICHMENT_LOOKUP_GIVE_UP_AFTER: '1s' },
      'ENRICHMENT_LOOKUP_TIMEOUT="1s": expected less than ENRICHMENT_LOOKUP_GIVE_UP_AFTER',
    ],
    [
      { ENRICHMENT_SESSION_SERVICE_URL: 'localhost:80' },
      'ENRICHMENT_SESSION_SERVICE_URL: expected an address such as http://localhost:8080, without user, query or fragment',
    ],
    [
      { ENRICHMENT_SESSION_SERVICE_URL: 'http://a:secret@b' },
      'ENRICHMENT_SESSION_SERVICE_URL: expected an address such as http://localhost:8080, without user, query or fragment',
    ],
    [{ ENRICHMENT_VALUE_FORMAT: 'xml' }, 'ENRICHMENT_VALUE_FORMAT="xml": expected one of json, avro'],
    [{ KAFKA_BROKERS: 'localhost' }, 'KAFKA_BROKERS="localhost": expected host:port, several separated by commas'],
    [{ KAFKA_BROKERS: 'a:1,b:0' }, 'KAFKA_BROKERS="a:1,b:0": expected host:port, several separated by commas'],
    [
      { KAFKA_BROKERS: 'a:1', KAFKA_SESSION_TIMEOUT: '1s' },
      'KAFKA_SESSION_TIMEOUT="1s": expected a duration from 2s to 30m',
    ],
    [{ KAFKA_BROKERS: 'a:1', KAFKA_SSL: 'yes' }, 'KAFKA_SSL="yes": expected true or false'],
    [{ KAFKA_SSL: 'true' }, 'KAFKA_BROKERS is not set: expected host:port of a Kafka broker, as KAFKA_SSL is set'],
    [
      { KAFKA_BROKERS: 'a:1', KAFKA_SSL_CA: '/nonexistent/ca.pem' },
      'KAFKA_SSL_CA="/nonexistent/ca.pem": expected PEM text or the path of a PEM file (ENOENT: no such file or directory)',
    ],
    [
      { KAFKA_BROKERS: 'a:1', KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_MECHANISM: 'plain' },
      'KAFKA_SASL_PASSWORD is not set: expected all of KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, or none',
    ],
    [
      { KAFKA_BROKERS: 'a:1', KAFKA_SASL_MECHANISM: 'gssapi', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' },
      'KAFKA_SASL_MECHANISM: Kerberos (GSSAPI) is not supported, as no client of Kafka for Node without native libraries has it: let the brokers take plain, scram-sha-256, scram-sha-512, oauthbearer, aws-msk-iam or client certificates, too',
    ],
    [
      { TEMPORAL_ADDRESS: 'http://localhost:7233' },
      'TEMPORAL_ADDRESS="http://localhost:7233": expected host:port of a Temporal server',
    ],
    [
      { TEMPORAL_CONFIG_FILE: '/nonexistent/t.toml' },
      'TEMPORAL_CONFIG_FILE="/nonexistent/t.toml": expected a file that exists',
    ],
  ];
  for (const [env, line] of cases) {
    test(JSON.stringify(env), () => assert.deepEqual(problemsOf(env), [line]));
  }
});

test('all problems are reported together, one a line', () => {
  assert.deepEqual(
    problemsOf(
      { ENRICHMENT_DEDUP_TTL: 'soon', ENRICHMENT_METRICS_PORT: 'x\ny' },
      { requireKafka: true, requireTemporal: true, requireSessionService: true },
    ),
    [
      'KAFKA_BROKERS is not set: expected host:port of a Kafka broker, several separated by commas (dev and demo start one)',
      'TEMPORAL_ADDRESS is not set: expected host:port of a Temporal server, or a profile that has one (dev and demo start one)',
      'ENRICHMENT_SESSION_SERVICE_URL is not set: expected the http(s) address of the session service',
      'ENRICHMENT_DEDUP_TTL="soon": expected a duration such as 500ms, 20s, 5m, 1h or 1d',
      'ENRICHMENT_METRICS_PORT="x\\ny": expected a whole number from 0 to 65535',
    ],
  );
});

test('avro needs a schema registry, whose address may have a name and a password', () => {
  assert.deepEqual(problemsOf({ ENRICHMENT_VALUE_FORMAT: 'avro' }), [
    'SCHEMA_REGISTRY_URL is not set: expected the http(s) address of the schema registry, as ENRICHMENT_VALUE_FORMAT is avro',
  ]);
  const { valueFormat, schemaRegistry } = loadConfig({
    ...nothing,
    ENRICHMENT_VALUE_FORMAT: 'avro',
    SCHEMA_REGISTRY_URL: 'https://me:p%40ss@registry/x/',
  });
  assert.deepEqual([valueFormat, schemaRegistry?.urls], ['avro', ['https://me:p%40ss@registry/x']]);
});

test('a schema registry may have several addresses, and is used as is said', () => {
  const { schemaRegistry } = loadConfig({
    ...nothing,
    SCHEMA_REGISTRY_URL: 'http://one:8081/, https://me:p@two/x',
    SCHEMA_REGISTRY_USE_LATEST_VERSION: 'true',
    SCHEMA_REGISTRY_SUBJECT: 'team.money',
  });
  assert.deepEqual(schemaRegistry, {
    urls: ['http://one:8081', 'https://me:p@two/x'],
    outputSchema: 'latest',
    subject: { name: 'team.money' },
  });
  assert.deepEqual(
    problemsOf({
      SCHEMA_REGISTRY_URL: 'http://one',
      SCHEMA_REGISTRY_AUTO_REGISTER: 'true',
      SCHEMA_REGISTRY_USE_LATEST_VERSION: 'true',
      SCHEMA_REGISTRY_SUBJECT: 'x',
      SCHEMA_REGISTRY_SUBJECT_NAME_STRATEGY: 'ByTopic',
    }),
    [
      'SCHEMA_REGISTRY_AUTO_REGISTER="true": expected false, as SCHEMA_REGISTRY_USE_LATEST_VERSION is true',
      'SCHEMA_REGISTRY_SUBJECT_NAME_STRATEGY="ByTopic": expected one of TopicNameStrategy, RecordNameStrategy, TopicRecordNameStrategy',
      'SCHEMA_REGISTRY_SUBJECT_NAME_STRATEGY="ByTopic": expected not to be set, as SCHEMA_REGISTRY_SUBJECT says the subject itself',
    ],
  );
});

test('the address of the schema registry is never quoted', () => {
  for (const address of [
    'registry:8081',
    'ftp://me:hunter2@registry',
    'http://me:hunter2@registry?a=b',
    'http://me:hunter%2@registry',
  ]) {
    const text = problemsOf({ ENRICHMENT_VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: address }).join('\n');
    assert.match(
      text,
      /^SCHEMA_REGISTRY_URL: expected an address such as http:\/\/localhost:8080, without query or fragment; a user is given as/,
      address,
    );
    assert.doesNotMatch(text, /hunter/);
  }
});

test('secrets are never shown', () => {
  const env = { KAFKA_BROKERS: 'a:1', KAFKA_SSL_KEY: 'not-a-file-but-a-secret', KAFKA_SASL_PASSWORD: 'hunter2' };
  const text = problemsOf(env).join('\n');
  assert.match(text, /KAFKA_SSL_KEY="\*\*\*"/);
  assert.doesNotMatch(text, /secret|hunter2/);
});

test('certificates may be text, text with escaped line ends, or the path of a file', (t) => {
  const path = join(folder(t), 'ca.pem');
  writeFileSync(path, CERTIFICATE);
  for (const value of [CERTIFICATE.trim(), CERTIFICATE.trim().replaceAll('\n', '\\n'), path]) {
    const { kafka } = loadConfig({ ...nothing, KAFKA_BROKERS: 'a:1', KAFKA_SSL_CA: value });
    assert.equal(kafka?.ssl, true);
    assert.equal(currentOf(kafka.sslCa!).trim(), CERTIFICATE.trim());
  }
  writeFileSync(path, 'hello');
  assert.match(problemsOf({ KAFKA_BROKERS: 'a:1', KAFKA_SSL_CA: path }).join(), /the file is not PEM/);
});

test('a client certificate needs its key', () => {
  assert.deepEqual(problemsOf({ KAFKA_BROKERS: 'a:1', KAFKA_SSL_CERT: CERTIFICATE }), [
    'KAFKA_SSL_KEY is not set: expected both of KAFKA_SSL_CERT and KAFKA_SSL_KEY, or neither',
  ]);
  assert.match(
    problemsOf({ KAFKA_BROKERS: 'a:1', KAFKA_SSL_CA: CERTIFICATE, KAFKA_SSL: 'false' }).join(),
    /^KAFKA_SSL="false"/,
  );
});

test('durations', () => {
  const durations: readonly [string, number | null][] = [
    ['500ms', 500],
    ['20s', 20_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['0s', 0],
    ['0.0004s', 0],
    ['', null],
    ['20', null],
    ['s', null],
    ['1w', null],
    ['1H', null],
    ['.5s', null],
    ['1e3ms', null],
    ['1h30m', null],
    [' 1s', null],
  ];
  for (const [text, ms] of durations) assert.equal(parseDuration(text), ms, text);
  for (const [ms, text] of [
    [0, '0s'],
    [500, '500ms'],
    [90_000, '90s'],
    [3_600_000, '1h'],
    [172_800_000, '2d'],
  ] as const) {
    assert.equal(formatDuration(ms), text);
  }
});

test('the file .env is read, and the environment wins over it', (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, '.env'), '# a comment\nCONFIG_TEST_A=from-file\nCONFIG_TEST_B="from file"\n');
  process.env['CONFIG_TEST_A'] = 'from-environment';
  t.after(() => delete process.env['CONFIG_TEST_A']);
  const env = readEnvironment(cwd);
  assert.equal(env['CONFIG_TEST_A'], 'from-environment');
  assert.equal(env['CONFIG_TEST_B'], 'from file');
  assert.equal(process.env['CONFIG_TEST_B'], undefined);
});

test('a .env saved with a byte order mark gives its first variable too; one in UTF-16 is refused', (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, '.env'), '\ufeffKAFKA_BROKERS=k:9092\nCONFIG_TEST_B=b\n');
  const env = readEnvironment(cwd);
  assert.deepEqual([env['KAFKA_BROKERS'], env['CONFIG_TEST_B']], ['k:9092', 'b']);
  for (const bytes of [
    Buffer.from('\ufeffKAFKA_BROKERS=k:9092\n', 'utf16le'),
    Buffer.from('KAFKA_BROKERS=k:9092\n', 'utf16le'),
  ]) {
    writeFileSync(join(cwd, '.env'), bytes);
    assert.throws(() => readEnvironment(cwd), {
      code: 'CONFIG',
      message: /\.env: expected UTF-8 text, but it is UTF-16, most likely: save it as UTF-8/,
    });
  }
  writeFileSync(join(cwd, '.env'), Buffer.from([0x41, 0x3d, 0xe9, 0x0a])); // Latin-1
  assert.throws(() => readEnvironment(cwd), { code: 'CONFIG', message: /expected UTF-8 text/ });
});

test('no .env is no problem, one that cannot be read is', (t) => {
  const cwd = folder(t);
  assert.equal(readEnvironment(cwd)['PATH'], process.env['PATH']);
  mkdirSync(join(cwd, '.env'));
  assert.throws(() => readEnvironment(cwd), { code: 'CONFIG', message: /\.env: cannot be read/ });
});

describe('Temporal', () => {
  test('address and namespace of the environment', () => {
    const options = temporalConnectionOptions({ ...nothing, TEMPORAL_ADDRESS: 'a:7233', TEMPORAL_NAMESPACE: 'n' });
    assert.equal(options.address, 'a:7233');
    assert.equal(options.namespace, 'n');
  });

  test('the namespace is "default" when nothing says otherwise', () => {
    assert.equal(temporalConnectionOptions(nothing).namespace, 'default');
    assert.equal(temporalConnectionOptions(nothing).address, undefined);
  });

  test('a profile of a file gives address and namespace, variables win over it', (t) => {
    const file = join(folder(t), 'temporal.toml');
    writeFileSync(file, '[profile.prod]\naddress = "prod:7233"\nnamespace = "payments"\n');
    const env = { ...nothing, TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' };
    const options = temporalConnectionOptions(env);
    assert.equal(options.address, 'prod:7233');
    assert.equal(options.namespace, 'payments');
    assert.equal(loadConfig(env).temporalConfigured, true);
    assert.equal(temporalConnectionOptions({ ...env, TEMPORAL_NAMESPACE: 'other' }).namespace, 'other');
  });

  test('a file that is not TOML, or lacks the profile, is a problem', (t) => {
    const file = join(folder(t), 'temporal.toml');
    writeFileSync(file, '[profile');
    assert.match(problemsOf({ TEMPORAL_CONFIG_FILE: file }).join(), /^Temporal configuration/);
    writeFileSync(file, '');
    assert.match(
      problemsOf({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' }).join(),
      /^Temporal configuration.*prod/,
    );
  });
});

test('older workflows need a deployment, whose name Temporal must accept', () => {
  assert.deepEqual(
    loadConfig({ ...nothing, ENRICHMENT_DEPLOYMENT: 'money', ENRICHMENT_OLDER_WORKFLOWS: 'a.json, b.json,' })
      .olderWorkflows,
    ['a.json', 'b.json'],
  );
  assert.deepEqual(problemsOf({ ENRICHMENT_OLDER_WORKFLOWS: 'a.json' }), [
    'ENRICHMENT_DEPLOYMENT is not set: expected the name of the deployment, as ENRICHMENT_OLDER_WORKFLOWS is set',
  ]);
  assert.deepEqual(problemsOf({ ENRICHMENT_DEPLOYMENT: 'a.b' }), [
    'ENRICHMENT_DEPLOYMENT="a.b": expected up to 100 letters, digits, "-" and "_"',
  ]);
});

test('a record larger than what continue-as-new can carry beside a full state cannot be accepted', () => {
  assert.equal(loadConfig({ ENRICHMENT_MAX_RECORD_BYTES: '1048576' }).maxRecordBytes, 1_048_576);
  assert.throws(() => loadConfig({ ENRICHMENT_MAX_RECORD_BYTES: '1048577' }), /ENRICHMENT_MAX_RECORD_BYTES/);
});

test('what headers are handed on, and what a static member is called', () => {
  assert.deepEqual(loadConfig({ ...nothing, ENRICHMENT_FORWARD_HEADERS: 'none' }).forwardHeaders, []);
  assert.throws(
    () => loadConfig({ ...nothing, ENRICHMENT_FORWARD_HEADERS: 'traceparent,seq' }),
    /^CodedError: ENRICHMENT_FORWARD_HEADERS="traceparent,seq": expected at most 16 names of headers/,
  );
  assert.deepEqual(loadConfig({ ...nothing, ENRICHMENT_GROUP_INSTANCE_ID: 'b-1' }).groupInstance, {
    id: 'b-1',
    timeout: 30_000,
  });
  assert.throws(
    () => loadConfig({ ...nothing, ENRICHMENT_GROUP_INSTANCE_ID: 'a b', ENRICHMENT_GROUP_SESSION_TIMEOUT: '5s' }),
    /ENRICHMENT_GROUP_INSTANCE_ID="a b": expected .*\nENRICHMENT_GROUP_SESSION_TIMEOUT="5s": expected/,
  );
  assert.throws(
    () => loadConfig({ ...nothing, ENRICHMENT_GROUP_SESSION_TIMEOUT: '10s' }),
    /ENRICHMENT_GROUP_INSTANCE_ID is not set: expected an id of each bridge/,
  );
});
