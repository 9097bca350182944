import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fetch } from '../../../src/engine/http/fetch.ts';
import { clientCredentials, givenToken, jwtExpiry } from '../../../src/engine/http/token-source.ts';
import { withCode } from '../../support/publishing.ts';

const jwt = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

function source(answers: (Response | Error)[], now: () => number) {
  const asked: { url: string; body: string; authorization: string }[] = [];
  const fetch: Fetch = async (url, { body = '', headers = {} }) => {
    asked.push({ url, body, authorization: headers['authorization'] ?? '' });
    const answer = answers.shift() ?? new Error('asked once too often');
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const tokens = clientCredentials({
    tokenUrl: 'http://as/token',
    clientId: 'me:you',
    clientSecret: () => 'se cret',
    scope: 'a b',
    fetch,
    now,
  });
  return { tokens, asked };
}

const given = (token: string, seconds?: number) => Response.json({ access_token: token, expires_in: seconds });

test('a token is asked for by client credentials, once, and again when four fifths of its life are over', async () => {
  let now = 0;
  const { tokens, asked } = source([given('one', 100), given('two', 100)], () => now);
  assert.deepEqual(await Promise.all([tokens.token(), tokens.token()]), ['one', 'one']);
  assert.equal(tokens.expiresAt, 100_000);
  now = 79_999;
  assert.equal(await tokens.token(), 'one');
  now = 80_000;
  assert.equal(await tokens.token(), 'two');
  assert.deepEqual(asked[0], {
    url: 'http://as/token',
    body: 'grant_type=client_credentials&scope=a+b',
    // base64 of me%3Ayou:se%20cret
    authorization: 'Basic bWUlM0F5b3U6c2UlMjBjcmV0',
  });
  assert.equal(asked.length, 2);
});

test('a token that still counts is used while no new one can be had, and not after its end', async () => {
  let now = 0;
  const { tokens } = source([given('one', 100), new Error('away'), new Error('away')], () => now);
  await tokens.token();
  now = 90_000;
  assert.equal(await tokens.token(), 'one');
  now = 100_000;
  await assert.rejects(tokens.token(), withCode('UNREACHABLE'));
});

test('a token that was refused is not given again', async () => {
  const { tokens } = source([given('one', 100), given('two', 100)], () => 0);
  assert.equal(await tokens.token(), 'one');
  tokens.refused();
  assert.equal(await tokens.token(), 'two');
});

test('the life of a token of which nothing is said is that of the JWT, or five minutes', async () => {
  const { tokens } = source([given(jwt({ exp: 50 })), given('opaque'), given('later')], () => 0);
  assert.equal(await tokens.token(), jwt({ exp: 50 }));
  assert.equal(tokens.expiresAt, 50_000);
  tokens.refused();
  await tokens.token();
  assert.equal(tokens.expiresAt, undefined);
});

test('an authorization server that refuses is told from one that is away', async () => {
  const cases: [Response | Error, 'CONFIG' | 'UNREACHABLE', RegExp][] = [
    [
      Response.json({ error: 'invalid_client' }, { status: 401 }),
      'CONFIG',
      /401 \(invalid_client\): check its id, secret and scope/,
    ],
    [new Response('<p>no</p>', { status: 403 }), 'CONFIG', /refuses this client with 403: /],
    [new Response('', { status: 503 }), 'UNREACHABLE', /gives no token: status 503/],
    [Response.json({}), 'UNREACHABLE', /gives no token: status 200/],
    [new Response('', { status: 302 }), 'UNREACHABLE', /status 302/],
    [new Response('x'.repeat(70_000)), 'UNREACHABLE', /more than 65536 bytes/],
  ];
  for (const [answer, code, says] of cases) {
    const { tokens } = source([answer], () => 0);
    await assert.rejects(tokens.token(), (error) => {
      assert.ok(withCode(code)(error));
      assert.match((error as Error).message, says);
      return true;
    });
  }
});

test('a token that is given is asked for each time, and its end is that of the JWT', async () => {
  let text = jwt({ exp: 7 });
  const tokens = givenToken(() => text);
  assert.equal(await tokens.token(), text);
  assert.equal(tokens.expiresAt, 7_000);
  text = 'opaque';
  assert.equal(await tokens.token(), 'opaque');
  assert.equal(tokens.expiresAt, undefined);
});

test('what is no JWT has no known end', () => {
  for (const text of ['', 'a.b', 'a.e30.c', 'a.!!.c', 'a.W10.c.d', `a.${'x'.repeat(9)}.c`]) {
    assert.equal(jwtExpiry(text), undefined, text);
  }
});
