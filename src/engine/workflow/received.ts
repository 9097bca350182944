/** The workflow's side of the bridge: of what a signal brings, what was not applied before. Pure, and safe in the workflow sandbox. */
import { Redeliveries, type Redelivery } from './redelivery.ts';

/** One signal of the bridge. */
export interface ReceivedBatch<E> {
  /** The business key that the workflow is of. */
  readonly key: string;
  readonly partition: number;
  /** Kafka offsets, one for each input: below them the bridge had everything of this key acknowledged. */
  readonly lowWater: readonly number[];
  /** Names of the logs that the offsets are of, one for each input; absent where they are not known. */
  readonly logs?: readonly string[];
  /** In the order of application. */
  readonly records: readonly ReceivedRecord<E>[];
}

export interface ReceivedRecord<E> {
  /** Index of its input, as the bridge was given them. */
  readonly input: number;
  readonly offset: number;
  /** Event time, epoch ms. */
  readonly ts: number;
  /** Set only for late records: the watermark when the record was read, epoch ms. */
  readonly late?: number;
  readonly event: E;
}

/**
 * Which records a workflow has applied: each coordinate (input, log, partition, offset) once, for ever, whatever is signalled
 * again. Small: it holds only what the bridge has in flight of this key.
 */
export class Received {
  readonly #redelivery: Redelivery;

  /** `carried`: {@link carried} of the run before this one. */
  constructor(carried: Redelivery = {}) {
    this.#redelivery = carried;
  }

  /** Notes the records of a batch as applied, and returns those that had not been, in the order of application. */
  admit<E>({ partition, lowWater, logs, records }: ReceivedBatch<E>): ReceivedRecord<E>[] {
    const names = lowWater.map((_, input) => String(input));
    const redeliveries = new Redeliveries(names);
    const source = {
      partition,
      ...(logs && { logs: Object.fromEntries(logs.map((log, input) => [String(input), log])) }),
    };
    redeliveries.raiseLowWater(this.#redelivery, source, lowWater);
    return records.filter(({ input, offset }) =>
      redeliveries.noteApplied(this.#redelivery, source, String(input), offset),
    );
  }

  /** What the next run is to be started with. Plain JSON. */
  get carried(): Redelivery {
    return this.#redelivery;
  }
}
