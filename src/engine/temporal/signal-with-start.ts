/** The signaller of most bridges: the workflow of each key is signalled, and started where there is none. */
import type { WorkflowClient } from '@temporalio/client';
import { within } from './connection.ts';
import { historyOf } from './workflow-history.ts';
import type { Batch, Signaller } from '../bridge/signaller.ts';

/** Which workflow a key has, and how it is signalled and started. */
export interface SignalWithStart {
  readonly workflowType: string;
  readonly workflowId: (key: string) => string;
  readonly taskQueue: string | ((key: string) => string);
  /** Arguments of a workflow that is started. */
  readonly args?: (key: string) => unknown[];
  /** Its single argument is what `payload` makes of a batch. `events` when absent. */
  readonly signal?: string;
  /** The batch itself, a `ReceivedBatch`, when absent. */
  readonly payload?: (batch: Batch) => unknown;
  /** Of a workflow that is started, in Temporal's UI. */
  readonly staticSummary?: string;
}

/** ms; a request that takes longer is in doubt and repeated. */
const DEADLINE = 10_000;

/**
 * Signals the workflow of a key with a batch of its records, and starts it where none runs. A request without an answer in 10 s is in
 * doubt: the bridge sends the same batch again, and the workflow drops what it has.
 */
export function signalWithStart(client: WorkflowClient, to: SignalWithStart): Signaller {
  const { workflowType, workflowId, taskQueue, args = () => [], signal = 'events', payload = same, staticSummary } = to;
  return {
    workflowIdOf: workflowId,
    async signal(key, batch) {
      await within(DEADLINE, client, () =>
        client.signalWithStart(workflowType, {
          workflowId: workflowId(key),
          taskQueue: typeof taskQueue === 'string' ? taskQueue : taskQueue(key),
          ...(staticSummary !== undefined && { staticSummary }),
          args: args(key),
          signal,
          signalArgs: [payload(batch)],
        }),
      );
    },
    history: (key) => historyOf(client, workflowId(key), DEADLINE),
  };
}

function same(batch: Batch): unknown {
  return batch;
}
