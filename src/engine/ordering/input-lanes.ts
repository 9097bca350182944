/**
 * The one reader of the inputs: from the batches that a group member delivers to the queues of whoever reads a partition of
 * all inputs (the bridge, and every tool that reads history). Batches of a lane are decoded and handed on in their order; a
 * lane whose batches wait for a schema, or of which enough is queued, is not fetched meanwhile.
 */
import type { Clock } from '../clock.ts';
import type { GroupMember, RecordBatch, TopicPartition } from '../kafka/port.ts';
import type { Logger } from '../log.ts';
import type { DecoderSource, ValueDecoder } from '../values/value.ts';
import type { DecodeInput } from './decoded.ts';
import { fetchedOf } from './fetched.ts';
import { laneOf, Lanes, placeOf, type HoldReason, type LaneLimit } from './lanes.ts';
import type { Fetched } from './merge-queue.ts';
import { WaitingBatches } from './waiting-batches.ts';
import type { InputIndex } from './watermark.ts';

/** One partition of all inputs, while it is read. Another object is another reading: batches for the one before are void. */
export interface PartitionReading<E> {
  /** The offset at which the next fetch of this input has to start. */
  nextFetch(input: InputIndex): number;
  /** Records that follow where the last ones ended, and the offset that comes next. */
  offer(input: InputIndex, records: readonly Fetched<E>[], next: number): void;
  queued(input: InputIndex): { readonly records: number; readonly bytes: number };
  /** Nothing more of this input is wanted. */
  fetched?(input: InputIndex): boolean;
  /** What is fetched of this input is of no use: it will be read anew. */
  closed?(input: InputIndex): boolean;
}

export interface InputLanesOptions<E> {
  readonly member: Pick<GroupMember, 'pause' | 'resume' | 'seek'>;
  readonly inputTopics: readonly string[];
  readonly decode: DecodeInput<E>;
  /** bytes of a value; what is larger is not decoded */
  readonly maxRecordBytes: number;
  readonly decoders: DecoderSource;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted: nothing is handed on any more. */
  readonly ended: AbortSignal;
  /** What is queued of a lane at most; the bridge's when absent. */
  readonly limit?: LaneLimit;
  /** Undefined for a partition that is not read. */
  readonly reading: (partition: number) => PartitionReading<E> | undefined;
  /** The records from `from` to before `to` went from the log before they were read. True: it is read on behind them. */
  readonly onGap: (partition: number, input: InputIndex, from: number, to: number) => boolean;
  readonly onOffered: (partition: number, input: InputIndex, records: number) => void;
  readonly onFailure: (error: unknown) => void;
}

export class InputLanes<E> {
  readonly #options: InputLanesOptions<E>;
  readonly #lanes: Lanes;
  readonly #waiting: WaitingBatches;

  constructor(options: InputLanesOptions<E>) {
    const { member, limit, decoders, clock, logger, ended, onFailure } = options;
    this.#options = options;
    this.#lanes = new Lanes(member, limit);
    this.#waiting = new WaitingBatches({
      decoders,
      clock,
      logger,
      ended,
      onWaiting: (lane) => this.#lanes.hold(placeOf(lane), 'schemas'),
      onCaughtUp: (lane) => this.#lanes.release(placeOf(lane), 'schemas'),
      onFailure,
    });
  }

  /** `partitions`: how many of each input this process has; what is queued is divided among them. */
  share(partitions: number): void {
    this.#lanes.share(partitions * this.#options.inputTopics.length);
  }

  lanesOf(partition: number): readonly TopicPartition[] {
    return this.#options.inputTopics.map((topic) => ({ topic, partition }));
  }

  /** Nothing of this partition is fetched. */
  hold(partition: number, why: HoldReason): void {
    for (const lane of this.lanesOf(partition)) this.#lanes.hold(lane, why);
  }

  release(partition: number, why: HoldReason): void {
    for (const lane of this.lanesOf(partition)) this.#lanes.release(lane, why);
  }

  /** The group has assigned anew: the member fetches everything again. */
  reset(): void {
    this.#lanes.reset();
  }

  /** As {@link forget}, of a partition that the group has taken away: nothing holds it any more. */
  drop(partition: number): void {
    for (const lane of this.lanesOf(partition)) {
      this.#waiting.forget(laneOf(lane));
      this.#lanes.drop(lane);
    }
  }

  /** What was fetched of it and not handed on is void. */
  forget(partition: number): void {
    for (const lane of this.lanesOf(partition)) {
      this.#waiting.forget(laneOf(lane));
      this.#lanes.release(lane, 'schemas');
      this.#lanes.release(lane, 'full');
    }
  }

  /** A batch of it waits for its decoder. */
  waits(partition: number, input: InputIndex): boolean {
    return this.#waiting.waits(laneOf({ topic: this.#options.inputTopics[input]!, partition }));
  }

  /** For people: undefined when nobody waits for a schema that does not come. */
  get problem(): string | undefined {
    return this.#waiting.problem;
  }

  /** The next fetch of each of its lanes starts where its reading goes on. */
  seek(partition: number): void {
    const { member, inputTopics, reading } = this.#options;
    const now = reading(partition);
    if (now !== undefined) {
      for (const [input, topic] of inputTopics.entries()) member.seek(topic, partition, now.nextFetch(input));
    }
  }

  offer(batch: RecordBatch): void {
    const { topic, partition, records } = batch;
    const { reading, ended, maxRecordBytes } = this.#options;
    const now = reading(partition);
    if (now === undefined || ended.aborted) return;
    // What is too large is not decoded, so nothing need be known of it.
    const values = records.flatMap(({ value }) => (value === null || value.length > maxRecordBytes ? [] : [value]));
    this.#waiting.take(laneOf({ topic, partition }), values, (decoder) => this.#decode(batch, now, decoder));
  }

  #decode(
    { topic, partition, fetchedFrom, next, records }: RecordBatch,
    reading: PartitionReading<E>,
    decoder: ValueDecoder,
  ): void {
    const { member, inputTopics, decode, ended, onGap, onOffered } = this.#options;
    if (ended.aborted || this.#options.reading(partition) !== reading) return;
    const input = inputTopics.indexOf(topic);
    if (reading.closed?.(input) === true) return;
    const expected = reading.nextFetch(input);
    if (fetchedFrom < expected) {
      // It was fetched before a seek, or belongs to a log that begins anew, which is noticed by its end: nothing is read twice.
      member.seek(topic, partition, expected);
      return;
    }
    if (fetchedFrom > expected && !onGap(partition, input, expected, fetchedFrom)) return;
    reading.offer(
      input,
      records.map((record) => fetchedOf(record, decode(input, record, decoder))),
      next,
    );
    onOffered(partition, input, records.length);
    this.balance(partition, reading);
  }

  /** Fetches what has room and is wanted. */
  balance(partition: number, reading: PartitionReading<E> | undefined = this.#options.reading(partition)): void {
    if (reading === undefined) return;
    for (const [input, topic] of this.#options.inputTopics.entries()) {
      if (reading.fetched?.(input) === true) this.#lanes.hold({ topic, partition }, 'fetched');
      else this.#lanes.queued({ topic, partition }, reading.queued(input));
    }
  }
}
