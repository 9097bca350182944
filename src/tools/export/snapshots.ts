/** All that is known of one user: asked of its running workflow, or folded from what Temporal recorded. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from '../../../workflows/life.ts';
import { QUERIES } from '../../../workflows/messages.ts';
import { CodedError } from '../../engine/errors.ts';
import { standingOf } from '../explain/fold.ts';
import { recordedRun } from '../explain/recorded-run.ts';
import { decoderOf } from '../../engine/temporal/decode-payloads.ts';
import { newestRun } from '../../engine/temporal/histories.ts';
import type { TemporalClient } from '../../engine/temporal/connection.ts';
import { queryWorkflow } from '../query.ts';

export interface Taken {
  readonly snapshot: Snapshot;
  /** Signals that are recorded and that no worker has applied: not in the snapshot. */
  readonly unapplied: number;
}

/** A way to take the snapshot of a workflow; undefined when it is not there any more. Errors: CodedError that names the workflow. */
export type Take = (workflowId: string) => Promise<Taken | undefined>;

/** Between applying and having published, a workflow has no state to go on from; ms. */
const ASK_AGAIN_AFTER = 100;
const ASK_TIMES = 50;

/** Needs a worker, and costs it a replay of what is not in its cache. */
export function fromWorkflows(temporal: TemporalClient): Take {
  return async (workflowId) => {
    for (let time = 0; time < ASK_TIMES; time++) {
      const snapshot = await queryWorkflow<Snapshot | null>(temporal, workflowId, QUERIES.snapshot).catch(
        nothingIfGone,
      );
      if (snapshot === undefined) return undefined;
      if (snapshot !== null) return { snapshot, unapplied: 0 };
      await sleep(ASK_AGAIN_AFTER);
    }
    throw new CodedError(
      'UNREACHABLE',
      `"${workflowId}" was publishing each of the ${ASK_TIMES} times that it was asked: is Kafka reachable for its worker?`,
    );
  };
}

/** Needs no worker: the newest run begins with what was carried into it, and its recorded events are applied to that again. */
export function fromHistory({ client }: TemporalClient): Take {
  return async (workflowId) => {
    for (let time = 0; time < ASK_TIMES; time++) {
      const run = await newestRun(client, workflowId);
      if (run === undefined) return undefined;
      const recorded = await recordedRun(run, decoderOf(client));
      const { life, unapplied, settled } = await standingOf(recorded);
      if (settled) return { snapshot: { userId: recorded.start.userId, life }, unapplied };
      await sleep(ASK_AGAIN_AFTER);
    }
    throw new CodedError(
      'UNREACHABLE',
      `"${workflowId}" has begun to publish and it is not recorded that it is done: let a worker finish that first`,
    );
  };
}

/** It ended after it was listed. */
function nothingIfGone(error: unknown): undefined {
  const { cause } = error as { readonly cause?: unknown };
  if (cause instanceof Error && cause.name === 'WorkflowNotFoundError') return undefined;
  throw error;
}
