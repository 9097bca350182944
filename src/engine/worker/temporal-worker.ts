import type { Worker } from '@temporalio/worker';

export interface TemporalWorker {
  /** Takes no new tasks, ends those that run, and resolves when it is over. Never throws. */
  stop(): Promise<void>;
}

/** How long the tasks that run have when a worker stops; then they are cancelled, and left in the end. */
export const SHUTDOWN = { shutdownGraceTime: '5s', shutdownForceTime: '15s' } as const;

/** Polls until it is stopped; `onFailure`: it ended without being asked to. */
export function runTemporalWorker(worker: Worker, onFailure: (error: unknown) => void): TemporalWorker {
  let stopping = false;
  const running = worker.run().then(
    () => {
      if (!stopping) onFailure(new Error(`the worker of ${worker.options.taskQueue} stopped`));
    },
    (error: unknown) => {
      if (!stopping) onFailure(error);
    },
  );
  return {
    async stop() {
      if (!stopping && worker.getState() === 'RUNNING') worker.shutdown();
      stopping = true;
      await running;
    },
  };
}
