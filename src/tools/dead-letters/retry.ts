/**
 * Puts dead letters back on the partition where they were read, with the same key, value and headers. The timestamp is a
 * new one, or no record whose time has come could be used; with `keepTimestamp` it is the same one. To the bridge they are
 * new records. Each goes back together with the note that it did, in one transaction.
 */
import { decodeRecord } from '../../money/codec/decode.ts';
import { jsonDecoder, type ValueDecoder } from '../../engine/values/value.ts';
import type { Config } from '../../money/config.ts';
import { INPUTS } from '../../money/domain/events.ts';
import { addOffset, hasOffset } from '../../engine/workflow/offset-ranges.ts';
import type { OffsetRanges } from '../../engine/workflow/offset-ranges.ts';
import { systemClock } from '../../engine/clock.ts';
import { batchesOf } from '../../engine/kafka/fitting.ts';
import { TopicRooms } from '../../engine/kafka/topic-rooms.ts';
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

/**
 * Resolves with the number put back. Errors: CodedError KAFKA or FENCED; what was committed before stays put back
 * and is noted, so the same retry can simply be run again.
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
    readonly onProgress?: (done: number) => void;
  },
): Promise<number> {
  const { letters, starts, keepTimestamp = false, onProgress, stamp = {} } = options;
  if (letters.length === 0) return 0;
  const rooms = new TopicRooms(kafka, systemClock);
  const producer = await kafka.fence(retriedGroupOf(config.appId));
  try {
    // Another retry may have written between the reading and the fence; from here on nobody else does.
    const retried = await readRetried(kafka, config, options.retried.length);
    const before = options.retried;
    const fresh = letters.filter(
      ({ partition, offset }) =>
        hasOffset(before[partition] ?? [], offset) || !hasOffset(retried[partition] ?? [], offset),
    );
    let done = 0;
    for (const part of transactionsOf(fresh)) {
      const { partition } = part[0];
      const ranges = [...(retried[partition] ?? [])];
      for (const { offset } of part) addOffset(ranges, offset);
      const transaction = await producer.begin();
      for (const [place, records] of bySource(part, keepTimestamp, stamp)) {
        await rooms.send(
          transaction,
          place.topic,
          place.partition,
          await batchesOf(records, await rooms.of(place.topic)),
        );
      }
      const start = starts[partition] ?? 0;
      const metadata = encodeRetried(ranges, start);
      const note = { topic: config.topics.deadLetter, partition, offset: start, metadata };
      await transaction.sendOffsets(retriedGroupOf(config.appId), [note]);
      await transaction.commit();
      retried[partition]?.splice(0, Infinity, ...ranges);
      done += part.length;
      onProgress?.(done);
    }
    return done;
  } finally {
    await producer.close();
  }
}

/** Letters of one partition each, in the order of offsets. */
function transactionsOf(letters: readonly DeadLetter[]): [DeadLetter, ...DeadLetter[]][] {
  const parts: [DeadLetter, ...DeadLetter[]][] = [];
  let bytes = 0;
  for (const letter of letters.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)) {
    const size = (letter.key?.length ?? 0) + (letter.value?.length ?? 0) + 200;
    const last = parts.at(-1);
    if (
      last === undefined ||
      last[0].partition !== letter.partition ||
      last.length >= MAX_RECORDS ||
      bytes + size > MAX_BYTES
    ) {
      parts.push([letter]);
      bytes = size;
    } else {
      last.push(letter);
      bytes += size;
    }
  }
  return parts;
}

function bySource(
  letters: readonly DeadLetter[],
  keepTimestamp: boolean,
  stamp: Stamp,
): [{ topic: string; partition: number }, OutRecord[]][] {
  const groups = new Map<string, [{ topic: string; partition: number }, OutRecord[]]>();
  for (const letter of letters) {
    const { topic, partition, timestamp } = letter.source;
    const group = groups.get(`${topic}/${partition}`) ?? [{ topic, partition }, []];
    group[1].push({
      key: letter.key,
      value: letter.value,
      headers: { ...letter.headers, [RETRY_HEADER]: idOf(letter), ...stamp },
      ...(keepTimestamp && { timestamp }),
    });
    groups.set(`${topic}/${partition}`, group);
  }
  return [...groups.values()];
}
