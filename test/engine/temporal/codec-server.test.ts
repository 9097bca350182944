import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { defaultPayloadConverter } from '@temporalio/common';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createLogger } from '../../../src/engine/log.ts';
import { anybody, holdersOf, whoKnows } from '../../../src/engine/temporal/codec-callers.ts';
import { startCodecServer, type CodecServerOptions } from '../../../src/engine/temporal/codec-server.ts';
import { dataConverterOf } from '../../../src/engine/temporal/payload-codec.ts';
import { stored } from '../../../src/engine/workflow/mark.ts';

const KEY = { id: 'k', key: createSecretKey(Buffer.alloc(32, 3)) };
const CODECS = dataConverterOf({
  keys: { current: async () => KEY, byId: async (id) => (id === 'k' ? KEY : undefined) },
  setting: 'a test',
}).payloadCodecs!;
const UI = 'http://localhost:8233';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const PLAIN = { metadata: { encoding: base64('json/plain') }, data: base64('{"a":1}') };

async function given(t: TestContext, options: Partial<CodecServerOptions> = {}) {
  const lines: string[] = [];
  const server = await startCodecServer({
    host: '127.0.0.1',
    port: 0,
    codecs: CODECS,
    namespaces: ['payments'],
    origins: [UI],
    callers: anybody,
    logger: createLogger({ destination: { write: (line) => lines.push(line) } }),
    ...options,
  });
  t.after(() => server.close());
  const post = (path: string, body: unknown, headers: Record<string, string> = { 'x-namespace': 'payments' }) =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      headers,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const refused = async (response: Response): Promise<[number, string]> => [
    response.status,
    ((await response.json()) as { message: string }).message,
  ];
  return { url: server.url, lines, post, refused };
}

/** As it stands in a history, in JSON of protobuf. */
async function storedPayload(): Promise<object> {
  let payloads = [defaultPayloadConverter.toPayload(stored('Start', { userId: 'u-4711' }))!];
  for (const codec of CODECS) payloads = await codec.encode(payloads);
  const [{ metadata, data }] = payloads as [{ metadata: Record<string, Uint8Array>; data: Uint8Array }];
  return {
    metadata: Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
    data: Buffer.from(data).toString('base64'),
  };
}

describe('the codec server', () => {
  it('writes down who had what before it answers, and answers nothing that it cannot write down', async (t) => {
    const written: object[] = [];
    let full = false;
    const audit = (line: object): void => {
      if (full) throw new Error('the disk is full');
      written.push(line);
    };
    const { post, refused } = await given(t, { audit });
    const body = { payloads: [await storedPayload(), PLAIN] };
    assert.equal((await post('/decode', body)).status, 200);
    assert.deepEqual(written, [{ event: 'decode', namespace: 'payments', payloads: 2, client: '127.0.0.1' }]);
    full = true;
    assert.deepEqual(await refused(await post('/decode', body)), [503, 'the disk is full']);
  });

  it('takes the token as its file has it now', async (t) => {
    let token = 'first-token-of-many';
    const { post } = await given(t, { callers: whoKnows(() => token) });
    const ask = async (): Promise<number> =>
      (
        await post(
          '/decode',
          { payloads: [PLAIN] },
          { 'x-namespace': 'payments', authorization: 'Bearer first-token-of-many' },
        )
      ).status;
    assert.equal(await ask(), 200);
    token = 'second-token-of-many';
    assert.equal(await ask(), 403);
  });

  it('decodes what is stored into JSON, and leaves what is not ours', async (t) => {
    const { post, lines } = await given(t);
    const foreign = { metadata: { encoding: base64('binary/protobuf'), mine: base64('1') }, data: base64('\u0001x') };
    const empty = { metadata: { encoding: base64('binary/null') } };
    const response = await post('/decode', { payloads: [await storedPayload(), PLAIN, foreign, empty] });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.deepEqual(await response.json(), {
      payloads: [
        { metadata: { encoding: base64('json/plain') }, data: base64('{"userId":"u-4711"}') },
        PLAIN,
        foreign,
        empty,
      ],
    });
    assert.match(lines.join(''), /"audit":"decode","namespace":"payments","payloads":4,"client":"127.0.0.1"/);
    assert.doesNotMatch(lines.join(''), /4711/);
  });

  it('encodes what it decodes', async (t) => {
    const { post } = await given(t);
    const encoded = await (await post('/encode', { payloads: [PLAIN] })).json();
    const [payload] = (encoded as { payloads: { metadata: Record<string, string> }[] }).payloads;
    assert.equal(payload!.metadata['encoding'], base64('binary/encrypted'));
    assert.deepEqual(await (await post('/payments/decode', encoded)).json(), { payloads: [PLAIN] });
  });

  it('serves its namespace, by header or by path, and no other', async (t) => {
    const { post, refused } = await given(t);
    const body = { payloads: [PLAIN] };
    assert.equal((await post('/payments/decode', body, {})).status, 200);
    assert.deepEqual(await refused(await post('/decode', body, {})), [400, 'expected the header X-Namespace']);
    for (const [path, headers] of [
      ['/decode', { 'x-namespace': 'other' }],
      ['/other/decode', { 'x-namespace': 'payments' }],
      ['/other/decode', {}],
    ] as [string, Record<string, string>][]) {
      assert.equal((await refused(await post(path, body, headers)))[0], 403, path);
    }
  });

  it('asks for the token, where there is one', async (t) => {
    const { post, refused } = await given(t, { callers: whoKnows('a-secret-of-the-test') });
    const as = (authorization?: string) =>
      post(
        '/decode',
        { payloads: [PLAIN] },
        { 'x-namespace': 'payments', ...(authorization === undefined ? {} : { authorization }) },
      );
    assert.equal((await refused(await as()))[0], 401);
    assert.equal((await refused(await as('Basic YTpi')))[0], 401);
    assert.deepEqual(await refused(await as('Bearer another')), [403, 'the token is not the right one']);
    assert.equal((await as('Bearer a-secret-of-the-test')).status, 200);
  });

  it('lets pages of the chosen origins ask, and no others', async (t) => {
    const { url } = await given(t, { callers: whoKnows('a-secret-of-the-test') });
    const preflight = (origin: string) =>
      fetch(`${url}/decode`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
    const { status, headers } = await preflight(UI);
    assert.deepEqual(
      [status, headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')],
      [204, UI, 'true'],
    );
    assert.equal(headers.get('access-control-allow-headers'), 'authorization,content-type,x-namespace');
    assert.equal((await preflight('http://evil.example')).headers.get('access-control-allow-origin'), null);
  });

  it('says what is wrong with a body', async (t) => {
    const { post, refused } = await given(t);
    for (const body of ['', '{', '[]', '{"payloads":{}}']) {
      assert.match(String(await refused(await post('/decode', body))), /^400,expected .*"payloads"/, body);
    }
    for (const payload of [1, null, { metadata: 7 }, { metadata: { a: 1 } }, { data: '§' }]) {
      const [status, message] = await refused(await post('/decode', { payloads: [PLAIN, payload] }));
      assert.deepEqual([status, message.slice(0, 21)], [400, 'payloads[1]: expected']);
    }
    const [status, message] = await refused(
      await post('/decode', {
        payloads: [{ metadata: { encoding: base64('binary/encrypted'), 'encryption-key-id': base64('gone') } }],
      }),
    );
    assert.deepEqual([status, message.slice(0, 42)], [422, 'a payload is encrypted with the key "gone"']);
  });

  it('reads no body without an end', async (t) => {
    const { post } = await given(t);
    const answer = await post('/decode', ' '.repeat(33_000_000)).then(
      ({ status }) => status,
      () => 413, // the connection is closed before all is sent
    );
    assert.equal(answer, 413);
  });

  it('says that it runs, to whoever asks and without a line of the log', async (t) => {
    const { url, post, lines } = await given(t, { callers: whoKnows('a-secret-of-the-test') });
    const health = await fetch(`${url}/healthz`);
    assert.deepEqual([health.status, await health.json()], [200, { live: true }]);
    assert.equal((await fetch(`${url}/healthz`, { method: 'HEAD' })).status, 200);
    assert.deepEqual(lines, []);
    assert.equal((await post('/healthz', {})).status, 405);
  });

  it('has no other paths', async (t) => {
    const { url, post } = await given(t);
    assert.equal((await post('/', {})).status, 404);
    assert.equal((await post('/a/b/decode', {})).status, 404);
    assert.equal((await fetch(`${url}/decode`)).status, 405);
  });

  it('takes tokens of an issuer by its key set, says who asked, and refuses all others', async (t) => {
    const keys = await generateKeyPair('ES256');
    const stranger = await generateKeyPair('ES256');
    let away = false;
    const jwks = createServer((_, response) => {
      response.statusCode = away ? 500 : 200;
      void exportJWK(keys.publicKey).then((jwk) =>
        response.end(JSON.stringify({ keys: [{ ...jwk, kid: 'one', alg: 'ES256' }] })),
      );
    });
    await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
    t.after(() => void jwks.close());
    const issuer = {
      jwks: `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/keys`,
      issuer: 'https://issuer.example',
      audience: 'codec',
    };
    const { post, refused, lines } = await given(t, { callers: holdersOf(issuer) });
    const sign = ({ by = keys.privateKey, audience = 'codec', expires = '1m' as string | null } = {}) => {
      const token = new SignJWT({ sub: 'ann@example.com' })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer('https://issuer.example')
        .setAudience(audience);
      return (expires === null ? token : token.setExpirationTime(expires)).sign(by);
    };
    const ask = (token: string) =>
      post('/decode', { payloads: [PLAIN] }, { 'x-namespace': 'payments', authorization: `Bearer ${token}` });

    assert.equal((await ask(await sign())).status, 200);
    assert.match(lines.join(''), /"audit":"decode",.+"who":"ann@example.com"/);
    for (const token of [
      await sign({ by: stranger.privateKey }),
      await sign({ audience: 'another' }),
      await sign({ expires: '-1m' }),
      await sign({ expires: null }),
      'no.token.atall',
    ]) {
      const [status, message] = await refused(await ask(token));
      assert.equal(status, 403);
      assert.match(message, /^the token is not valid: /);
    }
    assert.deepEqual(await refused(await post('/decode', { payloads: [] })), [
      401,
      'expected the header Authorization: Bearer <token>',
    ]);

    away = true;
    const other = await given(t, { callers: holdersOf(issuer) });
    const [status, message] = await other.refused(
      await other.post('/decode', {}, { 'x-namespace': 'payments', authorization: `Bearer ${await sign()}` }),
    );
    assert.equal(status, 503);
    assert.match(message, /^the keys of tokens cannot be had from http:\/\/127\.0\.0\.1/);
  });
});
