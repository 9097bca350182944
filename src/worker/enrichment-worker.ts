/**
 * The worker process: it owns shards as a member of the ledger's consumer group, and runs one Temporal worker for each
 * shard while its publisher is ready. A failure gives everything back and joins anew, with back-off, until it is told
 * to stop.
 */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { Ownership, OwnershipOptions } from '../publish/ownership.ts';
import { keepRunning } from '../keep-running.ts';
import type { ShardWorker } from './shard-worker.ts';

export interface EnrichmentWorkerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly createOwnership: (handlers: Pick<OwnershipOptions, 'onTaken' | 'onLost' | 'onCrash'>) => Ownership;
  readonly startShardWorker: (shard: number, publisher: Publisher, onFailure: (error: unknown) => void) => Promise<ShardWorker>;
}

/** ms for what must end by itself: the SDK gives a worker 15 s to stop, leaving the group has 5 s. */
const STUCK_AFTER = 60_000;

export class EnrichmentWorker {
  private readonly deps: EnrichmentWorkerDeps;
  private readonly stopping = new AbortController();
  private readonly shards = new Map<number, Promise<ShardWorker>>();
  private problem: string | undefined = 'not joined yet';
  /** What is under way and must come to an end. */
  private readonly underWay = new Set<{ readonly what: string; readonly since: number }>();

  constructor(deps: EnrichmentWorkerDeps) {
    this.deps = deps;
  }

  get notReady(): string | undefined {
    return this.problem;
  }

  /**
   * Why only a restart can help. A shard that is owned has a Temporal worker that runs; while it has not, that worker is
   * being started or stopped, and neither may last. Undefined when all is well, or the worker waits for Kafka.
   */
  get notLive(): string | undefined {
    const now = this.deps.clock.elapsed();
    for (const { what, since } of this.underWay) {
      if (now - since > STUCK_AFTER) return `${what} has not ended in ${Math.floor((now - since) / 1_000)} s`;
    }
    return undefined;
  }

  get shardsOwned(): number {
    return this.shards.size;
  }

  /** Runs until {@link stop}; throws only what no retry can mend. */
  run(onReady?: () => void): Promise<void> {
    return keepRunning({
      ...this.deps,
      stopping: this.stopping.signal,
      attempt: () => this.runMember(onReady),
      onProblem: (problem) => (this.problem = problem),
      message: 'the worker lost its shards and takes them again',
    });
  }

  /** Ends the tasks that run, gives the shards back; {@link run} returns. */
  stop(): void {
    this.stopping.abort();
  }

  private async runMember(onReady?: () => void): Promise<void> {
    const { createOwnership, startShardWorker, logger } = this.deps;
    let fail: (error: unknown) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => (fail = reject));
    failed.catch(() => undefined);
    const ownership = createOwnership({
      onTaken: (shard, publisher) => {
        if (this.stopping.signal.aborted) return;
        const worker = this.mustEnd(`starting the worker of shard ${shard}`, startShardWorker(shard, publisher, fail));
        this.shards.set(shard, worker);
        worker.then(() => logger.info({ shard }, 'shard taken'), fail);
      },
      onLost: (shard) => {
        logger.info({ shard }, 'shard lost');
        void this.stopShard(shard);
      },
      onCrash: fail,
    });
    try {
      const stopped = new Promise<void>((resolve) => {
        if (this.stopping.signal.aborted) resolve();
        this.stopping.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      // A join can take long, as after the crash of another member; it is given up when told to stop.
      await Promise.race([ownership.start(), failed, stopped]);
      if (this.stopping.signal.aborted) return;
      this.problem = undefined;
      onReady?.();
      await Promise.race([failed, stopped]);
    } finally {
      await Promise.all([...this.shards.keys()].map((shard) => this.stopShard(shard)));
      await this.mustEnd('giving the shards back', ownership.stop());
    }
  }

  private async stopShard(shard: number): Promise<void> {
    const worker = this.shards.get(shard);
    this.shards.delete(shard);
    if (worker === undefined) return;
    await this.mustEnd(`stopping the worker of shard ${shard}`, worker.then((started) => started.stop())).catch(() => undefined);
  }

  private mustEnd<T>(what: string, work: Promise<T>): Promise<T> {
    const entry = { what, since: this.deps.clock.elapsed() };
    this.underWay.add(entry);
    const ended = () => void this.underWay.delete(entry);
    work.then(ended, ended);
    return work;
  }
}
