/** Names and shapes on the wire between the bridge, the workflow and whoever queries it. */
export type { EventBatch } from '../src/money/domain/types.ts';

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
