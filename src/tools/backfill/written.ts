/**
 * What the output topic of a backfill holds already, by the place of the money record. It only grows: each look goes on
 * where the one before ended.
 */
import { sourceIn } from '../../engine/workflow/output-headers.ts';
import { addOffset, hasOffset, type OffsetRanges } from '../../engine/workflow/offset-ranges.ts';
import { CodedError } from '../../engine/errors.ts';
import type { InRecord, KafkaPort } from '../../engine/kafka/port.ts';
import { rangesOf, scanTopic } from '../../engine/kafka/scan-topic.ts';

export class Written {
  readonly #kafka: KafkaPort;
  readonly #topic: string;
  readonly #groupPrefix: string;
  readonly #places = new Map<number, { readonly offsets: OffsetRanges; count: number }>();
  #positions: readonly number[] = [];
  #looking: Promise<void> = Promise.resolve();

  /** `groupPrefix`: of the consumer groups of its looks. */
  constructor(kafka: KafkaPort, topic: string, groupPrefix: string) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#groupPrefix = groupPrefix;
  }

  has(partition: number, offset: number): boolean {
    const known = this.#places.get(partition);
    return known !== undefined && hasOffset(known.offsets, offset);
  }

  /** Records of this input partition. */
  count(partition: number): number {
    return this.#places.get(partition)?.count ?? 0;
  }

  /** Reads up to the end that the topic has now. Errors: TOPIC (records of something else in it), KAFKA. */
  look(): Promise<void> {
    this.#looking = this.#looking.catch(() => undefined).then(() => this.#lookOnce());
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const kafka = this.#kafka;
    const topic = this.#topic;
    const groupPrefix = this.#groupPrefix;
    const ranges = (await rangesOf(kafka, topic)).map(({ from, end }, partition) => ({
      from: Math.max(from, this.#positions[partition] ?? 0),
      end,
    }));
    await scanTopic(kafka, {
      topic,
      groupPrefix,
      ranges,
      onRecord: (record, partition) => this.#take(record, partition),
    }).done;
    this.#positions = ranges.map(({ from, end }) => Math.max(from, end));
  }

  #take({ headers = {}, offset: at }: InRecord, inPartition: number): void {
    const source = sourceIn(headers);
    if (source === undefined || headers['incarnation'] !== undefined) {
      throw new CodedError(
        'TOPIC',
        `${this.#topic}, partition ${inPartition}, offset ${at} was not written by a backfill: name a topic that does not exist yet with --output-topic`,
      );
    }
    const { partition, offset } = source;
    let known = this.#places.get(partition);
    if (known === undefined) {
      known = { offsets: [], count: 0 };
      this.#places.set(partition, known);
    }
    if (hasOffset(known.offsets, offset)) return;
    addOffset(known.offsets, offset);
    known.count += 1;
  }
}
