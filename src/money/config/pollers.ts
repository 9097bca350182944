/** How many requests for tasks a worker keeps open at Temporal's server, for each shard and version. */
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import { POLLERS, type Pollers } from '../../engine/worker/shard-worker.ts';

export interface PollersConfig {
  readonly pollers: Pollers;
}

export function readPollers(read: EnvironmentReader): PollersConfig {
  return {
    pollers: {
      // The SDK needs two: one for workflows that are in memory, one for all others.
      workflow: read.integer('ENRICHMENT_WORKFLOW_POLLERS', POLLERS.workflow, { min: 2, max: 100 }),
      activity: read.integer('ENRICHMENT_ACTIVITY_POLLERS', POLLERS.activity, { min: 1, max: 100 }),
    },
  };
}
