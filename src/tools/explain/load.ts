/** Reads the runs of a user's workflow that the server still has. Needs no worker. */
import type { Client } from '@temporalio/client';
import { decoderOf, messageOfFailure } from '../../engine/temporal/decode-payloads.ts';
import { orNothing, readRuns } from '../../engine/temporal/histories.ts';
import { recordedRun } from './recorded-run.ts';
import type { RecordedRun } from './recorded.ts';

/** An activity under way: its attempts are not in the history before it ends. */
export interface Attempt {
  readonly activityId: string;
  readonly attempt: number;
  readonly lastFailure?: string;
}

/** Oldest first, back to the first run or to the last one that retention left. Undefined: there is no such workflow. */
export async function loadRuns(client: Client, workflowId: string): Promise<RecordedRun[] | undefined> {
  const runs = await readRuns(client, workflowId);
  return runs && Promise.all(runs.map((run) => recordedRun(run, decoderOf(client))));
}

export async function loadAttempts(client: Client, workflowId: string): Promise<Attempt[]> {
  const description = await orNothing(client.workflow.getHandle(workflowId).describe());
  const decode = decoderOf(client);
  return Promise.all(
    (description?.raw.pendingActivities ?? []).map(async ({ activityId, attempt, lastFailure }) => {
      const message = await messageOfFailure(lastFailure, decode);
      return { activityId: activityId ?? '', attempt: attempt ?? 1, ...(message ? { lastFailure: message } : {}) };
    }),
  );
}
