/** What the session service and the registry demand, from the variables to a real server that demands it. */
import assert from 'node:assert/strict';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { test, type TestContext } from 'node:test';
import { httpSessionService } from '../../../activities/session-service.ts';
import { CodedError } from '../../../src/engine/errors.ts';
import { createSchemaRegistry } from '../../../src/engine/schema-registry/client.ts';
import { loadConfig } from '../../../src/money/config.ts';
import { checkSessionService } from '../../../src/tools/doctor/services.ts';
import { startAuthorizationServer } from '../../support/authorization-server.ts';
import { CERTIFICATE, ENCRYPTED_KEY, KEY, PASSPHRASE } from '../../support/pem.ts';

const NOBODY = { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent' };
const SESSION = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const PREFIXES = ['ENRICHMENT_SESSION_SERVICE', 'SCHEMA_REGISTRY'] as const;

/** Says yes to whoever has `authorization`, and to nobody without a client certificate where it is served over TLS. */
async function guarded(
  t: TestContext,
  allowed: (authorization: string) => boolean,
  options: { readonly tls?: boolean } = {},
): Promise<string> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (!allowed(request.headers.authorization ?? '')) return void response.writeHead(401).end();
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(request.url === '/subjects' ? '["a"]' : '{"clientCountryCode":"UY"}');
  };
  const server: Server & { closeAllConnections(): void } = options.tls
    ? createServer(
        { cert: CERTIFICATE, key: KEY, ca: CERTIFICATE, requestCert: true, rejectUnauthorized: true },
        answer,
      )
    : createPlainServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `${options.tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** As the lookups word it, and the registry's client. */
const because = (says: RegExp) => (error: unknown) =>
  error instanceof Error && says.test(`${error.message} ${error.cause instanceof Error ? error.cause.message : ''}`);

async function askAs(prefix: (typeof PREFIXES)[number], env: NodeJS.ProcessEnv): Promise<unknown> {
  const config = loadConfig({ ...NOBODY, ...env });
  if (prefix === 'SCHEMA_REGISTRY') {
    return createSchemaRegistry(config.schemaRegistry!.urls, config.schemaRegistryAccess).subjects();
  }
  const fetch = config.sessionServiceAccess?.fetch;
  return httpSessionService({
    sessionServiceUrl: config.sessionServiceUrl!,
    lookupTimeout: 5_000,
    ...(fetch && { fetch }),
  }).get(SESSION);
}

for (const prefix of PREFIXES) {
  const works = prefix === 'SCHEMA_REGISTRY' ? 1 : { sessionId: SESSION, status: 'found', clientCountryCode: 'UY' };

  test(`${prefix}: a token, and OAuth client credentials`, async (t) => {
    const authorization = await startAuthorizationServer(t, { me: 's:c' });
    const issued = new Set<string>(['Bearer given']);
    const url = await guarded(t, (shown) => issued.has(shown) || /^Bearer e[\w-]+\.[\w-]+\.[\w-]+$/.test(shown));
    assert.deepEqual(await askAs(prefix, { [`${prefix}_URL`]: url, [`${prefix}_TOKEN`]: 'given' }), works);
    const oauth = {
      [`${prefix}_URL`]: url,
      [`${prefix}_OAUTH_TOKEN_URL`]: authorization.tokenUrl,
      [`${prefix}_OAUTH_CLIENT_ID`]: 'me',
      [`${prefix}_OAUTH_CLIENT_SECRET`]: 's:c',
      [`${prefix}_OAUTH_SCOPE`]: 'read',
    };
    assert.deepEqual(await askAs(prefix, oauth), works);
    assert.equal(authorization.given, 1);
    await assert.rejects(
      askAs(prefix, { ...oauth, [`${prefix}_OAUTH_CLIENT_SECRET`]: 'other' }),
      because(/refuses this client with 401 \(invalid_client\)/),
    );
    await assert.rejects(askAs(prefix, { [`${prefix}_URL`]: url, [`${prefix}_TOKEN`]: 'other' }), /401/);
  });

  test(`${prefix}: a private authority and a client certificate`, async (t) => {
    const url = await guarded(t, () => true, { tls: true });
    const ssl = {
      [`${prefix}_URL`]: url,
      [`${prefix}_SSL_CA`]: CERTIFICATE,
      [`${prefix}_SSL_CERT`]: CERTIFICATE,
      [`${prefix}_SSL_KEY`]: ENCRYPTED_KEY,
      [`${prefix}_SSL_KEY_PASSPHRASE`]: PASSPHRASE,
    };
    assert.deepEqual(await askAs(prefix, ssl), works);
    await assert.rejects(
      askAs(prefix, { [`${prefix}_URL`]: url, [`${prefix}_SSL_CA`]: CERTIFICATE }),
      because(new RegExp(`demands a client certificate .*: set ${prefix}_SSL_CERT`)),
    );
  });

  const wrong: readonly (readonly [env: NodeJS.ProcessEnv, problem: string])[] = [
    [
      { [`${prefix}_URL`]: 'http://a', [`${prefix}_SSL_CA`]: CERTIFICATE },
      `${prefix}_URL: expected an address that begins with https://, as ${prefix}_SSL_* is set`,
    ],
    [
      { [`${prefix}_OAUTH_CLIENT_ID`]: 'me', [`${prefix}_OAUTH_CLIENT_SECRET`]: 'canary' },
      `${prefix}_OAUTH_TOKEN_URL is not set: expected all of ${prefix}_OAUTH_TOKEN_URL, ${prefix}_OAUTH_CLIENT_ID, ${prefix}_OAUTH_CLIENT_SECRET, or none`,
    ],
    [
      { [`${prefix}_TOKEN`]: 'canary', [`${prefix}_OAUTH_SCOPE`]: 'read' },
      `${prefix}_TOKEN and ${prefix}_OAUTH_SCOPE are both set: expected a token, or what asks for one`,
    ],
  ];
  for (const [env, problem] of wrong) {
    test(`refused: ${Object.keys(env).join(' ')}`, () =>
      assert.throws(
        () => loadConfig({ ...NOBODY, ...env }),
        (error) => error instanceof CodedError && error.code === 'CONFIG' && error.message === problem,
      ));
  }
}

test('the registry takes a name and a password that stand beside its address', async (t) => {
  const url = await guarded(t, (shown) => shown === `Basic ${Buffer.from('me:p:w').toString('base64')}`);
  const env = { SCHEMA_REGISTRY_URL: url, SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO: 'me:p:w' };
  assert.equal(await askAs('SCHEMA_REGISTRY', env), 1);
  assert.throws(
    () => loadConfig({ ...NOBODY, ...env, SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO: 'canary' }),
    /SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO="\*\*\*": expected name:password/,
  );
});

test('a session service that refuses the client is away, and doctor says what to check', async (t) => {
  const url = await guarded(t, () => false);
  const [finding] = await checkSessionService(loadConfig({ ...NOBODY, ENRICHMENT_SESSION_SERVICE_URL: url }));
  assert.equal(finding?.level, 'failed');
  assert.match(finding.message, /401 .*refuses this client: check ENRICHMENT_SESSION_SERVICE_TOKEN/);
  await assert.rejects(
    askAs('ENRICHMENT_SESSION_SERVICE', { ENRICHMENT_SESSION_SERVICE_URL: url }),
    /status 401, which refuses this client/,
  );
});
