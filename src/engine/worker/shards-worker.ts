/**
 * A worker process: it owns shards as a member of the ledger's consumer group, and keeps one Temporal worker for each
 * shard while its publisher is ready, and one beside them for what is no shard's. A worker that fails is started again by
 * itself; the loss of the membership gives everything back and joins anew, with back-off, until it is told to stop.
 */
import { untilAborted, type Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { Ownership, OwnershipOptions } from '../publish/ownership.ts';
import { Membership, type Service } from '../process/service.ts';
import { KeptWorker } from './kept-worker.ts';
import type { TemporalWorker } from './temporal-worker.ts';
import type { Identified } from '../workflow/publish-request.ts';

export interface ShardsWorkerDeps<R extends Identified> {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly createOwnership: (handlers: Pick<OwnershipOptions<R>, 'onTaken' | 'onLost' | 'onCrash'>) => Ownership;
  readonly startShardWorker: (
    shard: number,
    publisher: Publisher<R>,
    onFailure: (error: unknown) => void,
  ) => Promise<TemporalWorker>;
  /** For what is no shard's; `name` for people. */
  readonly beside?: {
    readonly name: string;
    readonly start: (onFailure: (error: unknown) => void) => Promise<TemporalWorker>;
  };
}

/** ms for what must end by itself: the SDK gives a worker 15 s to stop, leaving the group has 5 s. */
const STUCK_AFTER = 60_000;

export class ShardsWorker<R extends Identified> implements Service {
  readonly #deps: ShardsWorkerDeps<R>;
  readonly #membership: Membership;
  readonly #shards = new Map<number, KeptWorker>();
  #beside: KeptWorker | undefined;
  /** Workers of shards that are not ours any more, until they have stopped. */
  readonly #stoppingShards = new Set<Promise<void>>();
  /** What is under way and must come to an end. */
  readonly #underWay = new Set<{ readonly what: string; readonly since: number }>();

  constructor(deps: ShardsWorkerDeps<R>) {
    this.#deps = deps;
    this.#membership = new Membership({
      ...deps,
      message: 'the worker lost its shards and takes them again',
      attempt: (joined, stopping) => this.#runMember(joined, stopping),
    });
  }

  get notReady(): string | undefined {
    return (
      this.#membership.problem ??
      [this.#beside, ...this.#shards.values()].find((worker) => worker?.problem !== undefined)?.problem
    );
  }

  /**
   * Why only a restart can help. A shard that is owned has a Temporal worker that runs; while it has not, that worker is
   * being started or stopped, and neither may last. Undefined when all is well, or the worker waits for Kafka.
   */
  get notLive(): string | undefined {
    const now = this.#deps.clock.elapsed();
    for (const { what, since } of this.#underWay) {
      if (now - since > STUCK_AFTER) return `${what} has not ended in ${Math.floor((now - since) / 1_000)} s`;
    }
    return undefined;
  }

  /** Shards that it owns. */
  get holds(): number {
    return this.#shards.size;
  }

  /** Of these, those whose Temporal worker failed and does not run again yet. */
  get shardsFailing(): number {
    return [...this.#shards.values()].filter(({ problem }) => problem !== undefined).length;
  }

  run(onReady?: () => void): Promise<void> {
    return this.#membership.run(onReady);
  }

  /** Ends the tasks that run, and gives the shards back. */
  stop(): void {
    this.#membership.stop();
  }

  async #runMember(joined: () => void, stopping: AbortSignal): Promise<void> {
    const { createOwnership, startShardWorker, beside, logger } = this.#deps;
    let fail: (error: unknown) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => (fail = reject));
    failed.catch(() => undefined);
    const ownership = createOwnership({
      onTaken: (shard, publisher) => {
        if (stopping.aborted) return;
        const start = (onFailure: (error: unknown) => void): Promise<TemporalWorker> =>
          startShardWorker(shard, publisher, onFailure);
        this.#shards.set(shard, this.#keep(`the worker of shard ${shard}`, start, fail));
        logger.info({ shard }, 'shard taken');
      },
      onLost: (shard) => {
        logger.info({ shard }, 'shard lost');
        void this.#stopShard(shard);
      },
      onCrash: fail,
    });
    if (beside !== undefined) this.#beside = this.#keep(beside.name, beside.start, fail);
    try {
      const stopped = untilAborted(stopping);
      // A join can take long, as after the crash of another member; it is given up when told to stop.
      await Promise.race([ownership.start(), failed, stopped]);
      if (stopping.aborted) return;
      joined();
      await Promise.race([failed, stopped]);
    } finally {
      // It may wait for who does not answer, while others could have the shards already.
      const besideStopped = this.#beside?.stop();
      await Promise.all([...this.#shards.keys()].map((shard) => this.#stopShard(shard)));
      await this.#mustEnd('giving the shards back', ownership.stop());
      // Of shards that were lost just before: whoever ends the process closes the connection that they use.
      await Promise.all([besideStopped, ...this.#stoppingShards]);
    }
  }

  #keep(
    name: string,
    start: (onFailure: (error: unknown) => void) => Promise<TemporalWorker>,
    onFatal: (error: unknown) => void,
  ): KeptWorker {
    const { clock, logger } = this.#deps;
    return new KeptWorker({ name, clock, logger, start, onFatal, mustEnd: (what, work) => this.#mustEnd(what, work) });
  }

  async #stopShard(shard: number): Promise<void> {
    const worker = this.#shards.get(shard);
    this.#shards.delete(shard);
    if (worker === undefined) return;
    const stopped = worker.stop().finally(() => this.#stoppingShards.delete(stopped));
    this.#stoppingShards.add(stopped);
    await stopped;
  }

  #mustEnd<T>(what: string, work: Promise<T>): Promise<T> {
    const entry = { what, since: this.#deps.clock.elapsed() };
    this.#underWay.add(entry);
    const ended = () => void this.#underWay.delete(entry);
    work.then(ended, ended);
    return work;
  }
}
