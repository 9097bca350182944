/** Names and shapes on the wire between the bridge, the workflow and whoever queries it. */
export type { EventBatch } from '../src/domain/types.ts';

export const WORKFLOW_TYPE = 'userEnrichment';
/** The one signal; its single argument is an {@link EventBatch}. */
export const EVENTS_SIGNAL = 'events';
/** Continue as new when you can. No payload. */
export const NUDGE_SIGNAL = 'nudge';

export const QUERIES = {
  state: 'state',
  sessionInfo: 'sessionInfo',
  pendingMoney: 'pendingMoney',
  userInfo: 'userInfo',
  snapshot: 'snapshot',
} as const;

/** The property that names the type of a stored value on its way through src/payload-codec.ts. */
export const TYPE_MARK = '$type';

/** The property of what stands for a payload that cannot be read: why. */
export const UNREADABLE = '$unreadable';

/** A value that outlives a deployment, marked for being stored by its schema. The mark is its first property. */
export function stored<T extends object>(type: 'Start' | 'EventBatch', value: T): T {
  return { [TYPE_MARK]: type, ...value };
}

export function workflowIdOf(appId: string, userId: string): string {
  return `${appId}/${userId}`;
}

/** The task queue of a shard; a user's shard is the partition of its key in the output topic. */
export function taskQueueOf(appId: string, shard: number): string {
  return `${appId}-shard-${shard}`;
}

/** The task queue of the lookups of all shards: polled by every worker process, whatever shards it owns. */
export function lookupsQueueOf(appId: string): string {
  return `${appId}-lookups`;
}

/** The same, seen from a shard's task queue; undefined for a queue that is none. */
export function lookupsQueueBeside(taskQueue: string): string | undefined {
  const [, appId] = /^(.+)-shard-\d+$/.exec(taskQueue) ?? [];
  return appId === undefined ? undefined : lookupsQueueOf(appId);
}
