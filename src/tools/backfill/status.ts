/** How far a backfill is, over all its processes on all machines: from the marks that they commit. */
import type { KafkaPort } from '../../engine/kafka/port.ts';
import { decodeMark, lengthOf, MARKED } from './progress-mark.ts';
import type { BackfillSettings } from './backfill-partition.ts';

export interface BackfillStatus {
  readonly done: boolean;
  readonly partitions: number;
  /** Partitions that are done. */
  readonly partitionsDone: number;
  /** Offsets of the three inputs read, and in all: without partitions that were not begun and have no leader now. */
  readonly read: number;
  readonly total: number;
  /** Offsets read of the partitions that are done. */
  readonly readDone: number;
  /** Records in the output topic. */
  readonly written: number;
  readonly deadLetters: number;
  readonly duplicates: number;
  readonly late: number;
  readonly lookedUp: number;
  readonly incomplete: number;
  /** Lookups that wait for an answer. */
  readonly open: number;
  /** Records that were added to the inputs since the backfill began, which it does not read; without partitions that have no leader now. */
  readonly added: number;
}

type Settings = Pick<BackfillSettings, 'groupId' | 'inputTopics'> & { readonly partitions: number };

/** Errors: CodedError KAFKA. */
export async function readStatus(
  kafka: KafkaPort,
  { groupId, inputTopics, partitions }: Settings,
): Promise<BackfillStatus> {
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const marked = inputTopics[MARKED]!;
  const [committed, bounds] = await Promise.all([
    kafka.committedOffsets(
      groupId,
      all.map((partition) => ({ topic: marked, partition })),
    ),
    // How far it is does not depend on a partition that has no leader now.
    kafka.endOffsets(
      all.flatMap((partition) => inputTopics.map((topic) => ({ topic, partition }))),
      { partial: true },
    ),
  ]);
  const status = {
    partitionsDone: 0,
    read: 0,
    readDone: 0,
    total: 0,
    written: 0,
    deadLetters: 0,
    duplicates: 0,
    late: 0,
    lookedUp: 0,
    incomplete: 0,
    open: 0,
    added: 0,
  };
  for (const partition of all) {
    const mark = decodeMark(committed.find((row) => row.partition === partition)?.metadata ?? '');
    const own = bounds.filter((bound) => bound.partition === partition);
    const here = own.reduce((sum, { start, end }) => sum + end - start, 0);
    status.total += mark === undefined ? here : lengthOf(mark);
    if (mark === undefined) continue;
    if (mark.done) {
      status.partitionsDone += 1;
      status.readDone += mark.read;
    }
    if (own.length === inputTopics.length) {
      status.added += own.reduce((sum, { end }) => sum + end, 0) - mark.ends.reduce((sum, end) => sum + end, 0);
    }
    for (const name of [
      'read',
      'written',
      'deadLetters',
      'duplicates',
      'late',
      'lookedUp',
      'incomplete',
      'open',
    ] as const) {
      status[name] += mark[name];
    }
  }
  return { ...status, partitions, done: status.partitionsDone === partitions };
}
