/**
 * Bounds of one user's state (semantics, section 3). They are enforced after each record, so what is forgotten is a function
 * of the records alone: what is expired goes first, then the oldest of a kind that has too many, then the oldest of the kind
 * that takes most bytes. Dedup entries count a quarter there: a forgotten session costs a lookup, a forgotten dedup entry a
 * repeated output. Pending money takes what is left; that never decides what else is kept, because when it leaves depends on
 * clocks.
 */
import type { Bounds, Rules } from './types.ts';
import { keptOf, type Kept } from './kept.ts';
import type { Pending, UserState } from './state.ts';

/** Bytes: what continue-as-new carries (workflows/carried.ts) without the largest batch that may follow. */
export const BOUNDS: Bounds = {
  dedupEntries: 60_000,
  sessions: 20_000,
  pending: 10_000,
  changes: 1_000,
  moneyTypes: 10_000,
  bytes: 1_450_000,
};

/** Bytes of names, counters, times, money by currency: what is in every state. */
const ALWAYS_THERE = 6_000;

type Kind = Exclude<keyof Kept, 'pending'>;
type Counted = 'sessionsForgotten' | 'duplicatesForgotten' | 'changesForgotten' | 'moneyTypesForgotten';

interface KindRule {
  readonly bound: 'sessions' | 'dedupEntries' | 'changes' | 'moneyTypes';
  readonly counted: Counted;
  /** How much its bytes count when the largest is looked for. */
  readonly weight: number;
  /** Kept whatever it takes. */
  readonly least: number;
}

const KINDS: Readonly<Record<Kind, KindRule>> = {
  sessions: { bound: 'sessions', counted: 'sessionsForgotten', weight: 1, least: 0 },
  birthYear: { bound: 'changes', counted: 'changesForgotten', weight: 1, least: 1 },
  residentCountryCode: { bound: 'changes', counted: 'changesForgotten', weight: 1, least: 1 },
  moneyTypes: { bound: 'moneyTypes', counted: 'moneyTypesForgotten', weight: 1, least: 1 },
  dedup: { bound: 'dedupEntries', counted: 'duplicatesForgotten', weight: 0.25, least: 1 },
};
const NAMES = Object.keys(KINDS) as Kind[];

/** Forgets what has expired at the effective time that was reached. */
export function forgetExpired(state: UserState, { sessionTtl, dedupTtl }: Rules): void {
  const { tau } = state;
  if (tau === null) return;
  const kept = keptOf(state);
  kept.birthYear.prune(tau, sessionTtl);
  kept.residentCountryCode.prune(tau, sessionTtl);
  kept.sessions.forgetExpired(tau, sessionTtl);
  kept.dedup.forgetExpired(tau, dedupTtl);
}

/** Makes the state fit its bounds. Returns the pending money that had to leave for that, the oldest first. */
export function makeRoom(state: UserState, rules: Rules, bounds: Bounds): Pending[] {
  forgetExpired(state, rules);
  const kept = keptOf(state);
  for (const name of NAMES) {
    const { bound, least } = KINDS[name];
    while (kept[name].count > Math.max(least, bounds[bound])) forget(state, kept, name);
  }
  while (bytesOf(kept) > bounds.bytes) {
    const largest = largestOf(kept);
    if (largest === undefined) break;
    forget(state, kept, largest);
  }
  const left: Pending[] = [];
  while (kept.pending.count > bounds.pending || bytesOf(kept) + kept.pending.bytes > bounds.bytes) {
    const money = kept.pending.takeFirst();
    if (money === undefined) break;
    state.counters.pendingHurried += 1;
    left.push(money);
  }
  return left;
}

/** Bytes of what the bounds decide about: all but pending money and what is owed. */
export function boundedBytes(state: UserState): number {
  return bytesOf(keptOf(state));
}

function bytesOf(kept: Kept): number {
  return NAMES.reduce((sum, name) => sum + kept[name].bytes, ALWAYS_THERE);
}

function largestOf(kept: Kept): Kind | undefined {
  let largest: Kind | undefined;
  let most = 0;
  for (const name of NAMES) {
    const { weight, least } = KINDS[name];
    const bytes = kept[name].bytes * weight;
    if (kept[name].count <= least || bytes <= most) continue;
    most = bytes;
    largest = name;
  }
  return largest;
}

function forget(state: UserState, kept: Kept, name: Kind): void {
  kept[name].forgetOldest();
  state.counters[KINDS[name].counted] += 1;
}
