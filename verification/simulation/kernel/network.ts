/**
 * Requests and answers between processes and the servers (Kafka, Temporal, the session service): delayed, lost on the
 * way there (it was never carried out) or on the way back (it was), refused while the server is down.
 */
import type { SimProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';

/** Chances of each, per request; all zero when the world is healed. */
export interface NetworkFaults {
  lostRequest: number;
  lostAnswer: number;
  /** Of a request or an answer that takes long: up to `longDelay` ms. */
  slow: number;
  longDelay: number;
}

export const NO_FAULTS: NetworkFaults = { lostRequest: 0, lostAnswer: 0, slow: 0, longDelay: 0 };

/** ms of a request or an answer that is not slow. */
const LATENCY = 8;
/** ms until a process notices that it is not answered. */
const TIMEOUT = { from: 1_000, to: 6_000 };

export class SimServer {
  readonly name: string;
  faults: NetworkFaults = { ...NO_FAULTS };
  /** Requests and answers lost so far. */
  readonly counts = { requests: 0, lostRequests: 0, lostAnswers: 0, refused: 0 };
  readonly #scheduler: Scheduler;
  #up = true;
  /** Which start of the server this is: what an earlier one was answering is lost. */
  #life = 0;
  readonly #cutOff = new Set<SimProcess>();

  constructor(scheduler: Scheduler, name: string) {
    this.#scheduler = scheduler;
    this.name = name;
  }

  get up(): boolean {
    return this.#up;
  }

  /** SIGKILL: what is on disk stays, what was being answered is not. */
  stop(): void {
    this.#up = false;
    this.#life += 1;
    this.#scheduler.trace.add(this.name, () => 'is down');
  }

  start(): void {
    this.#up = true;
    this.#scheduler.trace.add(this.name, () => 'is up');
  }

  /** Nothing passes between them until it is {@link join}ed. */
  cut(process: SimProcess): void {
    this.#cutOff.add(process);
    this.#scheduler.trace.add(this.name, () => `is cut off from ${process.name}`);
  }

  join(process: SimProcess): void {
    this.#cutOff.delete(process);
  }

  reaches(process: SimProcess): boolean {
    return this.#up && !this.#cutOff.has(process);
  }

  /**
   * Carries `handle` out at the server when the request arrives; what it answers, or throws, arrives at the process.
   * A request that got no answer rejects with `unanswered`; the same when the server cannot be reached.
   */
  request<T>(
    process: SimProcess,
    what: string,
    handle: () => T | Promise<T>,
    unanswered: (why: string) => Error,
  ): Promise<T> {
    const scheduler = this.#scheduler;
    const { random, trace } = scheduler;
    this.counts.requests += 1;
    return new Promise<T>((resolve, reject) => {
      let over = false;
      const settle = (delay: number, run: () => void): void => {
        scheduler.after(delay, process, () => {
          if (over) return;
          over = true;
          deadline.cancel();
          run();
        });
      };
      const deadline = scheduler.after(TIMEOUT.from + random.below(TIMEOUT.to - TIMEOUT.from), process, () => {
        if (over) return;
        over = true;
        reject(unanswered(`${what}: no answer in time`));
      });
      const life = this.#life;
      if (random.chance(this.faults.lostRequest)) {
        this.counts.lostRequests += 1;
        trace.add(process.name, () => `${what}: the request is lost`);
        return;
      }
      scheduler.after(this.#delay(), null, () => {
        if (!this.reaches(process) || life !== this.#life) {
          this.counts.refused += 1;
          settle(1, () => reject(unanswered(`${what}: ${this.name} cannot be reached`)));
          return;
        }
        const answer = (run: () => void): void => {
          if (random.chance(this.faults.lostAnswer) || !this.reaches(process) || life !== this.#life) {
            this.counts.lostAnswers += 1;
            trace.add(process.name, () => `${what}: the answer is lost`);
            return;
          }
          settle(this.#delay(), run);
        };
        try {
          const handled = handle();
          if (handled instanceof Promise) {
            handled.then(
              (value) => answer(() => resolve(value)),
              (error: unknown) => answer(() => reject(error as Error)),
            );
          } else answer(() => resolve(handled));
        } catch (error) {
          answer(() => reject(error as Error));
        }
      });
    });
  }

  #delay(): number {
    const { random } = this.#scheduler;
    return random.chance(this.faults.slow)
      ? random.below(this.faults.longDelay + 1)
      : 1 + Math.floor(this.#scheduler.skewed() * LATENCY);
  }
}
