import type { Sinks } from '@temporalio/workflow';

/** What every workflow tells the worker that runs it of its replays. */
export interface ReplaySinks extends Sinks {
  readonly replays: {
    began(isReplay: boolean): void;
    caughtUp(): void;
  };
}
