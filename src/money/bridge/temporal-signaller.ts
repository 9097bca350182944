import type { WorkflowClient } from '@temporalio/client';
import { eventBatchOf } from './event-batch.ts';
import { shardOf } from '../codec/shard.ts';
import type { Start } from '../../../workflows/life.ts';
import { EVENTS_SIGNAL, WORKFLOW_TYPE } from '../../../workflows/messages.ts';
import { taskQueueOf } from '../../engine/naming.ts';
import { stored } from '../../engine/workflow/mark.ts';
import { workflowIdsOf } from '../workflow-ids.ts';
import type { Config } from '../config.ts';
import { signalWithStart } from '../../engine/temporal/signal-with-start.ts';
import type { Signaller } from '../../engine/bridge/signaller.ts';

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
  return signalWithStart(client, {
    workflowType: WORKFLOW_TYPE,
    workflowId: workflowIdsOf(config),
    taskQueue: (userId) => taskQueueOf(config.appId, shardOf(userId, shards)),
    staticSummary: STATIC_SUMMARY,
    args: (userId) => [stored('Start', { userId } satisfies Start)],
    signal: EVENTS_SIGNAL,
    payload: (batch) => stored('EventBatch', eventBatchOf(batch)),
  });
}
