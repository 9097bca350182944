/** What workflows notice, as metrics (src/engine/workflow/entity/port.ts). */
import type { InjectedSinks } from '@temporalio/worker';
import type { NoticeSinks } from '../../engine/workflow/entity/sdk-port.ts';
import type { WorkerMetrics } from '../metrics.ts';
import type { WaitingMoney } from './waiting-money.ts';

export function noticeSinks(
  { forgotten, notOurs, workflowEvents }: Pick<WorkerMetrics, 'forgotten' | 'notOurs' | 'workflowEvents'>,
  waiting: Pick<WaitingMoney, 'told'>,
): InjectedSinks<NoticeSinks> {
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
      standing: { fn: (workflow, standing) => waiting.told(workflow, standing), callDuringReplay: true },
    },
  };
}
