import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES, type LookupOutcome } from '../../activities/contract.ts';
import { Limiter } from '../../activities/limiter.ts';
import { createLookupSessions } from '../../activities/lookup-sessions.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { attemptOf } from '../support/attempt.ts';

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
    clock: systemClock,
    observeLookup: (status: LookupOutcome['status']) => void observed.push(status),
    attempt: attemptOf({ scheduledAt: NOW, heartbeat: () => (heartbeats.count += 1) }),
  };
  return { lookup: createLookupSessions(deps), paths, observed, deps, heartbeats };
}

const json =
  (status: number, body: unknown): Handle =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

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
  'an empty country': json(200, { clientCountryCode: '' }),
  'a country of 1,001 characters': json(200, { clientCountryCode: 'x'.repeat(1_001) }),
  "404 with an ingress' page": (_, response) =>
    void response.writeHead(404, { 'content-type': 'text/html' }).end('<html><center>nginx</center></html>'),
  '404 with a page that does not say so': (_, response) =>
    void response.writeHead(404).end('\ufeff\n<!DOCTYPE html><title>404</title>'),
  '404 of a router of Go': (_, response) =>
    void response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n'),
  "404 of Kubernetes' default backend": (_, response) => void response.writeHead(404).end('default backend - 404'),
  '404 of a gateway without a route': json(404, { message: 'no Route matched with those values' }),
  'text that is not UTF-8': (_, response) =>
    void response.writeHead(200).end(Buffer.from('{"clientCountryCode":"\xff"}', 'latin1')),
  'a body of more than 64 KiB': json(200, { clientCountryCode: 'UY', more: 'x'.repeat(65 * 1024) }),
  'a connection that is cut': (_, response) => void response.destroy(),
  'a body that is cut': (_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{"client');
    setImmediate(() => response.destroy());
  },
};

describe('looking sessions up', () => {
  it('takes a country that a session event may have: 1,000 characters, each of two code units too', async (t) => {
    const country = '\u{1f1fa}'.repeat(1_000);
    const { lookup } = await service(t, json(200, { clientCountryCode: country }));
    assert.deepEqual(await lookup({ sessionIds: ['a-1'], giveUpAt: IN_TIME }), [
      { sessionId: 'a-1', status: 'found', clientCountryCode: country },
    ]);
  });

  it('200: found', async (t) => {
    const { lookup, paths, observed } = await service(t, json(200, { clientCountryCode: 'UY', more: [1] }));
    assert.deepEqual(await lookup({ sessionIds: ['a-1'], giveUpAt: IN_TIME }), [
      { sessionId: 'a-1', status: 'found', clientCountryCode: 'UY' },
    ]);
    assert.deepEqual([paths, observed], [['/sessions/a-1'], ['found']]);
  });

  const OWN_WORDS: Record<string, Handle> = {
    'an empty body': (_, response) => void response.writeHead(404).end(),
    JSON: json(404, { error: 'no such session' }),
    'JSON that is none': (_, response) => void response.writeHead(404, { 'content-type': 'application/json' }).end('{'),
    'a text': (_, response) => void response.writeHead(404, { 'content-type': 'text/plain' }).end('no such session'),
    'a long text': (_, response) => void response.writeHead(404).end('x'.repeat(100_000)),
  };
  for (const [name, handle] of Object.entries(OWN_WORDS)) {
    it(`404 with ${name}: not found`, async (t) => {
      const { lookup } = await service(t, handle);
      assert.deepEqual(await lookup({ sessionIds: ['a'], giveUpAt: IN_TIME }), [
        { sessionId: 'a', status: 'not-found' },
      ]);
    });
  }

  it('half a surrogate pair in a country, which UTF-8 cannot write, becomes U+FFFD', async (t) => {
    const { lookup } = await service(
      t,
      (_, response) => void response.writeHead(200).end('{"clientCountryCode":"U\\ud800"}'),
    );
    assert.deepEqual(await lookup({ sessionIds: ['a'], giveUpAt: IN_TIME }), [
      { sessionId: 'a', status: 'found', clientCountryCode: 'U\ufffd' },
    ]);
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
      assert.deepEqual(
        [paths, observed],
        [
          ['/sessions/a', '/sessions/a'],
          ['retry', 'given-up'],
        ],
      );
    });
  }

  it('a timeout: no answer, before the headers and within the body', async (t) => {
    for (const handle of [
      () => undefined,
      (_: IncomingMessage, response: ServerResponse) => void response.writeHead(200).write('{'),
    ]) {
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
    const { lookup, heartbeats } = await service(
      t,
      (request, response) => void setTimeout(() => json(200, { clientCountryCode: 'UY' })(request, response), 2_500),
      { lookupTimeout: 10_000 },
    );
    await lookup({ sessionIds: ['s'], giveUpAt: IN_TIME });
    const { count } = heartbeats;
    assert.ok(count > 0);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.equal(heartbeats.count, count);
  });

  it('asks at least once, however late it is', async (t) => {
    const { lookup } = await service(t, json(200, { clientCountryCode: 'UY' }));
    assert.deepEqual(await lookup({ sessionIds: ['a'], giveUpAt: 0 }), [
      { sessionId: 'a', status: 'found', clientCountryCode: 'UY' },
    ]);
  });

  it('answers for several at once, in their order, and is satisfied when some have one', async (t) => {
    const { lookup, observed } = await service(t, (request, response) => {
      const id = request.url!.split('/').at(-1)!;
      if (id === 'found') json(200, { clientCountryCode: 'UY' })(request, response);
      else json(id === 'missing' ? 404 : 500, {})(request, response);
    });
    assert.deepEqual(await lookup({ sessionIds: ['broken', 'found', 'missing'], giveUpAt: IN_TIME }), [
      { sessionId: 'broken', status: 'retry' },
      { sessionId: 'found', status: 'found', clientCountryCode: 'UY' },
      { sessionId: 'missing', status: 'not-found' },
    ]);
    assert.deepEqual(observed, ['retry', 'found', 'not-found']);
  });

  it('does not let a session id leave its path', async (t) => {
    const ids = ['../admin', '..%2Fadmin', 'a/../../admin', 'a?x=1', 'a#b', 'a b', '\\..\\admin', '//other.example/'];
    const { lookup, paths } = await service(t, json(404, {}), { path: '/base/' });
    await lookup({ sessionIds: ids, giveUpAt: IN_TIME });
    for (const path of paths) assert.match(path, /^\/base\/sessions\/[^/?#]+$/);
    assert.deepEqual(
      paths.map((path) => decodeURIComponent(path.slice('/base/sessions/'.length))).sort(),
      [...ids].sort(),
    );
  });

  it('does not ask for a session id that would be another path', async (t) => {
    const { lookup, paths } = await service(t, json(200, { clientCountryCode: 'XX' }), { path: '/base' });
    const ids = ['..', '.', '', '\ud800'];
    assert.deepEqual(
      await lookup({ sessionIds: ids, giveUpAt: NOW }),
      ids.map((sessionId) => ({ sessionId, status: 'given-up' })),
    );
    assert.deepEqual(paths, []);
  });

  it('has no more requests under way than the limit', async (t) => {
    let underWay = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const { lookup } = await service(
      t,
      (_, response) => {
        most = Math.max(most, ++underWay);
        waiting.push(() => {
          underWay -= 1;
          response.writeHead(404).end();
        });
        // All that may come have come: let them go.
        if (underWay === 3 || waiting.length === 1) for (const go of waiting.splice(0)) setTimeout(go, 5);
      },
      { limit: 3 },
    );
    const outcomes = await lookup({ sessionIds: Array.from({ length: 12 }, (_, n) => `s${n}`), giveUpAt: IN_TIME });
    assert.equal(outcomes.length, 12);
    assert.ok(most <= 3, `${most} under way`);
  });
});

/** A service whose every request takes its time, in virtual time; and the time. */
function virtual(answer: (sessionId: string) => { readonly after: number; readonly found: boolean }) {
  let now = 0;
  const waiting: { readonly at: number; readonly wake: () => void }[] = [];
  const clock = {
    elapsed: () => now,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        waiting.push({ at: now + ms, wake: resolve });
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
  const asked: string[] = [];
  const get = async (sessionId: string) => {
    asked.push(sessionId);
    const { after, found } = answer(sessionId);
    await clock.sleep(after);
    if (!found) throw new Error('timeout');
    return { sessionId, status: 'found', clientCountryCode: 'UY' } as const;
  };
  async function run<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const end = () => void (over = true);
    work.then(end, end);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (over) return work;
      const [next] = waiting.sort((a, b) => a.at - b.at).splice(0, 1);
      now = next!.at;
      next!.wake();
    }
  }
  const lookup = (limit: number, attempt: Parameters<typeof attemptOf>[0]) =>
    createLookupSessions(
      {
        sessionServiceUrl: '',
        lookupTimeout: 1_000,
        limiter: new Limiter(limit),
        clock,
        observeLookup: () => undefined,
        attempt: attemptOf(attempt),
      },
      { get },
    );
  return { asked, run, lookup, time: () => now };
}

describe('an attempt in time', () => {
  const twenty = Array.from({ length: 20 }, (_, n) => `s${n}`);

  it('a service that takes 0.9 s: one place answers six sessions in 5 s, and the others are to be asked again', async () => {
    const { run, lookup, time } = virtual(() => ({ after: 900, found: true }));
    const outcomes = await run(lookup(1, {})({ sessionIds: twenty, giveUpAt: 600_000 }));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      [...Array<string>(6).fill('found'), ...Array<string>(14).fill('retry')],
    );
    assert.equal(time(), 5_400);
  });

  it('takes the places that are free, and leaves them to who waits for one', async () => {
    const { run, lookup, time } = virtual(() => ({ after: 900, found: true }));
    const ask = lookup(20, {});
    await run(ask({ sessionIds: twenty, giveUpAt: 600_000 }));
    assert.equal(time(), 900);
    const both = Promise.all([
      ask({ sessionIds: twenty, giveUpAt: 600_000 }),
      ask({ sessionIds: ['other'], giveUpAt: 600_000 }).then(() => time()),
    ]);
    const [, other] = await run(both);
    assert.equal(other, 2_700);
  });

  it('some that hang do not keep the others from being asked for', async () => {
    const { run, lookup, asked } = virtual((sessionId) =>
      Number(sessionId.slice(1)) < 5 ? { after: 1_000, found: false } : { after: 20, found: true },
    );
    await assert.rejects(
      run(lookup(1, {})({ sessionIds: twenty, giveUpAt: 600_000 })),
      /gave no usable answer for 20 sessions: timeout/,
    );
    assert.deepEqual(asked.splice(0), ['s0', 's1', 's2', 's3', 's4']);
    const outcomes = await run(lookup(1, { number: 2 })({ sessionIds: twenty, giveUpAt: 600_000 }));
    assert.deepEqual(
      outcomes.filter(({ status }) => status === 'found').map(({ sessionId }) => sessionId),
      twenty.slice(5),
    );
  });

  it('stays while the service is silent, and asks for one session each 5 s; whoever has an answer wakes all', async () => {
    let silent = true;
    const { run, lookup, asked, time } = virtual(() => ({ after: 100, found: !silent }));
    const ask = lookup(64, {});
    const many = Array.from({ length: 60 }, (_, n) => `m${n}`);
    await assert.rejects(run(ask({ sessionIds: many, giveUpAt: 600_000 })), /gave no usable answer for 60 sessions/);
    assert.equal(asked.splice(0).length, 60 + 4, 'of all once, and then of one at 5.1, 10.2, 15.3 and 20.4 s');
    assert.equal(time(), 20_500);

    const began = time();
    const ends = Promise.all(
      ['a', 'b'].map((name) =>
        ask({ sessionIds: [`${name}1`, `${name}2`], giveUpAt: 600_000 }).then((outcomes) => ({
          found: outcomes.filter(({ status }) => status === 'found').length,
          at: time() - began,
        })),
      ),
    );
    const both = run(ends);
    while (asked.length < 4) await new Promise((resolve) => setImmediate(resolve));
    silent = false;
    assert.deepEqual(
      (await both).map(({ found }) => found),
      [2, 2],
    );
    assert.ok(time() - began < 6_000, `${time() - began} ms`);
  });

  it('does not stay for a few without an answer, nor for the last time', async () => {
    const { run, lookup, time } = virtual(() => ({ after: 100, found: false }));
    const ask = lookup(64, {});
    await assert.rejects(run(ask({ sessionIds: twenty, giveUpAt: 600_000 })));
    assert.equal(time(), 100);
    const many = Array.from({ length: 60 }, (_, n) => `m${n}`);
    assert.deepEqual(
      (await run(ask({ sessionIds: many, giveUpAt: 0 }))).map(({ status }) => status),
      Array<string>(60).fill('given-up'),
    );
    assert.equal(time(), 200);
  });

  it('is over when it is cancelled while the service is silent', async () => {
    const cancelled = new AbortController();
    const { run, lookup, asked, time } = virtual(() => {
      if (asked.length > 60) cancelled.abort();
      return { after: 100, found: false };
    });
    const many = Array.from({ length: 60 }, (_, n) => `m${n}`);
    const ask = lookup(64, { cancelled: cancelled.signal });
    await assert.rejects(run(ask({ sessionIds: many, giveUpAt: 600_000 })), /gave no usable answer/);
    assert.deepEqual([asked.length, time()], [61, 5_100]);
  });

  it('returns what it has before the server waits no more', async () => {
    const { run, lookup, time } = virtual((sessionId) => ({ after: sessionId === 's0' ? 100 : 1_000, found: true }));
    const outcomes = await run(lookup(1, { limit: 900 })({ sessionIds: ['s0', 's1'], giveUpAt: 600_000 }));
    assert.deepEqual([outcomes.map(({ status }) => status), time()], [['found', 'retry'], 600]);
  });

  it('ends when nobody waits for it any more, also while it waits for a place', async () => {
    const { run, lookup } = virtual(() => ({ after: 1_000, found: true }));
    const cancelled = new AbortController();
    const ask = lookup(1, { cancelled: cancelled.signal });
    const both = Promise.allSettled(
      ['s0', 's1'].map((sessionId) => ask({ sessionIds: [sessionId], giveUpAt: 600_000 })),
    );
    cancelled.abort();
    const ends = await run(both);
    assert.deepEqual(
      ends.map((end) => end.status === 'rejected' && (end.reason as ApplicationFailure).type),
      [FAILURES.lookupsBusy, FAILURES.lookupsBusy],
    );
  });

  it('that was scheduled at the give-up time or later gives up what is not answered, whatever the clock of this machine says', async () => {
    const { run, lookup } = virtual(() => ({ after: 1_000, found: false }));
    assert.deepEqual(
      await run(
        lookup(1, { scheduledAt: 600_000, limit: 2_500 })({ sessionIds: ['s0', 's1', 's2'], giveUpAt: 600_000 }),
      ),
      ['s0', 's1', 's2'].map((sessionId) => ({ sessionId, status: 'given-up' })),
    );
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
