/** A Temporal worker that is started again, with back-off, when it fails or cannot start: what fails in one holds up no other. */
import { untilAborted, type Clock } from '../clock.ts';
import { keepRunning } from '../process/keep-running.ts';
import type { Logger } from '../log.ts';
import type { TemporalWorker } from './temporal-worker.ts';

export interface KeptWorkerOptions {
  /** For people: `the worker of shard 3`. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly start: (onFailure: (error: unknown) => void) => Promise<TemporalWorker>;
  /** Told of everything that must come to an end. */
  readonly mustEnd: <T>(what: string, work: Promise<T>) => Promise<T>;
  /** It cannot be kept: no retry can mend this. */
  readonly onFatal: (error: unknown) => void;
}

export class KeptWorker {
  readonly #options: KeptWorkerOptions;
  readonly #stopping = new AbortController();
  readonly #over: Promise<void>;
  #problem: string | undefined;

  constructor(options: KeptWorkerOptions) {
    this.#options = options;
    const { name, clock, logger, onFatal } = options;
    this.#over = keepRunning({
      clock,
      logger,
      stopping: this.#stopping.signal,
      attempt: (works) => this.#attempt(works),
      onProblem: (problem) => (this.#problem = `${name} does not run: ${problem}`),
      message: `${name} failed and is started again`,
    }).catch(onFatal);
  }

  /** Why it does not run; undefined while it does, or is being started for the first time. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Never throws. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#over;
  }

  async #attempt(works: () => void): Promise<void> {
    const { name, start, mustEnd, logger } = this.#options;
    let fail: (error: unknown) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => (fail = reject));
    failed.catch(() => undefined);
    const worker = await mustEnd(`starting ${name}`, start(fail));
    try {
      works();
      if (this.#problem !== undefined) logger.info(`${name} runs again`);
      this.#problem = undefined;
      await Promise.race([failed, untilAborted(this.#stopping.signal)]);
    } finally {
      await mustEnd(`stopping ${name}`, worker.stop());
    }
  }
}
