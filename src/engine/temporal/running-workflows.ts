/** The workflows of an app id that run. */
import type { Client } from '@temporalio/client';

/** Their ids, in the order of the server. Visibility is a little behind: a workflow that has just begun may be missing. */
export async function* runningWorkflows(client: Client, workflowType: string, appId: string): AsyncGenerator<string> {
  const query = `WorkflowType = '${workflowType}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    if (workflowId.startsWith(`${appId}/`)) yield workflowId;
  }
}
