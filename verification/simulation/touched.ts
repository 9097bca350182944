/**
 * What the faults touch, and for how long. Each says it of itself when it strikes; whatever is untouched has to make
 * progress (progress.ts), whatever else is broken.
 */
import type { Scheduler } from './kernel/scheduler.ts';

/** `lookups`: answers of the session service. */
export type Scope = 'everything' | 'lookups' | `partition ${number}` | `shard ${number}` | `user ${string}`;

interface Interval {
  readonly from: number;
  /** Infinity while it lasts. */
  to: number;
}

export class Touched {
  readonly #scheduler: Scheduler;
  readonly #intervals = new Map<Scope, Interval[]>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** From now until what is returned is called, and `recovery` ms more. */
  begin(scopes: readonly Scope[], recovery: number): () => void {
    const interval: Interval = { from: this.#scheduler.now, to: Infinity };
    for (const scope of scopes) this.#intervals.set(scope, [...(this.#intervals.get(scope) ?? []), interval]);
    return () => {
      if (interval.to === Infinity) interval.to = this.#scheduler.now + recovery;
    };
  }

  /** ms between two moments in which none of these was touched. */
  untouched(from: number, to: number, scopes: readonly Scope[]): number {
    const intervals = scopes.flatMap((scope) => this.#intervals.get(scope) ?? []).sort((a, b) => a.from - b.from);
    let free = 0;
    let at = from;
    for (const interval of intervals) {
      if (interval.from >= to) break;
      free += Math.max(0, interval.from - at);
      at = Math.max(at, interval.to);
    }
    return free + Math.max(0, to - at);
  }
}
