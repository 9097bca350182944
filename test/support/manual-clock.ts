/** A clock that a test moves. Sleeps below a second pass by themselves, longer ones when the test says so. */
import type { Clock } from '../../src/engine/clock.ts';

const SHORT = 1_000;
const START = 1_700_000_000_000;

export class ManualClock implements Clock {
  #now = START;
  #step = 0;
  #sleepers: { until: number; wake: () => void }[] = [];

  now(): number {
    return this.#now + this.#step;
  }

  elapsed(): number {
    return this.#now - START;
  }

  /** The wall clock is set by so many ms, either way; no time passes. */
  step(ms: number): void {
    this.#step += ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    if (ms < SHORT) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      const sleeper = { until: this.#now + ms, wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', wake);
    });
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter(({ until }) => until <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ until }) => until > this.#now);
    for (const { wake } of due) wake();
  }
}
