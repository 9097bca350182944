/**
 * Puts dead letters back on the partition where they were read, with the same key, value and headers. The timestamp is a
 * new one, or no record whose time has come could be used; with `keepTimestamp` it is the same one. To the bridge they are
 * new records. Each goes back together with the note that it did, in one transaction.
 */
import { decodeRecord } from '../../money/codec/decode.ts';
import { jsonDecoder, type ValueDecoder } from '../../engine/values/value.ts';
import type { Config } from '../../money/config.ts';
import { CodedError } from '../../engine/errors.ts';
import { INPUTS } from '../../money/domain/events.ts';
import { addOffset, hasOffset } from '../../engine/workflow/offset-ranges.ts';
import type { OffsetRanges } from '../../engine/workflow/offset-ranges.ts';
import { systemClock } from '../../engine/clock.ts';
import { batchesOf } from '../../engine/kafka/fitting.ts';
import { RefusedBatch, TopicRooms } from '../../engine/kafka/topic-rooms.ts';
import type { KafkaPort, OutRecord } from '../../engine/kafka/port.ts';
import type { DeadLetter } from './read.ts';
import { idOf } from './read.ts';
import { decodeRetried, encodeRetried } from './retried.ts';
import { retriedGroupOf } from '../../engine/naming.ts';

type RetryConfig = Pick<Config, 'appId' | 'topics' | 'maxRecordBytes' | 'maxFutureSkew'> &
  Partial<Pick<Config, 'readerSchemas'>>;

/** Of one transaction. */
const MAX_RECORDS = 500;
const MAX_BYTES = 700_000;

/** Header of a record that was put back: the place of the one that could not be used. */
const RETRY_HEADER = 'retry-of';

/** `retried-by`, `retried-at` (ISO time), and `retry-reason` where one was given. */
export type Stamp = Readonly<Record<string, string>>;

/** By partition of the dead-letter topic. */
export type Retried = readonly OffsetRanges[];

export async function readRetried(kafka: KafkaPort, config: RetryConfig, partitions: number): Promise<Retried> {
  const topic = config.topics.deadLetter;
  const asked = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const offsets = await kafka.committedOffsets(retriedGroupOf(config.appId), asked);
  return offsets.map(({ metadata }) => decodeRetried(metadata));
}

export interface Circumstances {
  readonly config: RetryConfig;
  readonly retried: Retried;
  /** Partition counts of the input topics by name; null for one that does not exist. */
  readonly partitions: ReadonlyMap<string, number | null>;
  /** Epoch ms. */
  readonly now: number;
  /** Also what was put back before, or would only come back. */
  readonly force: boolean;
  readonly keepTimestamp?: boolean;
}

/** Why this letter is not to be put back, or null. `decoder` knows what its value needs. */
export function objectionTo(
  letter: DeadLetter,
  { config, retried, partitions, now, force, keepTimestamp = false }: Circumstances,
  decoder: ValueDecoder = jsonDecoder,
): string | null {
  const { topic, partition, timestamp, timestampText } = letter.source;
  const input = INPUTS.find((one) => config.topics[one] === topic);
  if (input === undefined) return `"${topic}" is no input topic of this configuration`;
  const count = partitions.get(topic) ?? 0;
  if (partition < 0 || partition >= count) return `${topic} has no partition ${partition}`;
  if (letter.cut !== undefined) {
    return `it is not whole (${Object.keys(letter.cut).join(', ')} cut): read the record at ${topic}, partition ${partition}, offset ${letter.source.offset} while the topic keeps it, and produce it again`;
  }
  if (keepTimestamp && (timestamp < 0 || timestampText !== undefined)) {
    return `its timestamp (${timestampText ?? timestamp}) cannot be kept: put it back with a new one, without --keep-timestamp`;
  }
  if (force) return null;
  if (hasOffset(retried[letter.partition] ?? [], letter.offset)) {
    return 'it was put back before (--force does it again)';
  }
  const record = { key: letter.key, value: letter.value, timestamp: keepTimestamp ? timestamp : now };
  const result = decodeRecord(input, record, config, decoder);
  if (result.ok) return null;
  return `it would only come back as ${result.reason}: ${result.detail} (--force does it all the same)`;
}

/** A place that takes nothing now, and how many letters of it were not put back for that. */
export interface NotPutBack {
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
  readonly error: CodedError;
}

/**
 * Resolves with what could not be put back, by the partition that it is of: the others are put back all the same. What is committed is
 * noted, so the same retry can simply be run again. Errors: CodedError FENCED (another retry has begun), and any of the reading.
 */
export async function putBack(
  kafka: KafkaPort,
  config: RetryConfig,
  options: {
    readonly letters: readonly DeadLetter[];
    readonly retried: Retried;
    /** First offset of each partition of the dead-letter topic. */
    readonly starts: readonly number[];
    readonly keepTimestamp?: boolean;
    /** Headers that each gets besides: who put it back, when and why. */
    readonly stamp?: Stamp;
    /** How many are put back by now. */
    readonly onProgress?: (done: number) => void;
  },
): Promise<NotPutBack[]> {
  const { letters, starts, keepTimestamp = false, onProgress, stamp = {} } = options;
  if (letters.length === 0) return [];
  const id = retriedGroupOf(config.appId);
  const rooms = new TopicRooms(kafka, systemClock);
  const failed = new Map<string, NotPutBack>();
  let producer = await kafka.fence(id);
  try {
    // Another retry may have written between the reading and the fence; from here on nobody else does.
    const retried = await readRetried(kafka, config, options.retried.length);
    const before = options.retried;
    const fresh = letters.filter(
      ({ partition, offset }) =>
        hasOffset(before[partition] ?? [], offset) || !hasOffset(retried[partition] ?? [], offset),
    );
    let done = 0;
    const parts = transactionsOf(fresh);
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const { partition, source } = part[0];
      const place = placeOf(part[0]);
      const known = failed.get(place);
      if (known !== undefined && !(known.error instanceof RefusedBatch)) {
        // Its records stay in order.
        failed.set(place, { ...known, records: known.records + part.length });
        continue;
      }
      const ranges = [...(retried[partition] ?? [])];
      for (const { offset } of part) addOffset(ranges, offset);
      try {
        const transaction = await producer.begin();
        const records = part.map((letter) => recordOf(letter, keepTimestamp, stamp));
        const batches = await batchesOf(records, await rooms.of(source.topic));
        await rooms.send(transaction, source.topic, source.partition, batches);
        const start = starts[partition] ?? 0;
        const metadata = encodeRetried(ranges, start);
        await transaction.sendOffsets(id, [{ topic: config.topics.deadLetter, partition, offset: start, metadata }]);
        await transaction.commit();
      } catch (error) {
        if (!(error instanceof CodedError) || error.code === 'FENCED') throw error;
        if (error instanceof RefusedBatch && part.length > 1) {
          // One record that the topic does not take holds up none of the others.
          const half = part.length >> 1;
          parts.unshift(part.slice(0, half) as typeof part, part.slice(half) as typeof part);
        } else {
          const records = part.length + (known?.records ?? 0);
          failed.set(place, { topic: source.topic, partition: source.partition, records, error });
        }
        // A producer that has met an error is thrown away.
        await producer.close();
        producer = await kafka.fence(id);
        continue;
      }
      retried[partition]?.splice(0, Infinity, ...ranges);
      done += part.length;
      onProgress?.(done);
    }
    return [...failed.values()];
  } finally {
    await producer.close();
  }
}

function placeOf({ source }: DeadLetter): string {
  return `${source.topic}/${source.partition}`;
}

/** Letters of one partition each that go to one partition, in the order of offsets. */
function transactionsOf(letters: readonly DeadLetter[]): [DeadLetter, ...DeadLetter[]][] {
  const parts: [DeadLetter, ...DeadLetter[]][] = [];
  const open = new Map<string, { readonly part: [DeadLetter, ...DeadLetter[]]; bytes: number }>();
  for (const letter of letters.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)) {
    const size = (letter.key?.length ?? 0) + (letter.value?.length ?? 0) + 200;
    const between = `${letter.partition} ${placeOf(letter)}`;
    const last = open.get(between);
    if (last === undefined || last.part.length >= MAX_RECORDS || last.bytes + size > MAX_BYTES) {
      const part: [DeadLetter] = [letter];
      parts.push(part);
      open.set(between, { part, bytes: size });
    } else {
      last.part.push(letter);
      last.bytes += size;
    }
  }
  return parts;
}

function recordOf(letter: DeadLetter, keepTimestamp: boolean, stamp: Stamp): OutRecord {
  return {
    key: letter.key,
    value: letter.value,
    headers: { ...letter.headers, [RETRY_HEADER]: idOf(letter), ...stamp },
    ...(keepTimestamp && { timestamp: letter.source.timestamp }),
  };
}
