/** The Temporal worker of a version that asks the questions of workflows, for all shards: its slots are the requests under way at a time. */
import type { DataConverter, WorkerDeploymentVersion } from '@temporalio/common';
import { Worker, type NativeConnection } from '@temporalio/worker';
import { workerIdentityOf } from '../temporal/identity.ts';
import { runTemporalWorker, SHUTDOWN, type TemporalWorker } from './temporal-worker.ts';

export interface QuestionsWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  /** By name. */
  readonly activities: Readonly<Record<string, (request: never) => Promise<unknown>>>;
  readonly dataConverter: DataConverter;
  /** Undefined: a worker without a version. */
  readonly deploymentVersion?: WorkerDeploymentVersion;
  /** Attempts at a time; each has a request under way. */
  readonly maxQuestions: number;
  readonly onFailure: (error: unknown) => void;
}

export async function startQuestionsWorker(options: QuestionsWorkerOptions): Promise<TemporalWorker> {
  const { connection, namespace, taskQueue, activities, dataConverter, deploymentVersion, maxQuestions, onFailure } =
    options;
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    identity: workerIdentityOf(taskQueue),
    activities,
    dataConverter,
    ...(deploymentVersion && {
      workerDeploymentOptions: {
        useWorkerVersioning: true,
        version: deploymentVersion,
        defaultVersioningBehavior: 'PINNED',
      },
    }),
    maxConcurrentActivityTaskExecutions: maxQuestions,
    activityTaskPollerBehavior: {
      type: 'simple-maximum',
      maximum: Math.min(16, Math.max(2, Math.ceil(maxQuestions / 16))),
    },
    ...SHUTDOWN,
  });
  return runTemporalWorker(worker, onFailure);
}
