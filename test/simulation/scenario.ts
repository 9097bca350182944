/**
 * What a seed stands for: how large the system is, what the traffic is like, which faults there are and how often. Every
 * seed switches some of it off, so that what is rare in the mixture of everything is common in some runs.
 */
import type { BridgeSettings } from '../../src/bridge/generation.ts';
import { trafficOptions, type TrafficOptions } from '../../src/local/generate/options.ts';
import { Random } from '../../src/local/generate/random.ts';
import { EPOCH } from './kernel/scheduler.ts';

export const FAULTS = [
  'kill bridge', 'kill worker', 'pause bridge', 'pause worker', 'stop bridge', 'stop worker', 'kafka down', 'temporal down', 'cut from kafka',
  'cut from temporal', 'rebalance bridges', 'rebalance workers', 'fence shard', 'fence triple', 'lossy kafka', 'lossy temporal', 'slow kafka', 'slow temporal',
  'sessions down', 'retention', 'compaction', 'one more worker',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface PlannedFault {
  /** ms after the start. */
  readonly at: number;
  readonly fault: Fault;
  /** ms that it lasts, where it lasts. */
  readonly lasts: number;
}

export interface Scenario {
  readonly seed: number;
  readonly partitions: number;
  readonly shards: number;
  readonly bridges: number;
  readonly workers: number;
  /** `backlog`: all is in the topics before anything starts; `live`: it comes while it runs. */
  readonly arrival: 'backlog' | 'live';
  readonly traffic: TrafficOptions;
  readonly faults: readonly PlannedFault[];
  readonly lostTasks: number;
  readonly eviction: number;
  readonly suggestAfter: readonly [number, number];
  /** Fraction of sessions that the session service never answers for; then it is reliable for the others. */
  readonly deadSessions: number;
  readonly settings: Pick<BridgeSettings, 'outOfOrderness' | 'idleTimeout' | 'rules' | 'limits'>;
}

const EVENTS = 220;
const FEWEST_FAULTS = 14;
const LIMITS = { maxRecordBytes: 20_000, maxFutureSkew: 3_600_000 };

export function scenarioOf(seed: number): Scenario {
  const random = new Random(seed);
  const arrival = random.chance(0.5) ? 'backlog' : 'live';
  const partitions = 1 + random.below(3);
  const outOfOrderness = 2_000;
  const sessionTtl = random.pick([5_000, 20_000, 600_000]);
  const rules = { sessionTtl, dedupTtl: random.pick([2_000, 10_000, 60_000]), pendingTimeout: random.pick([4_000, 15_000]), lookupGiveUpAfter: 600_000 };
  const deadSessions = random.chance(0.15) ? 0.3 : 0;
  const maybe = (fraction: number): number => (random.chance(0.7) ? fraction : 0);
  const span = random.pick([5_000, 15_000, 30_000]);
  const traffic = trafficOptions({
    users: 1 + random.below(random.pick([3, 12])),
    events: EVENTS,
    seed: random.uint32(),
    start: EPOCH,
    span,
    duplicates: maybe(0.15),
    disorder: maybe(1_500),
    late: maybe(0.1),
    old: maybe(0.05),
    pending: maybe(0.15),
    expiredSessions: sessionTtl <= 20_000 ? maybe(0.1) : 0,
    malformed: maybe(0.05),
    outOfOrderness,
    ...rules,
    ...LIMITS,
  });
  return {
    seed,
    partitions,
    shards: 1 + random.below(3),
    bridges: 1 + random.below(3),
    workers: 1 + random.below(3),
    arrival,
    traffic,
    faults: planOf(random, arrival === 'live' ? span + 10_000 : 20_000),
    lostTasks: maybe(0.02),
    eviction: random.pick([0, 0.1, 0.5]),
    suggestAfter: random.pick([[2, 6], [5, 20], [1_000, 1_000]] as const),
    deadSessions,
    settings: {
      outOfOrderness,
      idleTimeout: 30_000,
      limits: LIMITS,
      rules: deadSessions > 0 ? { ...rules, lookupGiveUpAfter: 20_000 } : rules,
    },
  };
}

function planOf(random: Random, during: number): PlannedFault[] {
  // Some kinds only, in most runs.
  const kinds = random.chance(0.3) ? FAULTS : FAULTS.filter(() => random.chance(0.35));
  if (kinds.length === 0) return planOf(random, during);
  const count = FEWEST_FAULTS + random.below(8);
  return Array.from({ length: count }, () => ({
    at: random.below(during),
    fault: random.pick(kinds),
    lasts: random.pick([200, 2_000, 15_000]) + random.below(500),
  })).sort((a, b) => a.at - b.at);
}
