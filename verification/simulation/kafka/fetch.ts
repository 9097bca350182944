/** What a fetch of one partition is answered with, and when there is something to be had. */
import type { Random } from '../../../src/engine/random.ts';
import type { RecordBatch } from '../../../src/engine/kafka/port.ts';
import type { SimPartition } from './partition.ts';

/** Entries of the log in the answer, at most: kafkajs asks for bytes, so that it may be few. */
const LARGE = 300;
const SMALL = 4;

/** `position`: where to go on; from the start when there is none. */
export function hasMore(partition: SimPartition, position: number | undefined): boolean {
  if (!partition.led) return false;
  if (position === undefined) return partition.lastStable > partition.start;
  return position < partition.lastStable || position > partition.end;
}

/** At the broker. */
export function fetchFrom(
  random: Random,
  partition: SimPartition,
  from = partition.start,
): RecordBatch | 'out of range' {
  const { topic, partition: number, lastStable } = partition;
  if (!partition.led) return { topic, partition: number, fetchedFrom: from, end: from, next: from, records: [] };
  if (from < partition.start || from > partition.end) return 'out of range';
  const count = 1 + random.below(random.chance(0.3) ? SMALL : LARGE);
  return { topic, partition: number, fetchedFrom: from, end: lastStable, ...partition.read(from, count) };
}
