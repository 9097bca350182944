/** An authorization server: OAuth 2.0 client credentials, tokens signed with RS256, and the keys that prove them. */
import { createSign, generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface AuthorizationServer {
  readonly tokenUrl: string;
  readonly jwksUrl: string;
  /** Tokens given so far. */
  readonly given: number;
  /** A token by hand; `expiresIn`: seconds. */
  sign(claims: Readonly<Record<string, unknown>>, expiresIn?: number): string;
}

/** `clients`: secrets by id. Tokens are for the audience `test`. */
export async function startAuthorizationServer(
  t: TestContext,
  clients: Readonly<Record<string, string>>,
): Promise<AuthorizationServer> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let given = 0;
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const sign = (claims: Readonly<Record<string, unknown>>, expiresIn = 3_600): string => {
    const now = Math.floor(Date.now() / 1_000);
    const body = { iss: 'test', aud: 'test', iat: now, exp: now + expiresIn, ...claims };
    const signed = `${base64({ alg: 'RS256', typ: 'JWT', kid: 'one' })}.${base64(body)}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey).toString('base64url')}`;
  };
  const answer: RequestListener = (request, response) => {
    const json = (status: number, body: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/jwks') {
      return json(200, { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] });
    }
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const form = new URLSearchParams(text);
      const [, basic = ''] = (request.headers.authorization ?? '').split('Basic ');
      const [id = '', secret] = Buffer.from(basic, 'base64').toString().split(':').map(decodeURIComponent);
      if (request.method !== 'POST' || form.get('grant_type') !== 'client_credentials') {
        return json(400, { error: 'unsupported_grant_type' });
      }
      if (secret === undefined || clients[id] !== secret) return json(401, { error: 'invalid_client' });
      given++;
      return json(200, {
        access_token: sign({ sub: id, scope: form.get('scope') ?? '' }),
        token_type: 'Bearer',
        expires_in: 3_600,
      });
    });
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    tokenUrl: `${url}/token`,
    jwksUrl: `${url}/jwks`,
    get given() {
      return given;
    },
    sign,
  };
}
