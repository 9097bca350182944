/** Names and shapes on the wire between the bridge, the workflow and whoever queries it. */
import type { Applicable, Offsets, Rules } from '../src/domain/events.ts';

export const WORKFLOW_TYPE = 'userEnrichment';
/** The one signal; its single argument is an {@link EventBatch}. */
export const EVENTS_SIGNAL = 'events';
export const QUERIES = {
  state: 'state',
  sessionInfo: 'sessionInfo',
  pendingMoney: 'pendingMoney',
  userInfo: 'userInfo',
} as const;

/** What the bridge sends: records of one user from one partition triple, in the order of application. */
export interface EventBatch {
  readonly partition: number;
  /** Everything of this user below these offsets of the triple was acknowledged before this batch was sent. */
  readonly lowWater: Offsets;
  readonly rules: Rules;
  readonly records: readonly Applicable[];
}

export function workflowIdOf(appId: string, userId: string): string {
  return `${appId}/${userId}`;
}

/** The task queue of a shard; a user's shard is the partition of its key in the output topic. */
export function taskQueueOf(appId: string, shard: number): string {
  return `${appId}-shard-${shard}`;
}
