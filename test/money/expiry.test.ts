import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../../src/engine/log.ts';
import { loadConfig } from '../../src/money/config.ts';
import { expiryLook } from '../../src/money/expiry.ts';
import { checkExpiry } from '../../src/tools/doctor/expiry.ts';
import { CERTIFICATE, KEY } from '../support/pem.ts';

/** 2100-10-30T17:06:01Z */
const END = 4_128_599_161;
const jwt = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

test('certificates and tokens of all connections are metrics, warnings and findings', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'money-enrichment-expiry-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [cert, key, token] = ['cert', 'key', 'token'].map((name) => join(folder, name)) as [string, string, string];
  writeFileSync(cert, CERTIFICATE);
  writeFileSync(key, KEY);
  writeFileSync(token, jwt({ iat: END - 3_600, exp: END }));
  const env = {
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    KAFKA_BROKERS: 'a:1',
    KAFKA_SSL_CA: cert,
    KAFKA_SSL_CERT: cert,
    KAFKA_SSL_KEY: key,
    TEMPORAL_ADDRESS: 'a:1',
    TEMPORAL_TLS_CLIENT_CERT_PATH: cert,
    TEMPORAL_TLS_CLIENT_KEY_PATH: key,
    ENRICHMENT_SESSION_SERVICE_URL: 'https://a',
    ENRICHMENT_SESSION_SERVICE_SSL_CA: cert,
    ENRICHMENT_SESSION_SERVICE_TOKEN_FILE: token,
  };
  const config = loadConfig(env);
  const registry = new Registry();
  const lines: string[] = [];
  const logger = Object.assign(silentLogger(), { warn: (line: string) => void lines.push(line) });
  let now = (END - 40 * 86_400) * 1_000;
  const look = expiryLook({ registry, config, env, logger, now: () => now });
  await look();
  const metrics = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  assert.deepEqual(metrics, [
    ...['kafka-ca', 'kafka-client', 'temporal-client', 'session-service-ca'].map(
      (name) => `money_enrichment_certificate_expires_timestamp_seconds{name="${name}"} ${END}`,
    ),
    `money_enrichment_token_expires_timestamp_seconds{name="session-service"} ${END}`,
  ]);
  assert.equal(lines.length, 0);
  assert.deepEqual(
    checkExpiry(config, env, now).map(({ level }) => level),
    ['ok', 'ok', 'ok', 'ok', 'ok'],
  );

  now = (END - 20 * 86_400) * 1_000;
  await look();
  await look();
  assert.deepEqual(
    lines.map((line) => line.replace(/ expires at .*/, '')),
    ['kafka-ca', 'kafka-client', 'temporal-client', 'session-service-ca'].map((name) => `the certificate ${name}`),
    'each is said once',
  );
  const findings = checkExpiry(config, env, END * 1_000);
  assert.deepEqual(
    findings.map(({ level, subject }) => `${level} ${subject}`),
    [
      'failed certificate kafka-ca',
      'failed certificate kafka-client',
      'failed certificate temporal-client',
      'failed certificate session-service-ca',
      'failed token session-service',
    ],
  );

  lines.length = 0;
  rmSync(token);
  await sleep(1_050);
  await look();
  assert.deepEqual(lines, [
    'the file of ENRICHMENT_SESSION_SERVICE_TOKEN_FILE cannot be used (ENOENT: no such file or directory): what it had before goes on counting',
  ]);
});

test('a token that nobody asks for is renewed when its time has come, and said when it cannot be', async (t) => {
  let asked = 0;
  let away = false;
  const server = createServer((_request, response) => {
    asked += 1;
    if (away) response.writeHead(503).end();
    else response.end(JSON.stringify({ access_token: `token-${asked}`, expires_in: 3_600 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const env = {
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    KAFKA_BROKERS: 'a:1',
    KAFKA_SASL_MECHANISM: 'oauthbearer',
    KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: `http://127.0.0.1:${port}/token`,
    KAFKA_SASL_OAUTHBEARER_CLIENT_ID: 'a',
    KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: 'a-long-enough-secret',
  };
  const began = Date.now();
  t.mock.timers.enable({ apis: ['Date'], now: began });
  const at = (minutes: number): void => t.mock.timers.setTime(began + minutes * 60_000);
  const config = loadConfig(env);
  const registry = new Registry();
  const lines: string[] = [];
  const logger = Object.assign(silentLogger(), { warn: (line: string) => void lines.push(line) });
  const look = expiryLook({ registry, config, env, logger });
  const endsInMinutes = async (): Promise<number> => {
    const [, seconds] = /^money_enrichment_token_expires.*\{name="kafka"\} (\d+)$/m.exec(await registry.metrics())!;
    return Math.round((Number(seconds) - began / 1_000) / 60);
  };

  await look();
  assert.equal(asked, 0, 'no connection has asked for one');
  const sasl = config.kafka!.sasl!;
  assert.ok('token' in sasl);
  assert.equal(await sasl.token(), 'token-1');
  at(47);
  await look();
  assert.deepEqual([asked, await endsInMinutes()], [1, 60]);
  at(49); // four fifths of an hour are over
  await look();
  assert.deepEqual([asked, await endsInMinutes(), lines], [2, 49 + 60, []]);

  away = true;
  at(100);
  await look();
  assert.deepEqual([await endsInMinutes(), lines], [49 + 60, []], 'the one that it has counts on');
  at(110);
  await look();
  assert.match(
    lines[0]!,
    /^the token kafka cannot be renewed: the authorization server at .* gives no token: status 503$/,
  );
  assert.match(lines[1]!, /^the token kafka has expired at /);
});
