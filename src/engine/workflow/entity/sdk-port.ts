import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  log,
  makeContinueAsNewFunc,
  patched,
  proxyActivities,
  proxyLocalActivities,
  proxySinks,
  setCurrentDetails,
  setDefaultSignalHandler,
  setDefaultUpdateHandler,
  setHandler,
  sleep,
  workflowInfo,
  type Sinks,
} from '@temporalio/workflow';
import type { Call, CallOptions, Noticed, TemporalPort } from './port.ts';
import { withLastAttempt } from './last-attempt.ts';
import { answerHeldQueries, lostTasks, notices } from './interceptors.ts';
import { EVENTS_SIGNAL, NUDGE_SIGNAL } from './names.ts';
import { WITHOUT_KEY } from './start.ts';

const eventsSignal = defineSignal<[unknown]>(EVENTS_SIGNAL);
const nudgeSignal = defineSignal(NUDGE_SIGNAL);

/** What a worker may do with a notice. */
export interface NoticeSinks extends Sinks {
  readonly notices: {
    count(noticed: Noticed, times: number): void;
    standing(waiting: Readonly<Record<string, number>>): void;
  };
}
const sinks = proxySinks<NoticeSinks>();

/** The {@link TemporalPort} of the workflow that calls it. `storedAs`: marks the start of the next run for a payload codec. */
export function sdkPort(storedAs: (start: object) => object = (start) => start): TemporalPort {
  void answerHeldQueries();
  const { startTime, firstExecutionRunId, continuedFromExecutionRunId, workflowId, runId, taskQueue } = workflowInfo();
  return {
    workflowId,
    runId,
    continued: continuedFromExecutionRunId !== undefined,
    incarnation: { startedAt: startTime.getTime(), runId: firstExecutionRunId },
    taskQueue,
    now: () => Date.now(),
    history() {
      const { historyLength, historySize, continueAsNewSuggested, targetWorkerDeploymentVersionChanged } =
        workflowInfo();
      return {
        events: historyLength,
        bytes: historySize,
        continueAsNewSuggested,
        newVersion: targetWorkerDeploymentVersionChanged,
      };
    },
    onEvents: (handler) => setHandler(eventsSignal, handler, { description: 'records of the bridge, in their order' }),
    onForeign(handler) {
      setDefaultSignalHandler((name) => handler('signal', name));
      // Refused, so that whoever sent it does not wait for ever.
      setDefaultUpdateHandler((name) => {
        handler('update', name);
        throw ApplicationFailure.nonRetryable('this workflow knows no updates');
      });
      notices.onForeign((kind, name) => handler(kind, name));
    },
    patched: (change) => patched(change),
    count: (noticed, times) => sinks.notices.count(noticed, times),
    standing: (waiting) => sinks.notices.standing(waiting),
    onNudge: (handler) => setHandler(nudgeSignal, handler, { description: 'continue as new, on the code of today' }),
    onQuery(name, handler, description) {
      const options = description === undefined ? {} : { description };
      setHandler(defineQuery(name), handler as (...args: unknown[]) => unknown, options);
    },
    until: (isSo) => condition(isSo),
    timer(ms, ring, summary) {
      const call = cancellable(() => sleep(ms, summary === undefined ? undefined : { summary }));
      void call.result.then(() => call.cancelled || ring());
      return () => call.cancel();
    },
    call<T>(name: string, request: object, options: CallOptions) {
      const call = cancellable(() => activitiesWith<T>(options)[name]!(request));
      if (options.local) {
        lostTasks.localBegins();
        const ended = (): void => lostTasks.localEnds();
        call.result.then(ended, ended);
      }
      return call;
    },
    // Runs are pinned to a version of the code, where there are versions: the next one takes the current one.
    continueAsNew: (start) =>
      makeContinueAsNewFunc<(start: object) => Promise<never>>({ initialVersioningBehavior: 'AUTO_UPGRADE' })(
        start === WITHOUT_KEY ? start : storedAs(start),
      ),
    describe: (text) => setCurrentDetails(text),
    warn: (message, details) => log.warn(message, { ...details }),
  };
}

type ByName<T> = Record<string, (request: object) => Promise<T>>;

function activitiesWith<T>({ local, taskQueue, heartbeatTimeout, ...options }: CallOptions): ByName<T> {
  if (local) return proxyLocalActivities<ByName<T>>(options);
  return proxyActivities<ByName<T>>({
    ...options,
    ...(taskQueue !== undefined && { taskQueue }),
    ...(heartbeatTimeout !== undefined && { heartbeatTimeout }),
  });
}

function cancellable<T>(run: () => Promise<T>): Call<T> & { readonly cancelled: boolean } {
  const scope = new CancellationScope();
  let cancelled = false;
  const result = new Promise<T>((resolve, reject) => {
    scope.run(run).then(resolve, (error: unknown) => {
      if (!cancelled || !isCancellation(error)) reject(withLastAttempt(error));
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
