/**
 * What a seed stands for: how large the system is, what the traffic is like, which faults there are and how often. Every
 * seed switches some of it off, so that what is rare in the mixture of everything is common in some runs.
 *
 * There are two plans. `mixture`: many faults of many kinds, short and on top of each other, which ask whether everything is
 * exact. `neighbours`: few faults that last and touch one partition, shard, user or service, which ask whether all others
 * go on (progress.ts).
 */
import type { MoneyBridgeSettings } from '../../src/money/bridge/settings.ts';
import { trafficOptions, type TrafficOptions } from '../../src/tools/generate/options.ts';
import { Random } from '../../src/engine/random.ts';
import type { Fault } from './faults/kinds.ts';
import { EPOCH } from './kernel/scheduler.ts';
import { boundsOf, type BoundsPlan } from './state-bounds.ts';
import { TEMPORAL_LIMITS, type TemporalLimits } from './temporal/limits.ts';
import type { Slots } from './temporal/shard-worker.ts';
import type { Limits } from '../../src/money/codec/decode.ts';

/** Kinds of faults that strike for a moment, or all of a server; any number of them on top of each other. */
const COARSE = [
  'kill bridge',
  'kill worker',
  'pause bridge',
  'pause worker',
  'stop bridge',
  'stop worker',
  'kafka down',
  'temporal down',
  'cut from kafka',
  'cut from temporal',
  'rebalance bridges',
  'rebalance workers',
  'fence shard',
  'fence triple',
  'lossy kafka',
  'lossy temporal',
  'slow kafka',
  'slow temporal',
  'sessions down',
  'retention',
  'compaction',
  'one more worker',
] as const satisfies Fault[];

/** Kinds that touch something of their own and leave all else alone. A seed has few of them. */
const NARROW = [
  'no leader',
  'no replicas',
  'leader moves',
  'coordinator moves',
  'sessions slow',
  'sessions hang',
  'sessions talk nonsense',
  'clock steps',
  'unread records deleted',
  'input compacted',
  'transaction left open',
  'garbage signal',
  'unknown signal',
  'flood of unknown signals',
  'input made anew',
  'input made anew from a copy',
  'all inputs made anew',
  'log cut below the place',
  'log cut below what is read',
  'unread money deleted',
  'workflow reset',
  'workflow terminated',
  'other partitioner',
] as const satisfies Fault[];

/** Kinds that replace a log while it is written; producers wait meanwhile. */
const REPLACING: ReadonlySet<Fault> = new Set<Fault>([
  'input made anew',
  'input made anew from a copy',
  'all inputs made anew',
  'log cut below the place',
  'log cut below what is read',
]);
/** Kinds after which nobody knows by which effective time something late would come. */
const UNTIMELY: ReadonlySet<Fault> = new Set<Fault>([
  ...REPLACING,
  'unread money deleted',
  'workflow terminated',
  'unread records deleted',
  'transaction left open',
]);

/** What the product does not stand yet. The one place to switch a kind on. */
const SWITCHED_OFF: ReadonlySet<Fault> = new Set<Fault>([]);

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
  readonly plan: 'mixture' | 'neighbours';
  /** `backlog`: all is in the topics before anything starts; `live`: it comes while it runs. */
  readonly arrival: 'backlog' | 'live';
  readonly traffic: TrafficOptions;
  readonly faults: readonly PlannedFault[];
  /** ms from the start to the moment when all is healed. */
  readonly healAt: number;
  readonly lostTasks: number;
  readonly eviction: number;
  readonly suggestAfter: readonly [number, number];
  readonly slots: Slots;
  readonly temporalLimits: TemporalLimits;
  /** Bytes of a batch that the dead-letter topic takes. */
  readonly deadLetterBatchBytes: number;
  /** Requests to the session service that a worker has under way at a time. */
  readonly lookupsAtATime: number;
  /** Fraction of sessions that the session service never answers for; then it is reliable for the others. */
  readonly deadSessions: number;
  /** What the bounds of a state are made of: as in production, or so few that users of a seed reach them. */
  readonly boundsPlan: BoundsPlan;
  readonly settings: Pick<MoneyBridgeSettings, 'outOfOrderness' | 'idleTimeout' | 'rules'> & {
    readonly limits: Limits;
  };
}

const EVENTS = 220;
const FEWEST_FAULTS = 14;
const LIMITS = { maxRecordBytes: 20_000, maxFutureSkew: 3_600_000 };
/** ms; longer than any outage of an input of either plan: see DESIGN.md. */
const IDLE = { mixture: 30_000, neighbours: 120_000 };
const PLENTY: Slots = { tasks: 50, activities: 100, localActivities: 100 };

/** `narrow`: the kinds to draw from instead of all that are switched on. */
export function scenarioOf(
  seed: number,
  narrow: readonly string[] = NARROW.filter((kind) => !SWITCHED_OFF.has(kind)),
): Scenario {
  const random = new Random(seed);
  const possible = NARROW.filter((kind) => narrow.includes(kind));
  const plan = possible.length > 0 && random.chance(0.35) ? 'neighbours' : 'mixture';
  const arrival = random.chance(0.5) ? 'backlog' : 'live';
  const partitions = 1 + random.below(3);
  const outOfOrderness = 2_000;
  const sessionTtl = random.pick([5_000, 20_000, 600_000]);
  const rules = {
    sessionTtl,
    dedupTtl: random.pick([2_000, 10_000, 60_000]),
    pendingTimeout: random.pick([4_000, 15_000]),
    lookupGiveUpAfter: 600_000,
  };
  const deadSessions = random.chance(0.15) ? 0.3 : 0;
  const { boundsPlan, bounds, without } = boundsOf(seed, deadSessions > 0);
  const maybe = (fraction: number): number => (random.chance(0.7) ? fraction : 0);
  const span = plan === 'neighbours' ? 90_000 : random.pick([5_000, 15_000, 30_000]);
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
    ...without,
  });
  const faults =
    plan === 'neighbours'
      ? neighboursPlan(random, possible)
      : mixturePlan(random, possible, arrival === 'live' ? span + 10_000 : 20_000);
  return {
    seed,
    partitions,
    shards: 1 + random.below(3),
    bridges: 1 + random.below(3),
    workers: 1 + random.below(3),
    plan,
    arrival: plan === 'neighbours' && faults.some(({ fault }) => REPLACING.has(fault)) ? 'live' : arrival,
    traffic: faults.some(({ fault }) => UNTIMELY.has(fault)) ? { ...traffic, late: 0 } : traffic,
    faults,
    healAt: Math.max(...faults.map(({ at, lasts }) => (plan === 'neighbours' ? at + lasts : at))) + 100,
    lostTasks: plan === 'neighbours' ? 0 : maybe(0.02),
    eviction: random.pick([0, 0.1, 0.5]),
    suggestAfter: random.pick([
      [2, 6],
      [5, 20],
      [1_000, 1_000],
    ] as const),
    slots: random.chance(0.3) ? { tasks: 4, activities: 3, localActivities: 4 } : PLENTY,
    temporalLimits: TEMPORAL_LIMITS,
    deadLetterBatchBytes: random.pick([Infinity, 100_000, 3_000]),
    lookupsAtATime: random.pick([3, 64]),
    deadSessions,
    boundsPlan,
    settings: {
      outOfOrderness,
      idleTimeout: IDLE[plan],
      limits: LIMITS,
      rules: { ...rules, bounds, ...(deadSessions > 0 && { lookupGiveUpAfter: 20_000 }) },
    },
  };
}

function mixturePlan(random: Random, possible: readonly Fault[], during: number): PlannedFault[] {
  // Some kinds only, in most runs.
  const coarse = random.chance(0.3) ? COARSE : COARSE.filter(() => random.chance(0.35));
  const kinds: Fault[] = [...coarse, ...few(random, possible, random.below(3))];
  if (kinds.length === 0) return mixturePlan(random, possible, during);
  const count = FEWEST_FAULTS + random.below(8);
  return Array.from({ length: count }, () => ({
    at: random.below(during),
    fault: random.pick(kinds),
    lasts: random.pick([200, 2_000, 15_000]) + random.below(500),
  })).sort((a, b) => a.at - b.at);
}

/** One kind or two, each for as long as a neighbour would have to notice. */
function neighboursPlan(random: Random, possible: readonly Fault[]): PlannedFault[] {
  const kinds = few(random, possible, 1 + random.below(2));
  return Array.from({ length: 2 + random.below(4) }, () => ({
    at: 30_000 + random.below(40_000),
    fault: random.pick(kinds),
    lasts: random.pick([20_000, 60_000]) + random.below(10_000),
  })).sort((a, b) => a.at - b.at);
}

function few(random: Random, kinds: readonly Fault[], count: number): Fault[] {
  return kinds.length === 0 ? [] : Array.from({ length: count }, () => random.pick(kinds));
}
