import type { WorkflowClient } from '@temporalio/client';
import { eventBatchOf } from './event-batch.ts';
import { shardOf } from '../codec/shard.ts';
import type { Start } from '../../../workflows/life.ts';
import { EVENTS_SIGNAL, WORKFLOW_TYPE } from '../../../workflows/messages.ts';
import { taskQueueOf } from '../../engine/naming.ts';
import { stored } from '../../engine/workflow/mark.ts';
import { within } from '../../engine/temporal/connection.ts';
import { historyOf } from '../../engine/temporal/workflow-history.ts';
import { workflowIdsOf } from '../workflow-ids.ts';
import type { Config } from '../config.ts';
import type { Signaller } from '../../engine/bridge/signaller.ts';

/** ms; a request that takes longer is in doubt and repeated. */
const DEADLINE = 10_000;

/** In Temporal's UI. */
export const STATIC_SUMMARY = "enriches one user's money";

/** Where a user's workflow runs. `shards`: the number of partitions of the output topic; a user's shard is where its key lives there. */
export function workflowOf(
  config: Pick<Config, 'appId' | 'userIdHashKey'>,
  shards: number,
): (userId: string) => { readonly workflowId: string; readonly taskQueue: string } {
  const workflowId = workflowIdsOf(config);
  return (userId) => ({
    workflowId: workflowId(userId),
    taskQueue: taskQueueOf(config.appId, shardOf(userId, shards)),
  });
}

/** `shards`: as in {@link workflowOf}. */
export function createTemporalSignaller(
  client: WorkflowClient,
  config: Pick<Config, 'appId' | 'userIdHashKey'>,
  shards: number,
): Signaller {
  const workflow = workflowOf(config, shards);
  return {
    workflowIdOf: (userId) => workflow(userId).workflowId,

    async signal(userId, batch) {
      const start: Start = { userId };
      await within(DEADLINE, client, () =>
        client.signalWithStart(WORKFLOW_TYPE, {
          ...workflow(userId),
          staticSummary: STATIC_SUMMARY,
          args: [stored('Start', start)],
          signal: EVENTS_SIGNAL,
          signalArgs: [stored('EventBatch', eventBatchOf(batch))],
        }),
      );
    },

    history: (userId) => historyOf(client, workflow(userId).workflowId, DEADLINE),
  };
}
