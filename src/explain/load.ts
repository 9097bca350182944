/** Reads the runs of a user's workflow that the server still has. Needs no worker. */
import type { Payload } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import { dataConverter } from '../payload-codec.ts';
import { recordedRun, type RecordedRun } from './recorded.ts';

/** Status of gRPC. */
const NOT_FOUND = 5;

/** An activity under way: its attempts are not in the history before it ends. */
export interface Attempt {
  readonly activityId: string;
  readonly attempt: number;
  readonly lastFailure?: string;
}

/** Oldest first, back to the first run or to the last one that retention left. Undefined: there is no such workflow. */
export async function loadRuns(client: Client, workflowId: string): Promise<RecordedRun[] | undefined> {
  const runs: RecordedRun[] = [];
  let runId: string | undefined;
  for (;;) {
    const history = await orNothing(client.workflow.getHandle(workflowId, runId).fetchHistory());
    const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
    if (!history || !started) return runId === undefined ? undefined : runs;
    runs.unshift(await recordedRun({ runId: runId ?? started.originalExecutionRunId ?? '', history }, decode));
    if (!started.continuedExecutionRunId) return runs;
    runId = started.continuedExecutionRunId;
  }
}

export async function loadAttempts(client: Client, workflowId: string): Promise<Attempt[]> {
  const description = await orNothing(client.workflow.getHandle(workflowId).describe());
  return (description?.raw.pendingActivities ?? []).map(({ activityId, attempt, lastFailure }) => ({
    activityId: activityId ?? '', attempt: attempt ?? 1, ...(lastFailure?.message ? { lastFailure: lastFailure.message } : {}),
  }));
}

async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  const { WorkflowNotFoundError, isGrpcServiceError } = await import('@temporalio/client');
  try {
    return await asked;
  } catch (error) {
    // Reading a history gives the bare answer of the server.
    if (error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND)) return undefined;
    throw error;
  }
}

async function decode<T>(payloads: readonly Payload[] | null | undefined): Promise<T[]> {
  let decoded = [...(payloads ?? [])];
  for (const codec of [...(dataConverter.payloadCodecs ?? [])].reverse()) decoded = await codec.decode(decoded);
  return decoded.map(({ data }) => (data && data.length > 0 ? (JSON.parse(Buffer.from(data).toString()) as T) : (null as T)));
}
