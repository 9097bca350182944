import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Limiter } from '../../activities/limiter.ts';
import { createLookupSessions } from '../../activities/lookup-sessions.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { attemptOf } from '../../test/support/attempt.ts';
import { FAILURES, LIES, startChaoticService } from './asked-service.ts';

const KNOWN = '11111111-1111-4111-8111-111111111111';
const UNKNOWN = '22222222-2222-4222-8222-222222222222';

async function given(t: TestContext) {
  const service = await startChaoticService({
    path: '/sessions/',
    field: 'clientCountryCode',
    answer: (id) => (id === KNOWN ? 'SE' : null),
    believed: [],
  });
  t.after(() => service.stop());
  const lookup = createLookupSessions({
    sessionServiceUrl: `http://127.0.0.1:${service.port}`,
    lookupTimeout: 600,
    limiter: new Limiter(4),
    clock: systemClock,
    observeLookup: () => undefined,
    attempt: attemptOf({ scheduledAt: 0 }),
  });
  return { service, ask: (sessionId: string) => lookup({ sessionIds: [sessionId], giveUpAt: 1 }) };
}

test('a right answer is the country of the session, or that there is none', async (t) => {
  const { ask, service } = await given(t);
  assert.deepEqual(await ask(KNOWN), [{ sessionId: KNOWN, status: 'found', clientCountryCode: 'SE' }]);
  assert.deepEqual(await ask(UNKNOWN), [{ sessionId: UNKNOWN, status: 'not-found' }]);
  assert.deepEqual([service.mistreated, service.unanswered], [0, 0]);
});

for (const behaviour of ['slow', ...FAILURES, ...LIES] as const) {
  test(`${behaviour}: the lookup believes nothing and asks again; what it hit is counted until it got its answer`, async (t) => {
    const { ask, service } = await given(t);
    service.set(behaviour);
    await assert.rejects(ask(KNOWN), { type: 'SessionServiceUnavailable' });
    assert.deepEqual([service.mistreated, service.unanswered], [1, 1]);
    service.set('right');
    assert.deepEqual(await ask(KNOWN), [{ sessionId: KNOWN, status: 'found', clientCountryCode: 'SE' }]);
    assert.equal(service.unanswered, 0);
  });
}
