/**
 * How long the requests of a shard are collected for one transaction. A transaction costs the broker and the process about the same
 * whatever is in it, so where requests keep coming it pays to wait for the next ones; where they are few, it would only delay them.
 */
import type { Clock } from '../clock.ts';

/** Requests within a second from which on they are collected. */
const BUSY = 10;
/** ms: with 50 requests a second, two or three go together. */
const LINGER = 25;
/** Requests that share a transaction well enough already. */
const ENOUGH = 20;
/** ms over which requests are counted; older ones count less and less. */
const MEMORY = 1_000;

export class CommitPace {
  readonly #clock: Pick<Clock, 'elapsed'>;
  #recent = 0;
  #at = 0;

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  /** A request has come. */
  came(): void {
    this.#recent = this.#recentNow() + 1;
    this.#at = this.#clock.elapsed();
  }

  /** ms to wait before the next transaction begins. `waiting`: requests that are there. */
  linger(waiting: number): number {
    return waiting < ENOUGH && this.#recentNow() >= BUSY ? LINGER : 0;
  }

  #recentNow(): number {
    return this.#recent * Math.exp((this.#at - this.#clock.elapsed()) / MEMORY);
  }
}
