import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES, type LookupOutcome } from '../../activities/contract.ts';
import { createLookupSessions, every, Limiter } from '../../activities/lookup-sessions.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

const NOW = 1_000_000;
const IN_TIME = NOW + 1;

async function service(t: TestContext, handle: Handle, { limit = 10, path = '', lookupTimeout = 2_000 } = {}) {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url!);
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const observed: LookupOutcome['status'][] = [];
  const heartbeats = { count: 0 };
  const deps = {
    sessionServiceUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    lookupTimeout,
    limiter: new Limiter(limit),
    now: () => NOW,
    observeLookup: (status: LookupOutcome['status']) => void observed.push(status),
    signsOfLife: () => every(500, () => (heartbeats.count += 1)),
  };
  return { lookup: createLookupSessions(deps), paths, observed, deps, heartbeats };
}

const json = (status: number, body: unknown): Handle => (_, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** Everything that is no answer: asked again while there is time, given up after it. */
const NO_ANSWERS: Record<string, Handle> = {
  'status 500': json(500, { clientCountryCode: 'UY' }),
  'status 503': json(503, {}),
  'status 403': json(403, {}),
  'status 204': (_, response) => void response.writeHead(204).end(),
  'a redirect, which is not followed': (request, response) => {
    if (request.url === '/elsewhere') json(200, { clientCountryCode: 'XX' })(request, response);
    else response.writeHead(302, { location: '/elsewhere' }).end();
  },
  'no JSON': (_, response) => void response.writeHead(200).end('UY'),
  'an empty body': (_, response) => void response.writeHead(200).end(),
  'JSON null': json(200, null),
  'a JSON array': json(200, ['UY']),
  'no country': json(200, {}),
  'a country that is no text': json(200, { clientCountryCode: 7 }),
  'a country that is null': json(200, { clientCountryCode: null }),
  'text that is not UTF-8': (_, response) => void response.writeHead(200).end(Buffer.from('{"clientCountryCode":"\xff"}', 'latin1')),
  'a body of more than 64 KiB': json(200, { clientCountryCode: 'UY', more: 'x'.repeat(65 * 1024) }),
  'a connection that is cut': (_, response) => void response.destroy(),
  'a body that is cut': (_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{"client');
    setImmediate(() => response.destroy());
  },
};

describe('looking sessions up', () => {
  it('200: found', async (t) => {
    const { lookup, paths, observed } = await service(t, json(200, { clientCountryCode: 'UY', more: [1] }));
    assert.deepEqual(await lookup({ sessionIds: ['a-1'], giveUpAt: IN_TIME }), [{ sessionId: 'a-1', status: 'found', clientCountryCode: 'UY' }]);
    assert.deepEqual([paths, observed], [['/sessions/a-1'], ['found']]);
  });

  it('404: not found, whatever its body', async (t) => {
    const { lookup } = await service(t, (_, response) => void response.writeHead(404).end('x'.repeat(100_000)));
    assert.deepEqual(await lookup({ sessionIds: ['a'], giveUpAt: IN_TIME }), [{ sessionId: 'a', status: 'not-found' }]);
  });

  for (const [name, handle] of Object.entries(NO_ANSWERS)) {
    it(`${name}: no answer`, async (t) => {
      const { lookup, paths, observed } = await service(t, handle);
      await assert.rejects(lookup({ sessionIds: ['a'], giveUpAt: IN_TIME }), (error: unknown) => {
        assert.ok(error instanceof ApplicationFailure);
        assert.deepEqual([error.type, error.nonRetryable ?? false], [FAILURES.sessionServiceUnavailable, false]);
        return true;
      });
      assert.deepEqual(await lookup({ sessionIds: ['a'], giveUpAt: NOW }), [{ sessionId: 'a', status: 'given-up' }]);
      assert.deepEqual([paths, observed], [['/sessions/a', '/sessions/a'], ['retry', 'given-up']]);
    });
  }

  it('a timeout: no answer, before the headers and within the body', async (t) => {
    for (const handle of [() => undefined, (_: IncomingMessage, response: ServerResponse) => void response.writeHead(200).write('{')]) {
      const { lookup } = await service(t, handle, { lookupTimeout: 50 });
      assert.deepEqual(await lookup({ sessionIds: ['a'], giveUpAt: NOW }), [{ sessionId: 'a', status: 'given-up' }]);
    }
  });

  it('a refused connection: no answer, and the failure says why', async (t) => {
    const { deps } = await service(t, () => undefined);
    const nobody = createServer();
    await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve));
    const { port } = nobody.address() as AddressInfo;
    await new Promise((resolve) => nobody.close(resolve));
    const lookup = createLookupSessions({ ...deps, sessionServiceUrl: `http://127.0.0.1:${port}` });
    await assert.rejects(lookup({ sessionIds: ['a'], giveUpAt: IN_TIME }), /ECONNREFUSED/);
  });

  it('says that it is alive while it waits, and not afterwards', async (t) => {
    const { lookup, heartbeats } = await service(t, (request, response) => void setTimeout(() => json(200, { clientCountryCode: 'UY' })(request, response), 2_500), { lookupTimeout: 10_000 });
    await lookup({ sessionIds: ['s'], giveUpAt: IN_TIME });
    const { count } = heartbeats;
    assert.ok(count > 0);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.equal(heartbeats.count, count);
  });

  it('asks at least once, however late it is', async (t) => {
    const { lookup } = await service(t, json(200, { clientCountryCode: 'UY' }));
    assert.deepEqual(await lookup({ sessionIds: ['a'], giveUpAt: 0 }), [{ sessionId: 'a', status: 'found', clientCountryCode: 'UY' }]);
  });

  it('answers for several at once, in their order, and is satisfied when some have one', async (t) => {
    const { lookup, observed } = await service(t, (request, response) => {
      const id = request.url!.split('/').at(-1)!;
      if (id === 'found') json(200, { clientCountryCode: 'UY' })(request, response);
      else json(id === 'missing' ? 404 : 500, {})(request, response);
    });
    assert.deepEqual(await lookup({ sessionIds: ['broken', 'found', 'missing'], giveUpAt: IN_TIME }), [
      { sessionId: 'broken', status: 'retry' }, { sessionId: 'found', status: 'found', clientCountryCode: 'UY' }, { sessionId: 'missing', status: 'not-found' },
    ]);
    assert.deepEqual(observed, ['retry', 'found', 'not-found']);
  });

  it('does not let a session id leave its path', async (t) => {
    const ids = ['../admin', '..%2Fadmin', 'a/../../admin', 'a?x=1', 'a#b', 'a b', '\\..\\admin', '//other.example/'];
    const { lookup, paths } = await service(t, json(404, {}), { path: '/base/' });
    await lookup({ sessionIds: ids, giveUpAt: IN_TIME });
    for (const path of paths) assert.match(path, /^\/base\/sessions\/[^/?#]+$/);
    assert.deepEqual(paths.map((path) => decodeURIComponent(path.slice('/base/sessions/'.length))).sort(), [...ids].sort());
  });

  it('does not ask for a session id that would be another path', async (t) => {
    const { lookup, paths } = await service(t, json(200, { clientCountryCode: 'XX' }), { path: '/base' });
    const ids = ['..', '.', '', '\ud800'];
    assert.deepEqual(await lookup({ sessionIds: ids, giveUpAt: NOW }), ids.map((sessionId) => ({ sessionId, status: 'given-up' })));
    assert.deepEqual(paths, []);
  });

  it('has no more requests under way than the limit', async (t) => {
    let underWay = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const { lookup } = await service(t, (_, response) => {
      most = Math.max(most, ++underWay);
      waiting.push(() => {
        underWay -= 1;
        response.writeHead(404).end();
      });
      // All that may come have come: let them go.
      if (underWay === 3 || waiting.length === 1) for (const go of waiting.splice(0)) setTimeout(go, 5);
    }, { limit: 3 });
    const outcomes = await lookup({ sessionIds: Array.from({ length: 12 }, (_, n) => `s${n}`), giveUpAt: IN_TIME });
    assert.equal(outcomes.length, 12);
    assert.ok(most <= 3, `${most} under way`);
  });
});

describe('the limiter', () => {
  it('goes on after work that fails', async () => {
    const limiter = new Limiter(1);
    const failing = limiter.run(async () => Promise.reject(new Error('no')));
    const next = limiter.run(async () => 'yes');
    await assert.rejects(failing);
    assert.equal(await next, 'yes');
    assert.equal(await limiter.run(async () => 'again'), 'again');
  });
});
