/** A few seconds of `npm run fuzz` for the lookups; and that it notices what is wrong. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES, type LookupOutcome, type LookupRequest } from '../../activities/contract.ts';
import { fuzzLookup, realLookup } from './fuzz-lookup.ts';

describe('a session service that lies', () => {
  it('2,000 answers become documented outcomes; crafted session ids stay below the path; nothing goes to another host', async (t) => {
    const { failure, outcomes, crafted, ...figures } = await fuzzLookup({ seed: 15, inputs: 2_000 });
    assert.equal(failure, undefined);
    for (const status of ['found', 'not-found', 'retry', 'given-up']) {
      assert.ok((outcomes[status] ?? 0) > 50, `${status}: ${outcomes[status]}`);
    }
    assert.ok(crafted.asked > 500 && crafted.refused > 50, JSON.stringify(crafted));
    t.diagnostic(JSON.stringify({ ...figures, outcomes, crafted }));
  });

  /** Lookups as one might write them. */
  const naive =
    (redirect: 'follow' | 'manual', path: (sessionId: string) => string) =>
    (url: string, timeout: number) =>
    ({ sessionIds, giveUpAt }: LookupRequest): Promise<LookupOutcome[]> =>
      Promise.all(
        sessionIds.map(async (sessionId): Promise<LookupOutcome> => {
          const noAnswer = { sessionId, status: giveUpAt > 1_000_000 ? 'retry' : 'given-up' } as const;
          try {
            const response = await fetch(`${url}/sessions/${path(sessionId)}`, {
              redirect,
              signal: AbortSignal.timeout(timeout),
            });
            if (response.status === 404) return { sessionId, status: 'not-found' };
            const { clientCountryCode } = (await response.json()) as { clientCountryCode?: unknown };
            return response.status === 200 && typeof clientCountryCode === 'string'
              ? { sessionId, status: 'found', clientCountryCode: clientCountryCode.toWellFormed() }
              : noAnswer;
          } catch {
            return noAnswer;
          }
        }),
      ).then((outcomes) => {
        if (!outcomes.every(({ status }) => status === 'retry')) return outcomes;
        throw ApplicationFailure.create({ type: FAILURES.sessionServiceUnavailable });
      });

  it('one that reads a body of any size is caught', async () => {
    const { failure = '' } = await fuzzLookup({ seed: 16, inputs: 2_000, lookup: naive('manual', encodeURIComponent) });
    assert.match(
      failure,
      /^input \d+ of seed 16 \(.*\): expected \{"is":"no-answer"\}, got .*"found".*\n {2}again: {2}npm run fuzz -- --only lookup --seed 16 --from \d+ --inputs 1\n/,
    );
  });

  it('one that follows redirects is caught', async () => {
    const { failure = '' } = await fuzzLookup({ seed: 17, inputs: 2_000, lookup: naive('follow', encodeURIComponent) });
    assert.match(failure, /another host|a redirect|expected \{"is":"no-answer"\}/);
  });

  it('a request that arrives when its asker has given up is not taken for one of the id asked next', async () => {
    const late = (url: string, timeout: number) => {
      const ask = realLookup(url, timeout);
      return async (request: LookupRequest): Promise<LookupOutcome[]> => {
        const crafted = request.sessionIds.some((sessionId) => !/^s\d+$/.test(sessionId));
        if (!crafted) return ask(request);
        void sleep(5).then(() => ask(request));
        await sleep(1);
        return request.sessionIds.map((sessionId) => ({ sessionId, status: 'given-up' }));
      };
    };
    const { failure, crafted } = await fuzzLookup({ seed: 19, inputs: 200, lookup: late });
    assert.equal(failure, undefined);
    assert.ok(crafted.asked > 0, JSON.stringify(crafted));
  });

  it('one that lets a session id be a path is caught', async () => {
    for (const path of [(sessionId: string) => sessionId, encodeURIComponent]) {
      const { failure = '' } = await fuzzLookup({ seed: 18, inputs: 0, lookup: naive('manual', path) });
      assert.equal(failure, ''); // no input, no crafted id
      const { failure: crafted = '' } = await fuzzLookup({ seed: 18, inputs: 50, lookup: naive('manual', path) });
      assert.match(crafted, /^(the session id|input)/);
    }
  });
});
