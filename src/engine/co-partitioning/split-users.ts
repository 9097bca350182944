/** Users that are met in two partitions of the inputs. Reads keys only: what is a user of which is said by the producers' partitioners. */
import { scanTopic } from '../kafka/scan-topic.ts';
import { EnrichmentError } from '../errors.ts';
import type { KafkaPort } from '../kafka/port.ts';
import { UserPlaces } from './user-places.ts';

export interface SplitUser {
  readonly userId: string;
  readonly topic: string;
  readonly partitions: readonly [number, number];
}

export interface SplitUsers {
  /** The first of them. */
  readonly example: SplitUser | undefined;
  /** Records in another partition than where their user was met first. */
  readonly records: number;
}

export interface LookForSplits {
  readonly inputTopics: readonly string[];
  readonly groupPrefix: string;
  /** Of each partition only so many of the last offsets; all when absent. */
  readonly newest?: number;
  readonly stopping: AbortSignal;
  readonly onProgress?: (passed: number, total: number) => void;
}

const QUOTE = 0x22;
const USER_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The user of a key, in lower case; undefined for a key that no record can be used with. */
export function userOfKey(key: Buffer | null): string | undefined {
  if (key === null || (key.length !== 36 && key.length !== 38)) return undefined;
  const quoted = key.length === 38;
  if (quoted && (key[0] !== QUOTE || key[37] !== QUOTE)) return undefined;
  const text = key.toString('latin1', quoted ? 1 : 0, quoted ? 37 : 36).toLowerCase();
  return USER_ID.test(text) ? text : undefined;
}

/** Errors: EnrichmentError KAFKA; the reason of `stopping`. */
export async function findSplitUsers(kafka: KafkaPort, { inputTopics, groupPrefix, newest = Infinity, stopping, onProgress }: LookForSplits): Promise<SplitUsers> {
  const places = new UserPlaces();
  let example: SplitUser | undefined;
  let records = 0;
  const all = await Promise.all(inputTopics.map(async (topic) => ({ topic, ranges: await rangesOf(kafka, topic, newest) })));
  const total = all.reduce((sum, { ranges }) => sum + ranges.reduce((offsets, { from, end }) => offsets + end - from, 0), 0);
  stopping.throwIfAborted();
  const scans = all.map(({ topic, ranges }) =>
    scanTopic(kafka, {
      topic, groupPrefix, ranges,
      onRecord({ key }, partition) {
        const userId = userOfKey(key);
        const first = userId === undefined ? undefined : places.meet(userId, partition);
        if (first === undefined) return;
        records += 1;
        example ??= { userId: userId!, topic, partitions: [first, partition] };
      },
    }),
  );
  const stop = (): void => scans.forEach((scan) => scan.abort(stopping.reason));
  stopping.addEventListener('abort', stop, { once: true });
  const timer = setInterval(() => onProgress?.(scans.reduce((sum, { passed }) => sum + passed, 0), total), 500);
  try {
    await Promise.all(scans.map(({ done }) => done));
  } finally {
    for (const scan of scans) scan.abort(undefined);
    clearInterval(timer);
    stopping.removeEventListener('abort', stop);
  }
  return { example, records };
}

async function rangesOf(kafka: KafkaPort, topic: string, newest: number): Promise<{ from: number; end: number }[]> {
  const [count] = await kafka.partitionCounts([topic]);
  const bounds = await kafka.endOffsets(Array.from({ length: count ?? 0 }, (_, partition) => ({ topic, partition })));
  return bounds.toSorted((a, b) => a.partition - b.partition).map(({ start, end }) => ({ from: Math.max(start, end - newest), end }));
}

/** For people. */
export function describeSplit({ example, records }: SplitUsers, workflowId: (userId: string) => string): string {
  const { userId, topic, partitions } = example!;
  return (
    `users are met in two partitions, in ${records} records: the one of workflow "${workflowId(userId)}" in partitions ${partitions.join(' and ')} (seen in ${topic}). ` +
    'The state of such users depends on which partition is read first. Let all producers use one partitioner and one form of the key, bare or in double quotes, and copy the history into topics that are partitioned so'
  );
}

/** Throws EnrichmentError CHECK_FAILED when there are such users. */
export async function assertNoSplitUsers(kafka: KafkaPort, looking: LookForSplits, workflowId: (userId: string) => string): Promise<void> {
  const found = await findSplitUsers(kafka, looking);
  if (found.example === undefined) return;
  throw new EnrichmentError('CHECK_FAILED', `${describeSplit(found, workflowId)}; or go on knowingly with --allow-split-users. Nothing was started or written`);
}
