/** What answers where Temporal is expected, and is not it, or not yet. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { test, type TestContext } from 'node:test';
import { askForNamespace, isWebServer } from '../../../src/engine/temporal/answers.ts';

async function listening(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const refusing = (code: number) => ({
  describeNamespace: () => Promise.reject(Object.assign(new Error('refused'), { code })),
});

test('a namespace that a server which is being set up does not have yet: named', async () => {
  await assert.rejects(askForNamespace(refusing(5), 'payments'), {
    code: 'NOT_FOUND',
    message: /^namespace "payments" does not exist \(TEMPORAL_NAMESPACE\)/,
  });
});

test('a namespace that may be used and not looked at is an answer', async () => {
  await askForNamespace(refusing(7), 'payments');
});

test('a server that does not answer for its namespace is away', async () => {
  await assert.rejects(askForNamespace(refusing(14), 'payments'), /refused/);
});

test('TEMPORAL_ADDRESS that is a web server is seen to be one', async (t) => {
  const web = await listening(
    t,
    createServer(
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Temporal</html>'),
    ),
  );
  assert.equal(await isWebServer(web), true);
});

test('a server that speaks HTTP/2, as gRPC does, is no web server, and neither is none', async (t) => {
  const server = createHttp2Server();
  assert.equal(await isWebServer(await listening(t, server as unknown as Server)), false);
  assert.equal(await isWebServer('127.0.0.1:1'), false);
  assert.equal(await isWebServer('not an address'), false);
});
