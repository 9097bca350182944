/** How far the replays of workflows are, as they tell it. */
import type { InjectedSinks } from '@temporalio/worker';
import type { ReplaySinks } from '../workflow/sinks.ts';
import type { ReplaySlots } from './replay-slots.ts';

export function replaySinks(slots: Pick<ReplaySlots, 'began' | 'caughtUp'>): InjectedSinks<ReplaySinks> {
  return {
    replays: {
      began: { fn: ({ runId }, isReplay) => slots.began(runId, isReplay), callDuringReplay: true },
      caughtUp: { fn: ({ runId }) => slots.caughtUp(runId), callDuringReplay: true },
    },
  };
}
