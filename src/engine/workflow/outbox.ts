/**
 * The workflow's side of publishing: records that a workflow emits reach Kafka exactly once, in their order, whatever is
 * killed, retried, replayed or reset. They are numbered here; the publisher writes a number to Kafka once (its ledger).
 */
import { CancellationScope, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { partitionOf } from '../kafka/partitioner.ts';
import { taskQueueOf } from '../naming.ts';
import type { PublishRequest } from './publish-request.ts';
import { firstChunkOf } from './chunks.ts';
import { emitted, type Emitted } from './emitted.ts';
import type { Incarnation } from './ledger-types.ts';
import { lastBeforeReset, taskFailure } from './publish-failure.ts';

export interface OutboxOptions<R> {
  /** As the publisher's. */
  readonly appId: string;
  /** Partitions of the output topic, which never change. */
  readonly shards: number;
  /** The business key of the workflow, and the key of its output records: its shard is where that lives. */
  readonly key: string;
  /** {@link Outbox.carried} of the run before this one. */
  readonly carried?: OutboxState<R> | undefined;
}

/** Plain JSON. */
export interface OutboxState<R> {
  readonly incarnation: Incarnation;
  /** How often the workflow was continued as new. */
  readonly runs: number;
  /** Sequence number of the last published record. */
  readonly published: number;
  readonly unpublished: readonly R[];
}

/** Characters of a record as JSON: Temporal takes 2 MB of an activity's input. */
const MAX_CHARACTERS = 600_000;

/**
 * What one workflow has to publish. `emit` takes a record, `flush` resolves when all that was emitted is in Kafka, once and in this order,
 * and `carried` goes on to the next run: a record that was not flushed yet is published by that one.
 */
export class Outbox<R> {
  readonly #key: string;
  readonly #incarnation: Incarnation;
  readonly #run: { readonly number: number; readonly id: string };
  readonly #unpublished: Emitted<R>[];
  readonly #publish: (request: PublishRequest<Emitted<R>>) => Promise<unknown>;
  #published: number;
  #flushing: Promise<void> | undefined;

  constructor({ appId, shards, key, carried }: OutboxOptions<R>) {
    const { startTime, firstExecutionRunId, runId } = workflowInfo();
    this.#key = key;
    this.#incarnation = carried?.incarnation ?? { startedAt: startTime.getTime(), runId: firstExecutionRunId };
    this.#run = { number: carried?.runs ?? 0, id: runId.slice(0, 8) };
    this.#published = carried?.published ?? 0;
    this.#unpublished = (carried?.unpublished ?? []).map(emitted);
    const { publish } = proxyActivities<{ publish(request: PublishRequest<Emitted<R>>): Promise<unknown> }>({
      taskQueue: taskQueueOf(appId, partitionOf(key, shards)),
      startToCloseTimeout: 10_000,
      // While Kafka takes nothing the server repeats it, and no history grows.
      retry: { initialInterval: 200, maximumInterval: 5_000 },
    });
    this.#publish = publish;
  }

  /** JSON. Throws a RangeError for a record that no activity can carry. It is published by {@link flush}, or by the next run. */
  emit(record: R): void {
    const { length } = JSON.stringify(record);
    if (length > MAX_CHARACTERS) {
      throw new RangeError(`a record of ${length} characters: an outbox takes at most ${MAX_CHARACTERS}`);
    }
    this.#unpublished.push(emitted(record));
  }

  /**
   * Resolves when everything that was emitted is committed in Kafka, also in a workflow that was cancelled meanwhile. What cannot be
   * published by this workflow (another one of the same key has published, or the ledger was lost) is asked for again every minute:
   * the activity says what a person has to mend.
   */
  flush(): Promise<void> {
    this.#flushing ??= this.#publishAll().finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  async #publishAll(): Promise<void> {
    for (;;) {
      const outputs = firstChunkOf(this.#unpublished);
      if (outputs.length === 0) return;
      const first = this.#published + 1;
      try {
        const request = { key: this.#key, incarnation: this.#incarnation, stream: 'resolved', first, outputs } as const;
        // What is in Kafka already has to be known here, or the next record would have its number.
        await CancellationScope.nonCancellable(() => this.#publish({ ...request, run: this.#run }));
      } catch (error) {
        const last = lastBeforeReset(error);
        if (last === undefined) throw taskFailure(`Publishing ${outputs.length} records from ${first} on`, error);
        this.#published = last;
        continue;
      }
      this.#published += outputs.length;
      this.#unpublished.splice(0, outputs.length);
    }
  }

  /** What the next run is to be started with, when nothing is being flushed. */
  get carried(): OutboxState<R> {
    return {
      incarnation: this.#incarnation,
      runs: this.#run.number + 1,
      published: this.#published,
      unpublished: this.#unpublished.map(({ record }) => record),
    };
  }
}
