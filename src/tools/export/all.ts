/** The snapshots of all users, several at a time, in no order. */
import type { Snapshot } from '../../../workflows/life.ts';
import { CodedError, messageOf } from '../../engine/errors.ts';
import { concurrently } from '../../engine/concurrently.ts';
import type { Take, Taken } from './snapshots.ts';

/** When that many fail and none succeeded, there is a reason that all others share. */
const FAILED_AT_FIRST = 20;

export interface Told {
  /** After each user. */
  onTaken?(taken: number): void;
  /** The message names the workflow. */
  onFailed?(message: string): void;
}

export interface Sum {
  taken: number;
  failed: number;
  /** Users with signals that no worker has applied yet. */
  unapplied: number;
}

/** One user that fails costs no other one. Errors: those of `workflowIds`; CodedError UNREACHABLE when the first twenty fail. */
export async function* allSnapshots(
  workflowIds: AsyncIterable<string>,
  take: Take,
  concurrency: number,
  sum: Sum,
  { onTaken, onFailed }: Told = {},
): AsyncGenerator<Snapshot> {
  const outcomes = concurrently(
    workflowIds,
    concurrency,
    async (workflowId): Promise<{ taken?: Taken | undefined; error?: unknown; workflowId: string }> => {
      try {
        return { workflowId, taken: await take(workflowId) };
      } catch (error) {
        return { workflowId, error };
      }
    },
  );
  for await (const { workflowId, taken, error } of outcomes) {
    if (error !== undefined) {
      sum.failed += 1;
      const message = error instanceof CodedError ? error.message : `"${workflowId}": ${messageOf(error)}`;
      if (sum.taken === 0 && sum.failed >= FAILED_AT_FIRST) {
        throw new CodedError('UNREACHABLE', `the first ${FAILED_AT_FIRST} users all failed: ${message}`, {
          cause: error,
        });
      }
      onFailed?.(message);
    } else if (taken !== undefined) {
      sum.taken += 1;
      if (taken.unapplied > 0) sum.unapplied += 1;
      onTaken?.(sum.taken);
      yield taken.snapshot;
    }
  }
}
