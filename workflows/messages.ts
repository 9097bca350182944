/** Names and shapes on the wire between the bridge, the workflow and whoever queries it. */
export { EVENTS_SIGNAL, NUDGE_SIGNAL } from '../src/engine/workflow/entity/names.ts';
export type { EventBatch } from '../src/money/domain/types.ts';

export const WORKFLOW_TYPE = 'userEnrichment';

export const QUERIES = {
  state: 'state',
  sessionInfo: 'sessionInfo',
  pendingMoney: 'pendingMoney',
  userInfo: 'userInfo',
  snapshot: 'snapshot',
} as const;
