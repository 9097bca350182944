/** Keys that are met in two partitions of the inputs: which partition a key is in is said by the producers' partitioners. Reads keys only. */
import { scanTopic } from '../kafka/scan-topic.ts';
import { CodedError } from '../errors.ts';
import type { KafkaPort } from '../kafka/port.ts';
import { KeyPlaces } from './key-places.ts';

interface SplitKey {
  readonly key: string;
  readonly topic: string;
  readonly partitions: readonly [number, number];
}

export interface SplitKeys {
  /** The first of them. */
  readonly example: SplitKey | undefined;
  /** Records in another partition than where their key was met first. */
  readonly records: number;
}

export interface LookForSplits {
  readonly inputTopics: readonly string[];
  readonly groupPrefix: string;
  /** What the application means by a record's key; undefined for one that no record can be used with. */
  readonly keyOf: (key: Buffer | null) => string | undefined;
  /** Of each partition only so many of the last offsets; all when absent. */
  readonly newest?: number;
  readonly stopping: AbortSignal;
  readonly onProgress?: (passed: number, total: number) => void;
}

/** Errors: CodedError KAFKA; the reason of `stopping`. */
export async function findSplitKeys(
  kafka: KafkaPort,
  { inputTopics, groupPrefix, keyOf, newest = Infinity, stopping, onProgress }: LookForSplits,
): Promise<SplitKeys> {
  const places = new KeyPlaces();
  let example: SplitKey | undefined;
  let records = 0;
  const all = await Promise.all(
    inputTopics.map(async (topic) => ({ topic, ranges: await rangesOf(kafka, topic, newest) })),
  );
  const total = all.reduce(
    (sum, { ranges }) => sum + ranges.reduce((offsets, { from, end }) => offsets + end - from, 0),
    0,
  );
  stopping.throwIfAborted();
  const scans = all.map(({ topic, ranges }) =>
    scanTopic(kafka, {
      topic,
      groupPrefix,
      ranges,
      onRecord(record, partition) {
        const key = keyOf(record.key);
        const first = key === undefined ? undefined : places.meet(key, partition);
        if (first === undefined) return;
        records += 1;
        example ??= { key: key!, topic, partitions: [first, partition] };
      },
    }),
  );
  const stop = (): void => scans.forEach((scan) => scan.abort(stopping.reason));
  stopping.addEventListener('abort', stop, { once: true });
  const timer = setInterval(
    () =>
      onProgress?.(
        scans.reduce((sum, { passed }) => sum + passed, 0),
        total,
      ),
    500,
  );
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
  return bounds
    .toSorted((a, b) => a.partition - b.partition)
    .map(({ start, end }) => ({ from: Math.max(start, end - newest), end }));
}

/** For people. */
export function describeSplit({ example, records }: SplitKeys, workflowId: (key: string) => string): string {
  const { key, topic, partitions } = example!;
  return (
    `keys are met in two partitions, in ${records} records: the one of workflow "${workflowId(key)}" in partitions ${partitions.join(' and ')} (seen in ${topic}). ` +
    'The state of such workflows depends on which partition is read first. Let all producers use one partitioner and one form of the key, and copy the history into topics that are partitioned so'
  );
}

/** Throws CodedError CHECK_FAILED when there are such keys. `otherwise`: what else may be done, for the end of its sentence. */
export async function assertNoSplitKeys(
  kafka: KafkaPort,
  looking: LookForSplits,
  workflowId: (key: string) => string,
  otherwise = '',
): Promise<void> {
  const found = await findSplitKeys(kafka, looking);
  if (found.example === undefined) return;
  throw new CodedError('CHECK_FAILED', `${describeSplit(found, workflowId)}${otherwise}`);
}
