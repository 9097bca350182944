/** Users whose workflows somebody has paused: their money waits, and while their histories are short nothing else says so. */
import { isGrpcServiceError, type WorkflowClient } from '@temporalio/client';
import { WORKFLOW_TYPE } from '../../../workflows/messages.ts';
import { messageOf } from '../../engine/errors.ts';
import { warning } from './finding.ts';
import type { Finding } from './finding.ts';

/** Code of gRPC. */
const INVALID_ARGUMENT = 3;

export async function checkPaused(client: Pick<WorkflowClient, 'count'>, appId: string): Promise<Finding[]> {
  const query = `WorkflowType = '${WORKFLOW_TYPE}' AND ExecutionStatus = 'Paused' AND WorkflowId STARTS_WITH '${appId}/'`;
  try {
    const { count } = await client.count(query);
    if (count === 0) return [];
    return [
      warning(
        'paused workflows',
        `${count}: the money of these users waits until somebody runs "temporal workflow unpause"; they are listed by temporal workflow list --query "${query}"`,
      ),
    ];
  } catch (error) {
    // A server that cannot pause knows no such status.
    if (isInvalidQuery(error as Error)) return [];
    return [warning('paused workflows', `how many there are is not known: ${messageOf(error)}`)];
  }
}

function isInvalidQuery({ cause }: { readonly cause?: unknown }): boolean {
  return isGrpcServiceError(cause) && Number(cause.code) === INVALID_ARGUMENT;
}
