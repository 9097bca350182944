/** The Temporal worker of a version that makes session lookups, for all shards: its slots are the requests under way at a time. */
import type { DataConverter, WorkerDeploymentVersion } from '@temporalio/common';
import { Worker, type NativeConnection } from '@temporalio/worker';
import type { Activities } from '../../../activities/contract.ts';
import { runTemporalWorker, SHUTDOWN, type TemporalWorker } from '../../engine/worker/temporal-worker.ts';

export interface LookupsWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly lookupSessions: Activities['lookupSessions'];
  readonly dataConverter: DataConverter;
  /** Undefined: a worker without a version. */
  readonly deploymentVersion?: WorkerDeploymentVersion;
  /** Attempts at a time; each has a request to the session service under way. */
  readonly maxLookups: number;
  readonly onFailure: (error: unknown) => void;
}

export async function startLookupsWorker(options: LookupsWorkerOptions): Promise<TemporalWorker> {
  const { connection, namespace, taskQueue, lookupSessions, dataConverter, deploymentVersion, maxLookups, onFailure } =
    options;
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    activities: { lookupSessions },
    dataConverter,
    ...(deploymentVersion && {
      workerDeploymentOptions: {
        useWorkerVersioning: true,
        version: deploymentVersion,
        defaultVersioningBehavior: 'PINNED',
      },
    }),
    maxConcurrentActivityTaskExecutions: maxLookups,
    activityTaskPollerBehavior: {
      type: 'simple-maximum',
      maximum: Math.min(16, Math.max(2, Math.ceil(maxLookups / 16))),
    },
    ...SHUTDOWN,
  });
  return runTemporalWorker(worker, onFailure);
}
