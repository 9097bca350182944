/**
 * A process of the operating system: everything that reaches the code in it (timers, answers, deliveries) passes here.
 * Killed, nothing reaches it any more. Paused, all of it waits, and comes in its order when the process goes on: a
 * zombie that knows nothing of what happened meanwhile.
 */
import type { Clock } from '../../../src/engine/clock.ts';
import { EPOCH, type Scheduler } from './scheduler.ts';

export class SimProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly #scheduler: Scheduler;
  #state: 'running' | 'paused' | 'dead' = 'running';
  #backlog: (() => void)[] = [];
  readonly #onDeath: (() => void)[] = [];
  /** ms by which its wall clock is ahead of the true time. */
  #skew = 0;

  constructor(scheduler: Scheduler, name: string) {
    this.#scheduler = scheduler;
    this.name = name;
    this.clock = {
      now: () => scheduler.now + this.#skew,
      elapsed: () => scheduler.now - EPOCH,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted === true) return resolve();
          const timer = scheduler.after(ms, this, done);
          signal?.addEventListener('abort', done, { once: true });
          function done(): void {
            timer.cancel();
            signal?.removeEventListener('abort', done);
            resolve();
          }
        }),
    };
  }

  get alive(): boolean {
    return this.#state !== 'dead';
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  /** Whether it takes the event now. A paused process takes it later. */
  accepts(run: () => void): boolean {
    if (this.#state === 'paused') this.#backlog.push(run);
    return this.#state === 'running';
  }

  /** Somebody sets its wall clock: by `ms`, forwards or backwards. Time passes in it as before. */
  stepClock(ms: number): void {
    this.#skew += ms;
    this.#scheduler.trace.add(this.name, () => `its clock steps by ${ms} ms`);
  }

  /** SIGKILL. */
  kill(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#backlog = [];
    this.#scheduler.trace.add(this.name, () => 'killed');
    for (const told of this.#onDeath) told();
  }

  /** The sockets of a dead process are closed by its kernel: others notice. */
  onDeath(told: () => void): void {
    this.#onDeath.push(told);
  }

  /** SIGSTOP. */
  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#scheduler.trace.add(this.name, () => 'paused');
  }

  /** SIGCONT. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#scheduler.trace.add(this.name, () => `goes on with ${this.#backlog.length} events behind`);
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const run of backlog) this.#scheduler.after(0, this, run);
  }
}
