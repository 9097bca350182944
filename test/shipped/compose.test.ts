/** docker-compose.yml: what is configured reaches the containers, data outlives them, health costs nothing. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { COMMANDS } from '../../src/cli/commands.ts';
import { temporalConnectionOptions } from '../../src/engine/temporal/connection.ts';
import { loadConfig } from '../../src/money/config.ts';
import { runProgram } from '../../src/dev/processes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly restart: string;
  readonly env_file?: readonly object[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly disable?: true; readonly test: readonly string[]; readonly interval: string };
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>;
}

const compose = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
};
const services = Object.entries(compose.services);
/** Those that run a command of ours. */
const ours = services.filter(([name, { build }]) => build !== undefined && name !== 'session-service');

test('the containers run commands that there are', () => {
  const known = [...COMMANDS.map(({ name }) => name), 'codec-server'];
  assert.deepEqual(ours.map(([name]) => name).sort(), ['bridge', 'codec-server', 'topics', 'worker']);
  for (const [, { command }] of ours) assert.ok(known.includes(command![0]!), String(command));
});

test('what is configured in .env reaches them; only what the parts of compose are is fixed', () => {
  const fixed =
    /^(KAFKA_[A-Z_]+|TEMPORAL_[A-Z_]+|ENRICHMENT_(SESSION_SERVICE_URL|METRICS_(PORT|HOST)|OLDER_WORKFLOWS|CODEC_(CORS_ORIGINS|TOKEN|TOKEN_FILE|JWKS_URL|JWT_ISSUER|JWT_AUDIENCE)|GROUP_(INSTANCE_ID|SESSION_TIMEOUT)))$/;
  for (const [name, { env_file, environment }] of ours) {
    assert.deepEqual(env_file, [{ path: '.env', required: false }], name);
    for (const variable of Object.keys(environment!)) assert.match(variable, fixed, `${name}: ${variable}`);
  }
  assert.deepEqual(compose.services['session-service']!.env_file, []);
});

test('whatever .env says of a Kafka and a Temporal outside, those of compose are plain', () => {
  const file = '/nowhere/on/this/machine';
  const outside = {
    KAFKA_BROKERS: 'kafka.example.com:9093',
    KAFKA_SSL: 'true',
    KAFKA_SSL_CA: file,
    KAFKA_SSL_CERT: file,
    KAFKA_SSL_KEY_FILE: file,
    KAFKA_SSL_KEY_PASSPHRASE_FILE: file,
    KAFKA_SASL_MECHANISM: 'oauthbearer',
    KAFKA_SASL_PASSWORD_FILE: file,
    KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: 'https://login.example.com/token',
    KAFKA_SASL_OAUTHBEARER_CLIENT_ID: 'a',
    KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET_FILE: file,
    KAFKA_SASL_OAUTHBEARER_TOKEN_FILE: file,
    TEMPORAL_ADDRESS: 'a.b.tmprl.cloud:7233',
    TEMPORAL_CONFIG_FILE: file,
    TEMPORAL_PROFILE: 'prod',
    TEMPORAL_API_KEY_FILE: file,
    TEMPORAL_TLS: 'true',
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: file,
    TEMPORAL_TLS_CLIENT_CERT_PATH: file,
    TEMPORAL_TLS_CLIENT_KEY_DATA_FILE: file,
    TEMPORAL_TLS_SERVER_NAME: 'b',
  };
  for (const [name, { environment }] of ours) {
    // Compose fills in what stands in ${}.
    const given = Object.entries(environment!).filter(([, value]) => !value.includes('${'));
    const env = { ...outside, ...Object.fromEntries(given) };
    const { kafka } = loadConfig(env, { requireKafka: true });
    assert.deepEqual(kafka, loadConfig({ KAFKA_BROKERS: 'kafka:29092' }, { requireKafka: true }).kafka, name);
    const { address, connection, apiKey } = temporalConnectionOptions(env);
    assert.deepEqual(
      { address, tls: connection.tls, apiKey: apiKey ?? connection.apiKey },
      { address: 'temporal:7233', tls: undefined, apiKey: undefined },
      name,
    );
  }
});

test('the codec server starts without a token, for this machine only, and the UI may ask it', () => {
  const { command, ports, environment } = compose.services['codec-server']!;
  assert.deepEqual(command, ['codec-server', '--host', '0.0.0.0', '--port', '8081', '--without-token']);
  assert.deepEqual(ports, ['127.0.0.1:${CODEC_SERVER_PORT:-8081}:8081']);
  const ui = compose.services['temporal']!.ports!.find((port) => port.endsWith(':8233'))!;
  const [, uiPort] = /^127\.0\.0\.1:(.+):8233$/.exec(ui)!;
  assert.equal(environment!['ENRICHMENT_CODEC_CORS_ORIGINS'], `http://127.0.0.1:${uiPort},http://localhost:${uiPort}`);
});

test('what .env says for processes of this machine stops no container', () => {
  const ofThisMachine = {
    ENRICHMENT_METRICS_HOST: '127.0.0.1',
    ENRICHMENT_GROUP_INSTANCE_ID: 'bridge-of-this-machine',
    ENRICHMENT_CODEC_TOKEN: 'a-secret-of-the-codec-server',
  };
  for (const [name, { environment }] of ours) {
    const given = Object.entries(environment!).filter(([, value]) => !value.includes('${'));
    const { metricsHost, groupInstance, codecToken } = loadConfig({ ...ofThisMachine, ...Object.fromEntries(given) });
    assert.deepEqual([metricsHost, groupInstance, codecToken], [undefined, undefined, undefined], name);
  }
});

test('data outlives containers: what keeps some has a volume of its own', () => {
  const folderOf = (name: string): string[] =>
    (compose.services[name]!.volumes ?? [])
      .filter((volume) => !volume.startsWith('.'))
      .map((one) => one.split(':')[1]!);
  assert.deepEqual(['kafka', 'temporal', 'prometheus', 'grafana'].map(folderOf), [
    ['/var/lib/kafka/data'],
    ['/home/temporal'],
    ['/prometheus'],
    ['/var/lib/grafana'],
  ]);
  assert.equal(compose.services['kafka']!.environment!['KAFKA_LOG_DIRS'], '/var/lib/kafka/data');
  const { command } = compose.services['temporal']!;
  assert.equal(command![command!.indexOf('--db-filename') + 1], '/home/temporal/temporal.db');
  const used = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!));
  assert.deepEqual(used.filter((name) => !name.startsWith('.')).sort(), Object.keys(compose.volumes).sort());
});

test('what ends is started again, but the topics, which end when they are there', () => {
  for (const [name, { restart }] of services) assert.equal(restart, name === 'topics' ? 'no' : 'unless-stopped', name);
});

test('health checks come rarely once all is well, and start no JVM', () => {
  for (const [name, { healthcheck }] of services) {
    if (healthcheck === undefined || healthcheck.disable === true) continue;
    assert.equal(healthcheck.interval, '30s', name);
    assert.doesNotMatch(healthcheck.test.join(' '), /kafka-.*\.sh|java/, name);
  }
});

test('who waits for the health of another waits for one that has a check', () => {
  for (const [name, { depends_on = [] }] of services) {
    if (Array.isArray(depends_on)) continue;
    for (const [other, { condition }] of Object.entries(depends_on as Record<string, { condition: string }>)) {
      if (condition !== 'service_healthy') continue;
      assert.ok(compose.services[other]!.healthcheck?.test, `${name} waits for ${other}`);
    }
  }
});

test('images have a version; ports are of this machine only, and no two are the same', () => {
  const ports = services.flatMap(([, { ports: published = [] }]) => published);
  for (const [name, { image, build }] of services) {
    if (build === undefined) assert.match(image, /:v?\d+\.\d+\.\d+$/, name);
  }
  for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
  const numbers = ports.map((port) => port.replace(/\$\{\w+:-(\d+)\}/g, '$1').split(':')[1]!);
  assert.equal(new Set(numbers).size, numbers.length, numbers.join(' '));
});

test('folders that are mounted are there', () => {
  for (const [name, { volumes = [] }] of services) {
    for (const volume of volumes.filter((one) => one.startsWith('./') && !one.includes('.json:'))) {
      const folder = volume.split(':')[0]!;
      assert.ok(existsSync(join(ROOT, folder)), `${name}: ${folder}`);
    }
  }
});

test("compose's own check", async (t) => {
  const docker = (...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    runProgram('docker', ['compose', ...args], { cwd: ROOT }).catch(() => ({ code: -1, stdout: '', stderr: '' }));
  if ((await docker('version')).code !== 0) return t.skip('docker compose is not on this machine');
  const { code, stderr } = await docker('--profile', '*', 'config', '--quiet');
  assert.equal(code, 0, stderr);
});
