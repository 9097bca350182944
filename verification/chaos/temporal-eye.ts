/** Looks at what workflows wait for: which of them have a workflow task or activities under way, and since when. */
import { Connection } from '@temporalio/client';

export interface TemporalEye {
  /** One line for each workflow that waits for something. Errors: when the server does not answer. */
  waiting(): Promise<string[]>;
  /** The last events of a workflow's history, one line each. */
  history(workflowId: string): Promise<string[]>;
  close(): Promise<void>;
}

interface Time {
  readonly seconds?: { toNumber(): number } | null;
}

const NAMESPACE = 'default';

export function createTemporalEye(address: string): TemporalEye {
  const connection = Connection.lazy({ address });
  const since = (time: Time | null | undefined): string =>
    time?.seconds ? `${Math.round(Date.now() / 1_000 - time.seconds.toNumber())} s ago` : 'never';
  return {
    async waiting() {
      const { executions } = await connection.workflowService.listWorkflowExecutions({
        namespace: NAMESPACE,
        query: 'ExecutionStatus = "Running"',
        pageSize: 500,
      });
      const lines = await Promise.all(
        executions.map(async ({ execution }) => {
          const description = await connection.workflowService.describeWorkflowExecution({
            namespace: NAMESPACE,
            execution: execution ?? null,
          });
          const { pendingWorkflowTask: task, pendingActivities: activities } = description;
          const parts = [
            ...(task
              ? [
                  `workflow task, attempt ${task.attempt}, scheduled ${since(task.scheduledTime)}, started ${since(task.startedTime)}`,
                ]
              : []),
            ...(activities ?? []).map(
              ({ activityType, attempt, lastFailure }) =>
                `${activityType?.name} attempt ${attempt} ${lastFailure?.message?.slice(0, 80) ?? ''}`,
            ),
          ];
          return parts.length === 0 ? '' : `${execution?.workflowId}: ${parts.join('; ')}`;
        }),
      );
      return lines.filter((line) => line !== '');
    },
    async history(workflowId) {
      const { history } = await connection.workflowService.getWorkflowExecutionHistoryReverse({
        namespace: NAMESPACE,
        execution: { workflowId },
        maximumPageSize: 60,
      });
      return (history?.events ?? []).map(
        (event) => `${event.eventId?.toString()} ${since(event.eventTime)} ${JSON.stringify(event).slice(0, 300)}`,
      );
    },
    close: () => connection.close(),
  };
}
