/** Temporal's definition of the workflow: one long-lived execution per user. */
import { CancellationScope, defineQuery, defineSignal } from '@temporalio/workflow';
import { runEntity } from '../src/engine/workflow/entity/run-entity.ts';
import { sdkPort } from '../src/engine/workflow/entity/sdk-port.ts';
import { stored } from '../src/engine/workflow/mark.ts';
import type { Snapshot, Start } from './life.ts';
import { EVENTS_SIGNAL, NUDGE_SIGNAL, QUERIES, type EventBatch } from './messages.ts';
import { userEntity } from './user-entity.ts';
import type { pendingView, sessionView, stateView, userInfoView } from './views.ts';

export const eventsSignal = defineSignal<[EventBatch]>(EVENTS_SIGNAL);
export const nudgeSignal = defineSignal(NUDGE_SIGNAL);
export const stateQuery = defineQuery<ReturnType<typeof stateView>>(QUERIES.state);
export const userInfoQuery = defineQuery<ReturnType<typeof userInfoView>>(QUERIES.userInfo);
export const sessionInfoQuery = defineQuery<ReturnType<typeof sessionView>, [string]>(QUERIES.sessionInfo);
export const pendingMoneyQuery = defineQuery<ReturnType<typeof pendingView>, [string]>(QUERIES.pendingMoney);
/** Null while signals are being applied: ask again. */
export const snapshotQuery = defineQuery<Snapshot | null>(QUERIES.snapshot);

/** Cannot be cancelled: its state is not to be lost by that. Whoever wants it gone terminates it. */
export function userEnrichment(start: Start): Promise<void> {
  return CancellationScope.nonCancellable(() =>
    runEntity(
      sdkPort((next) => stored('Start', next)),
      userEntity,
      start,
    ),
  );
}
