/** Users whose workflows somebody has paused: their money waits, and while their histories are short nothing else says so. */
import type { WorkflowClient } from '@temporalio/client';
import { WORKFLOW_TYPE } from '../../workflows/messages.ts';
import { warning } from './finding.ts';
import type { Finding } from './finding.ts';

export async function checkPaused(client: Pick<WorkflowClient, 'count'>, appId: string): Promise<Finding[]> {
  const query = `WorkflowType = '${WORKFLOW_TYPE}' AND ExecutionStatus = 'Paused' AND WorkflowId STARTS_WITH '${appId}/'`;
  try {
    const { count } = await client.count(query);
    if (count === 0) return [];
    return [warning('paused workflows', `${count}: the money of these users waits until somebody runs "temporal workflow unpause"; they are listed by temporal workflow list --query "${query}"`)];
  } catch {
    // A server that cannot pause knows no such status.
    return [];
  }
}
