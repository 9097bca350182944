/** Queries of running workflows, with errors that say what to do. */
import { CodedError, messageOf } from '../engine/errors.ts';
import { within, type TemporalClient } from '../engine/temporal/connection.ts';

/** ms that a worker has to answer. */
const TIMEOUT = 10_000;

/** Throws CodedError NOT_FOUND, or UNREACHABLE when no worker answers or the server cannot be asked. */
export async function queryWorkflow<T>(temporal: TemporalClient, workflowId: string, name: string): Promise<T> {
  const {
    QueryNotRegisteredError,
    WorkflowNotFoundError,
    isGrpcCancelledError,
    isGrpcDeadlineError,
    isGrpcServiceError,
  } = await import('@temporalio/client');
  try {
    return await within(TIMEOUT, temporal.connection, () =>
      temporal.client.workflow.getHandle(workflowId).query<T>(name),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      throw new CodedError(
        'NOT_FOUND',
        `no workflow "${workflowId}" in namespace "${temporal.namespace}" of ${temporal.address}: no event of this user ` +
          'was applied yet, or ENRICHMENT_APP_ID or ENRICHMENT_USER_ID_HASH_KEY is not that of the bridge',
        { cause: error },
      );
    }
    if (error instanceof QueryNotRegisteredError) {
      throw new CodedError(
        'NOT_FOUND',
        `workflow "${workflowId}" does not know the query "${name}": its worker is older than this command, or another program uses this ENRICHMENT_APP_ID`,
        { cause: error },
      );
    }
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    // When the time is over the client and the server both end the call, and either may be the first: nobody else cancels it.
    const timedOut = [error, cause].some((one) => isGrpcDeadlineError(one) || isGrpcCancelledError(one));
    if (timedOut || isNoWorker(cause)) {
      throw new CodedError(
        'UNREACHABLE',
        `no worker answered for "${workflowId}" within ${TIMEOUT / 1000} s: start one with "money-enrichment worker"`,
        { cause: error },
      );
    }
    const details = isGrpcServiceError(cause) ? cause.details : messageOf(error);
    throw new CodedError('UNREACHABLE', `the query of "${workflowId}" at ${temporal.address} failed: ${details}`, {
      cause: error,
    });
  }
}

/** The server refuses a query at once when nobody polled the task queue for a while. */
function isNoWorker(error: unknown): boolean {
  return /no poller/i.test(String((error as { details?: unknown }).details ?? ''));
}
