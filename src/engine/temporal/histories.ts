/** Recorded histories of workflows, from the server. Needs no worker. */
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';

export type History = temporal.api.history.v1.IHistory;

export interface StoredRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly history: History;
}

/** Status of gRPC. */
const NOT_FOUND = 5;

/** The newest run of the workflow; undefined when there is none. */
export function newestRun(client: Client, workflowId: string): Promise<StoredRun | undefined> {
  return readRun(client, workflowId);
}

/** Oldest first, back to the first run or to the last one that retention left. Undefined: there is no such workflow. */
export async function readRuns(client: Client, workflowId: string): Promise<StoredRun[] | undefined> {
  const runs: StoredRun[] = [];
  let runId: string | undefined;
  for (;;) {
    const run = await readRun(client, workflowId, runId);
    if (run === undefined) return runId === undefined ? undefined : runs;
    runs.unshift(run);
    runId = startedOf(run.history)?.continuedExecutionRunId || undefined;
    if (runId === undefined) return runs;
  }
}

/** Attributes of the first event. */
export function startedOf({
  events,
}: History): temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes | undefined {
  return events?.[0]?.workflowExecutionStartedEventAttributes ?? undefined;
}

/** Undefined when the server does not know what was asked for. */
export async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    // Not before: what is rejected while nobody awaits it ends the process.
    const { WorkflowNotFoundError, isGrpcServiceError } = await import('@temporalio/client');
    // Reading a history gives the bare answer of the server.
    if (error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND)) {
      return undefined;
    }
    throw error;
  }
}

async function readRun(client: Client, workflowId: string, runId?: string): Promise<StoredRun | undefined> {
  const history = await orNothing(client.workflow.getHandle(workflowId, runId).fetchHistory());
  const started = history && startedOf(history);
  return started && { workflowId, runId: runId ?? started.originalExecutionRunId ?? '', history };
}
