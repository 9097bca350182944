/**
 * Threads for workflows that are started before they are needed. A Temporal worker runs its workflows in a thread, whose start takes
 * a third of a second of processor, and more on a machine that is busy: who takes a shard over has one at once, of those that were
 * started in a quiet moment. A spare thread has 35 MB of memory.
 *
 * The SDK has no such option. Its Worker makes the thread in a method of its class (1.24: worker.js, `createWorkflowCreator`), which
 * is replaced here; where a later one does not call it, nothing is lost but the time.
 */
import { Worker, type WorkerOptions } from '@temporalio/worker';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';

/** What the SDK makes of a bundle: the thread, with the code of the workflows. */
export interface WorkflowThread {
  destroy(): Promise<void>;
}

type Start = () => Promise<WorkflowThread>;

/** The part of the SDK's Worker that is used here. */
export interface SdkWorker {
  new (...args: never[]): object;
  create(options: WorkerOptions): Promise<Worker>;
  createWorkflowCreator(bundle: { readonly code: string }, ...rest: readonly unknown[]): Promise<WorkflowThread>;
}

/** Shards that change hands at a time are few. */
const MOST = 2;
/** ms in which no shard changes hands: replays of those that were just taken have the processor for themselves. */
const QUIET = 5_000;

export class SpareThreads {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #Worker: SdkWorker;
  readonly #closing = new AbortController();
  readonly #spares: WorkflowThread[] = [];
  /** Of the first worker that was made: those of older versions of the workflows are few, and soon gone. */
  #code: string | undefined;
  #start: Start | undefined;
  #wanted = 0;
  #changedAt = -Infinity;
  #filling: Promise<void> | undefined;

  constructor(clock: Clock, logger: Logger, SdkClass = Worker as unknown as SdkWorker) {
    this.#clock = clock;
    this.#logger = logger;
    this.#Worker = SdkClass;
  }

  get spares(): number {
    return this.#spares.length;
  }

  /** `shards`: those that this process has not, and may get. */
  expect(shards: number): void {
    // Who has just been given them all is about to take the spare ones.
    this.#changedAt = this.#clock.elapsed();
    this.#wanted = Math.min(MOST, shards);
    this.#fill();
  }

  /**
   * A worker of the SDK, which takes its thread from here. The SDK forgets the thread of one that cannot be made, as where its server
   * does not answer; it is ended here: there is an attempt every few seconds.
   */
  async create(options: WorkerOptions): Promise<Worker> {
    let taken: WorkflowThread | undefined;
    const take = async (code: string, start: Start): Promise<WorkflowThread> => (taken = await this.take(code, start));
    const Taking = class extends this.#Worker {
      static override createWorkflowCreator(
        ...args: Parameters<SdkWorker['createWorkflowCreator']>
      ): Promise<WorkflowThread> {
        return take(args[0].code, () => super.createWorkflowCreator(...args));
      }
    };
    try {
      return await Taking.create(options);
    } catch (error) {
      if (taken !== undefined) await this.#end(taken);
      throw error;
    }
  }

  /** A spare one, or one that is started now. Errors: those of the SDK. */
  take(code: string, start: Start): Promise<WorkflowThread> {
    this.#changedAt = this.#clock.elapsed();
    this.#code ??= code;
    if (code !== this.#code) return start();
    this.#start = start;
    const spare = this.#spares.shift();
    this.#fill();
    return spare === undefined ? start() : Promise.resolve(spare);
  }

  /** Ends the spare ones; those that were taken are their worker's. Never throws. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#filling;
    await Promise.all(this.#spares.splice(0).map((thread) => this.#end(thread)));
  }

  /** One that has failed may refuse; whoever ends it has other things to do then. */
  async #end(thread: WorkflowThread): Promise<void> {
    await thread.destroy().catch((error: unknown) => {
      this.#logger.debug({ error: messageOf(error) }, 'a thread for workflows was not ended in good order');
    });
  }

  /** How many more of them there should be; less than 0: how many too many. */
  get #missing(): number {
    return this.#start === undefined ? 0 : this.#wanted - this.#spares.length;
  }

  #fill(): void {
    if (this.#missing !== 0 && !this.#closing.signal.aborted) this.#filling ??= this.#filled();
  }

  async #filled(): Promise<void> {
    const { signal } = this.#closing;
    try {
      while (this.#missing !== 0 && !signal.aborted) {
        const quietIn = this.#changedAt + QUIET - this.#clock.elapsed();
        if (quietIn > 0) await this.#clock.sleep(quietIn, signal);
        else if (this.#missing < 0) await this.#end(this.#spares.pop()!);
        else this.#spares.push(await this.#start!());
      }
    } catch (error) {
      this.#logger.warn({ error: messageOf(error) }, 'no spare thread for workflows: a takeover starts its own');
    } finally {
      this.#filling = undefined;
    }
  }
}
