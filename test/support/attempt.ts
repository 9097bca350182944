import type { LookupAttempt } from '../../activities/lookup-sessions.ts';

/** An attempt of an activity that may take a minute, as far as a test does not say otherwise. */
export function attemptOf(given: Partial<LookupAttempt> = {}): () => LookupAttempt {
  return () => ({
    number: 1,
    scheduledAt: 0,
    limit: 60_000,
    cancelled: new AbortController().signal,
    heartbeat: () => undefined,
    ...given,
  });
}
