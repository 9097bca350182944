import type { Case } from './counted-run.ts';

/** ms: what `ENRICHMENT_FLUSH_DELAY` is when nobody sets it. */
const DEFAULT = 2_000;
const TENTH = { users: 500, events: 8_000, rate: 50, settled: 100_000 };
const ONE = { users: 500, events: 35_000, rate: 500 };

export const CASES = {
  '500 users, 0.1 event/s each': { ...TENTH, flushDelay: DEFAULT },
  '500 users, 1 event/s each': { ...ONE, flushDelay: DEFAULT },
  '500 users, 1 event/s each, 5 % pending': { ...ONE, pending: 0.05, flushDelay: DEFAULT },
  '500 users, 0.1 event/s each, flush delay 20 s': { ...TENTH, flushDelay: 20_000 },
  '500 users, 1 event/s each, flush delay 20 s': { ...ONE, flushDelay: 20_000, settled: 50_000 },
  '500 users, 0.1 event/s each, no flush delay': { ...TENTH, flushDelay: 0 },
  '500 users, 1 event/s each, no flush delay': { ...ONE, flushDelay: 0 },
  '5,000 users, 0.1 event/s each, their first minute': { users: 5_000, events: 35_000, rate: 500, flushDelay: DEFAULT },
  '500 users, a backlog of 100,000 events': {
    users: 500,
    events: 100_000,
    rate: 500,
    flushDelay: DEFAULT,
    backlog: true,
    capacity: 200,
  },
} as const satisfies Record<string, Case>;
