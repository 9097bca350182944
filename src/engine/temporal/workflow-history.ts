import { WorkflowNotFoundError, type WorkflowClient } from '@temporalio/client';
import type { HistoryLength } from '../bridge/signaller.ts';
import { within } from './connection.ts';

/** Of a workflow that runs; null when there is none. `deadline`: ms. */
export async function historyOf(
  client: WorkflowClient,
  workflowId: string,
  deadline: number,
): Promise<HistoryLength | null> {
  try {
    const { historyLength, historySize, status, raw } = await within(deadline, client, () =>
      client.getHandle(workflowId).describe(),
    );
    // One that a person has paused takes signals, and applies none.
    return status.name === 'RUNNING' || status.name === 'PAUSED'
      ? { events: historyLength, bytes: historySize ?? 0, busy: Boolean(raw.pendingWorkflowTask) }
      : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
