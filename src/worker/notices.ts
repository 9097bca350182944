/** What workflows tell the worker that runs them: what they notice, as metrics (workflows/engine.ts), and how far a replay is. */
import type { InjectedSinks } from '@temporalio/worker';
import type { WorkerMetrics } from '../metrics.ts';
import type { ReplaySinks } from '../../workflows/interceptors.ts';
import type { NoticeSinks } from '../../workflows/temporal-engine.ts';
import type { ReplaySlots } from './replay-slots.ts';

export function noticeSinks({ forgotten, notOurs, workflowEvents }: Pick<WorkerMetrics, 'forgotten' | 'notOurs' | 'workflowEvents'>): InjectedSinks<NoticeSinks> {
  return {
    notices: {
      count: {
        fn(_, noticed, times) {
          switch (noticed.what) {
            case 'forgotten':
              return forgotten.inc({ kind: noticed.kind }, times);
            case 'not-ours':
              return notOurs.inc({ kind: noticed.kind }, times);
            case 'happened':
              return workflowEvents.inc({ kind: noticed.kind }, times);
            default:
              return noticed satisfies never;
          }
        },
      },
    },
  };
}

export function replaySinks(slots: Pick<ReplaySlots, 'began' | 'caughtUp'>): InjectedSinks<ReplaySinks> {
  return {
    replays: {
      began: { fn: ({ runId }, isReplay) => slots.began(runId, isReplay), callDuringReplay: true },
      caughtUp: { fn: ({ runId }) => slots.caughtUp(runId), callDuringReplay: true },
    },
  };
}
