import {
  CancellationScope, condition, defineQuery, defineSignal, isCancellation, log, makeContinueAsNewFunc, proxyActivities, proxyLocalActivities, setCurrentDetails, setHandler,
  sleep, workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/contract.ts';
import type { Call, CallOptions, Engine } from './engine.ts';
import type { userEnrichment } from './user-enrichment.ts';
import { EVENTS_SIGNAL, NUDGE_SIGNAL, stored, type EventBatch } from './messages.ts';

const eventsSignal = defineSignal<[EventBatch]>(EVENTS_SIGNAL);
const nudgeSignal = defineSignal(NUDGE_SIGNAL);

/** The {@link Engine} of the workflow that calls it. */
export function temporalEngine(): Engine {
  const { startTime, firstExecutionRunId, taskQueue } = workflowInfo();
  return {
    incarnation: { startedAt: startTime.getTime(), runId: firstExecutionRunId },
    taskQueue,
    now: () => Date.now(),
    history() {
      const { historyLength, historySize, continueAsNewSuggested, targetWorkerDeploymentVersionChanged } = workflowInfo();
      return { events: historyLength, bytes: historySize, continueAsNewSuggested, newVersion: targetWorkerDeploymentVersionChanged };
    },
    onEvents: (handler) => setHandler(eventsSignal, handler),
    onNudge: (handler) => setHandler(nudgeSignal, handler),
    onQuery: (name, handler) => setHandler(defineQuery(name), handler as (...args: unknown[]) => unknown),
    until: (isSo) => condition(isSo),
    timer(ms, ring) {
      const call = cancellable(() => sleep(ms));
      void call.result.then(() => call.cancelled || ring());
      return () => call.cancel();
    },
    call: (name, request, options) => cancellable(() => activitiesWith(options)[name](request as never) as Promise<never>),
    // Runs are pinned to a version of the code, where there are versions: the next one takes the current one.
    continueAsNew: (start) => makeContinueAsNewFunc<typeof userEnrichment>({ initialVersioningBehavior: 'AUTO_UPGRADE' })(stored('Start', start)),
    describe: (text) => setCurrentDetails(text),
    warn: (message, details) => log.warn(message, { ...details }),
  };
}

function activitiesWith({ local, taskQueue, heartbeatTimeout, ...options }: CallOptions): Activities {
  if (local) return proxyLocalActivities<Activities>(options);
  return proxyActivities<Activities>({ ...options, ...(taskQueue !== undefined && { taskQueue }), ...(heartbeatTimeout !== undefined && { heartbeatTimeout }) });
}

function cancellable<T>(run: () => Promise<T>): Call<T> & { readonly cancelled: boolean } {
  const scope = new CancellationScope();
  let cancelled = false;
  const result = new Promise<T>((resolve, reject) => {
    scope.run(run).then(resolve, (error: unknown) => {
      if (!cancelled || !isCancellation(error)) reject(error);
    });
  });
  return {
    result,
    get cancelled() {
      return cancelled;
    },
    cancel() {
      cancelled = true;
      scope.cancel();
    },
  };
}
