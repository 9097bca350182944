/** What a kind of fault is: how it strikes, what it touches, and how it is made good again. */
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Log } from '../logged.ts';
import type { Scenario } from '../scenario.ts';
import type { SimSystem } from '../system.ts';
import type { Meddled } from '../meddled.ts';
import type { Operator } from '../operator.ts';
import type { Producers } from '../producers.ts';
import type { Scope, Touched } from '../touched.ts';

export interface World {
  readonly scheduler: Scheduler;
  readonly scenario: Scenario;
  readonly system: SimSystem;
  readonly log: Log;
  readonly producers: Producers;
  readonly operator: Operator;
  readonly meddled: Meddled;
  /** For what is over when something else happens. */
  readonly touched: Touched;
  /** Counts something that a fault has hit. */
  hit(what: string): void;
}

export interface Strike {
  readonly touches: readonly Scope[];
  /** ms that what it touched needs after its end until all goes on as before. */
  readonly recovery: number;
  /** ms that it lasts; at once over when absent. */
  readonly lasts?: number;
  /** Makes it good again. */
  readonly end?: () => void;
}

/** What faults of processes and servers need, whatever application runs there. */
export interface Machines {
  readonly scheduler: Scheduler;
  readonly scenario: Pick<Scenario, 'partitions' | 'shards'>;
  readonly system: Pick<SimSystem, 'kafka' | 'temporal' | 'pick' | 'start' | 'expire'>;
  hit(what: string): void;
}

/** Undefined when there was nothing to hit. `lasts`: ms, if it is one that lasts. */
export type CarryOut<W = World> = (world: W, lasts: number) => Strike | undefined;

/** ms until a consumer group goes on without a member that is gone, session and rebalance time-outs included, and has read what is behind. */
export const GROUP_RECOVERY = 60_000;
/** ms until whoever repeats something with back-off has noticed that it works again. */
export const RETRY_RECOVERY = 25_000;
/** ms from the decision of a person until a partition has read what is behind. */
export const DECISION_RECOVERY = 60_000;
/** ms: what lasts longer is an outage of the log that makes inputs idle. */
export const LONGEST_OUTAGE = 12_000;
