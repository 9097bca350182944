import assert from 'node:assert/strict';
import test from 'node:test';
import { startStandInSessionService } from '../../src/dev/session-service.ts';

test('it answers the country for every session, counts, and knows nothing else', async (t) => {
  const service = await startStandInSessionService({ country: 'UY', delayMs: 0 });
  t.after(() => service.stop());
  for (const id of ['0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11', 'another']) {
    const answer = await fetch(`${service.url}/sessions/${id}`);
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), '{"clientCountryCode":"UY"}');
  }
  assert.equal(service.requests, 2);
  for (const path of ['/', '/sessions/', '/sessions/a/b', '/other']) {
    assert.equal((await fetch(service.url + path)).status, 404);
  }
  assert.equal((await fetch(`${service.url}/sessions/a`, { method: 'POST' })).status, 404);
  assert.equal(service.requests, 2);
});

test('it can be stopped while answers are due', async () => {
  const service = await startStandInSessionService({ country: 'UY', delayMs: 60_000 });
  const asked = fetch(`${service.url}/sessions/a`).catch((error: unknown) => error);
  while (service.requests === 0) await new Promise(setImmediate);
  await service.stop();
  assert.ok((await asked) instanceof Error);
});
