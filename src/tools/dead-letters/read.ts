/** Reads the dead-letter topic from its beginning to the end that it had at the start, and commits nothing. */
import { randomUUID } from 'node:crypto';
import { ownHeaders, readDeadLetterHeaders } from '../../engine/bridge/dead-letter.ts';
import type { Cut, RecordSource } from '../../engine/bridge/dead-letter.ts';
import type { Rejection } from '../../engine/ordering/rejection.ts';
import { jsonDecoders, type DecoderSource, type ValueDecoder } from '../../engine/values/value.ts';
import { CodedError } from '../../engine/errors.ts';
import { watchGone } from '../../engine/kafka/gone.ts';
import type { KafkaPort, RecordBatch, RecordHeaders } from '../../engine/kafka/port.ts';

export interface DeadLetter extends Rejection {
  /** Place in the dead-letter topic. */
  readonly partition: number;
  readonly offset: number;
  readonly source: RecordSource;
  /** What it lacks of its record; absent when nothing. */
  readonly cut?: Cut;
  /** The record's own. */
  readonly headers?: RecordHeaders;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface DeadLetterReading {
  readonly appId: string;
  readonly topic: string;
  /** Called in the order of offsets within a partition. What it throws ends the reading. */
  readonly onLetter: (letter: DeadLetter, decoder: ValueDecoder) => void;
  /** For `onLetter`; of JSON when absent. That nobody answers it ends the reading. */
  readonly decoders?: DecoderSource;
  /** Offsets passed so far and in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ReadingResult {
  /** Records of the topic that are no dead letters of this product. */
  readonly foreign: number;
  /** First offset of each partition. */
  readonly starts: readonly number[];
}

/** `topic/partition/offset` of the record that could not be used: how people name a dead letter. */
export function idOf({ source }: Pick<DeadLetter, 'source'>): string {
  return `${source.topic}/${source.partition}/${source.offset}`;
}

/** Errors: CodedError TOPIC (it does not exist), KAFKA. */
export async function readDeadLetters(kafka: KafkaPort, reading: DeadLetterReading): Promise<ReadingResult> {
  const { topic, appId, onLetter, onProgress, decoders = jsonDecoders } = reading;
  const [count] = await kafka.partitionCounts([topic]);
  if (!count) {
    throw new CodedError('TOPIC', `the topic "${topic}" does not exist: create it with "money-enrichment topics"`);
  }
  const bounds = await kafka.endOffsets(Array.from({ length: count }, (_, partition) => ({ topic, partition })));
  const open = new Map(bounds.filter(({ start, end }) => end > start).map(({ partition, end }) => [partition, end]));
  const total = bounds.reduce((sum, { start, end }) => sum + end - start, 0);
  const starts = bounds.toSorted((a, b) => a.partition - b.partition).map(({ start }) => start);
  // A member that joins once more begins at the starts again: what was passed is not passed twice.
  const passed = new Map(bounds.map(({ partition, start }) => [partition, start]));
  let foreign = 0;
  let done = 0;

  const take = async (batch: RecordBatch): Promise<void> => {
    const decoder = await decoders.decoderFor(batch.records.flatMap(({ value }) => value ?? []));
    const end = open.get(batch.partition);
    if (end === undefined) return;
    const from = passed.get(batch.partition) ?? 0;
    for (const { offset, key, value, headers } of batch.records) {
      if (offset >= end) break;
      if (offset < from) continue;
      const why = readDeadLetterHeaders(headers ?? {});
      if (why === null) foreign++;
      else {
        onLetter(
          { ...why, headers: ownHeaders(headers ?? {}), partition: batch.partition, offset, key, value },
          decoder,
        );
      }
    }
    const next = Math.max(from, Math.min(batch.next, end));
    passed.set(batch.partition, next);
    done += next - from;
    if (batch.next >= end) open.delete(batch.partition);
    onProgress?.(done, total);
  };

  if (open.size > 0) {
    // A group of its own, gone with its only member: other readers are not disturbed.
    const member = kafka.joinGroup({ groupId: `${appId}-dead-letters-${randomUUID()}`, topics: [topic] });
    let unwatch = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        unwatch = watchGone(kafka, {
          awaited: () =>
            [...open.keys()].map((partition) => ({ topic, partition, next: (open.get(partition) ?? 0) - 1 })),
          // Letters that are deleted while they are listed are not listed.
          onGone: ({ partition }) => {
            open.delete(partition);
            if (open.size === 0) resolve();
          },
          onError: reject,
        });
        const onRecords = async (batch: RecordBatch): Promise<void> => {
          try {
            await take(batch);
          } catch (error) {
            reject(error);
          }
          if (open.size === 0) resolve();
        };
        member.start({ onAssigned: async () => undefined, onRecords, onCrash: reject }).catch(reject);
      });
    } finally {
      unwatch();
      await member.stop();
    }
  }
  return { foreign, starts };
}
