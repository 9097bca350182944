/** One process' way to the broker: requests, repeated ones, deadlines, all in the time of the simulation. */
import { CodedError } from '../../../src/engine/errors.ts';
import type { SimServer } from '../kernel/network.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { Unanswered } from './answers.ts';

export class Connection {
  readonly scheduler: Scheduler;
  readonly process: SimProcess;
  readonly #server: SimServer;

  constructor(scheduler: Scheduler, server: SimServer, process: SimProcess) {
    this.scheduler = scheduler;
    this.#server = server;
    this.process = process;
  }

  /** Errors: Refusal; Unanswered. */
  request<T>(what: string, handle: () => T | Promise<T>): Promise<T> {
    return this.#server.request(this.process, what, handle, (why) => new Unanswered(why));
  }

  /** Whether the broker can be reached now: heartbeats. */
  get reaches(): boolean {
    return this.#server.reaches(this.process);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.scheduler.after(ms, this.process, resolve));
  }

  /** Repeats a request until it is answered, `ms` have passed, or the error will stay. */
  async retrying<T>(ms: number, again: (error: unknown) => boolean, run: () => Promise<T>): Promise<T> {
    const until = this.scheduler.now + ms;
    for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
      try {
        return await run();
      } catch (error) {
        if (!again(error) || this.scheduler.now + wait >= until) throw error;
        await this.sleep(wait);
      }
    }
  }

  /** Rejects with CodedError KAFKA after `ms`; what `run` still does then is nobody's. */
  async deadline<T>(ms: number, what: string, run: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.scheduler.after(ms, this.process, () =>
        reject(new CodedError('KAFKA', `${what}: no answer within ${ms} ms`)),
      );
      run()
        .finally(() => timer.cancel())
        .then(resolve, reject);
    });
  }
}
