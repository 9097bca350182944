/** Requests to a real server that demands certificates and tokens. */
import assert from 'node:assert/strict';
import { createServer as createPlainServer } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { securedFetch, type Fetch } from '../../../src/engine/http/fetch.ts';
import { bearer } from '../../../src/engine/http/token-source.ts';
import { CERTIFICATE, KEY } from '../../support/pem.ts';

interface Demanding {
  readonly url: string;
  /** Connections so far. */
  connections(): number;
}

async function demandingServer(t: TestContext, options: ServerOptions = {}): Promise<Demanding> {
  let connections = 0;
  const server = createServer({ cert: CERTIFICATE, key: KEY, ...options }, (request, response) => {
    if (request.url === '/moved') return void response.writeHead(302, { location: '/' }).end();
    if (request.url === '/none') return void response.writeHead(204).end();
    if (request.url === '/never') return;
    const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject ?? {};
    response.end(`${request.method} ${String(CN)} ${request.headers.authorization ?? ''}`);
  });
  server.on('secureConnection', () => connections++);
  const url = await listening(t, server);
  return { url: url.replace('http:', 'https:'), connections: () => connections };
}

async function listening(t: TestContext, server: ReturnType<typeof createPlainServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const get = (fetch: Fetch, url: string, ms = 5_000) =>
  fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(ms) });
const because = (says: RegExp) => (error: unknown) =>
  error instanceof TypeError && error.cause instanceof Error && says.test(error.cause.message);
const MUTUAL: ServerOptions = { requestCert: true, rejectUnauthorized: true, ca: CERTIFICATE };

test('a private authority and a client certificate, over a connection that is kept', async (t) => {
  const server = await demandingServer(t, MUTUAL);
  const fetch = securedFetch({ prefix: 'X', tls: { ca: CERTIFICATE, cert: CERTIFICATE, key: KEY } });
  for (let times = 0; times < 3; times++) {
    const response = await get(fetch, server.url);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), 'GET given ');
  }
  assert.equal(server.connections(), 1);
});

test('no redirect is followed, and an answer without a body is one', async (t) => {
  const server = await demandingServer(t);
  const fetch = securedFetch({ prefix: 'X', tls: { ca: CERTIFICATE } });
  const moved = await get(fetch, `${server.url}/moved`);
  assert.deepEqual([moved.status, moved.headers.get('location')], [302, '/']);
  assert.equal((await get(fetch, `${server.url}/none`)).body, null);
});

test('a server that does not answer in time is left', async (t) => {
  const server = await demandingServer(t);
  const fetch = securedFetch({ prefix: 'X', tls: { ca: CERTIFICATE } });
  await assert.rejects(get(fetch, `${server.url}/never`, 50), { name: 'AbortError' });
});

test('what is refused is said in our words, with a certificate of ours or without', async (t) => {
  const server = await demandingServer(t, MUTUAL);
  await assert.rejects(get(securedFetch({ prefix: 'X' }), server.url), because(/not trusted here: set X_SSL_CA/));
  await assert.rejects(
    get(securedFetch({ prefix: 'X', tls: { ca: CERTIFICATE } }), server.url),
    because(/demands a client certificate .*: set X_SSL_CERT and X_SSL_KEY/),
  );
});

test('material that changes counts from the next request on', async (t) => {
  const server = await demandingServer(t, MUTUAL);
  const own = { cert: '', key: '' };
  const fetch = securedFetch({
    prefix: 'X',
    tls: { ca: CERTIFICATE, cert: () => own.cert, key: () => own.key },
  });
  await assert.rejects(get(fetch, server.url), because(/demands a client certificate/));
  Object.assign(own, { cert: CERTIFICATE, key: KEY });
  assert.equal(await (await get(fetch, server.url)).text(), 'GET given ');
});

test('a token goes with each request, and one that is refused is asked for anew', async (t) => {
  const seen: (string | undefined)[] = [];
  const url = await listening(
    t,
    createPlainServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(request.headers.authorization === 'Bearer one' ? 401 : 200).end();
    }),
  );
  const tokens = ['one', 'two'];
  const source = {
    token: async () => tokens[0]!,
    refused: () => void tokens.shift(),
    expiresAt: undefined,
    issuedAt: undefined,
  };
  const fetch = securedFetch({ prefix: 'X', authorization: bearer(source) });
  assert.equal((await get(fetch, url)).status, 401);
  assert.equal((await get(fetch, url)).status, 200);
  assert.deepEqual(seen, ['Bearer one', 'Bearer two']);
});
