/** The Temporal worker of one shard and version: workflows and activities of the keys that live in one output partition. */
import type { DataConverter, WorkerDeploymentVersion } from '@temporalio/common';
import type { Sinks } from '@temporalio/workflow';
import { Worker, type InjectedSinks, type NativeConnection } from '@temporalio/worker';
import { ENCODES_FAILURES } from '../workflow/encoded-failures.ts';
import { MAX_TASKS, type ReplaySlots } from './replay-slots.ts';
import type { SpareThreads } from './spare-threads.ts';
import { withLine, withoutStackTraces } from './stack-traces.ts';
import { workerIdentityOf } from '../temporal/identity.ts';
import { runTemporalWorker, SHUTDOWN, type TemporalWorker } from './temporal-worker.ts';

export interface ShardWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly workflowBundle: { readonly code: string };
  /** Twice in the history of each task, so a short one; the SDK's own, of 90 characters, when absent. */
  readonly buildId?: string;
  readonly dataConverter: DataConverter;
  /** Undefined: a worker without a version. */
  readonly deploymentVersion?: WorkerDeploymentVersion;
  readonly activities: object;
  /** What workflows tell of themselves; none: nobody listens. */
  readonly sinks?: InjectedSinks<Sinks>;
  /** Told of replays by {@link ShardWorkerOptions.sinks}; undefined: its workflows do not tell of them (those of 0.2), and as many are replayed at a time as there are tasks. */
  readonly replays?: ReplaySlots;
  /** Whether errors of workflows tell the lines that they come from, and `temporal workflow stack` where one waits: a third more work. */
  readonly stackTraces?: boolean;
  readonly maxCachedWorkflows: number;
  /** From which it takes its thread; undefined: it starts one. */
  readonly threads?: SpareThreads;
  /** {@link POLLERS} when absent. */
  readonly pollers?: Pollers;
  /** The worker ended without being asked to. */
  readonly onFailure: (error: unknown) => void;
}

export type ShardWorker = TemporalWorker;

/** Requests for tasks that are open at a time: each brings one task a round trip. */
export interface Pollers {
  readonly workflow: number;
  readonly activity: number;
}

/** Enough for a server that is near: with 50 ms to it four bring 80 tasks a second and shard. */
export const POLLERS: Pollers = { workflow: 4, activity: 2 };

/**
 * The SDK's watchdog over workflow code counts wall time, and a process that was paused for longer crashes in it
 * (sdk-typescript#939). The option is taken by the SDK (1.24, worker-options.js) but missing in its types.
 */
const WATCHDOG = { isolateExecutionTimeout: '1m' } as object;

export async function startShardWorker(options: ShardWorkerOptions): Promise<ShardWorker> {
  const {
    connection,
    namespace,
    taskQueue,
    workflowBundle,
    buildId,
    dataConverter,
    deploymentVersion,
    activities,
    sinks,
    replays,
    stackTraces = false,
    maxCachedWorkflows,
    threads,
    pollers = POLLERS,
    onFailure,
  } = options;
  const worker = await (threads ?? Worker).create({
    connection,
    namespace,
    taskQueue,
    identity: workerIdentityOf(taskQueue),
    workflowBundle: { code: codeFor(workflowBundle.code, stackTraces, dataConverter) },
    ...(deploymentVersion === undefined && buildId !== undefined && { buildId }),
    activities: activities as unknown as Record<string, (...args: never[]) => Promise<unknown>>,
    dataConverter,
    ...(sinks && { sinks }),
    // A run stays on the version that it began with; the next one takes the current version (src/engine/workflow/entity/sdk-port.ts).
    ...(deploymentVersion && {
      workerDeploymentOptions: {
        useWorkerVersioning: true,
        version: deploymentVersion,
        defaultVersioningBehavior: 'PINNED',
      },
    }),
    maxCachedWorkflows,
    tuner: {
      workflowTaskSlotSupplier: replays ?? { type: 'fixed-size', numSlots: MAX_TASKS },
      activityTaskSlotSupplier: { type: 'fixed-size', numSlots: 100 },
      localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: 100 },
      nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
    },
    // On purpose and not autoscaling: with few workflows autoscaled pollers left regular activities waiting.
    workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: pollers.workflow },
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: pollers.activity },
    // How long a task waits for the process that has its workflow cached, when that process is gone.
    stickyQueueScheduleToStartTimeout: '3s',
    ...WATCHDOG,
    ...SHUTDOWN,
  });
  return runTemporalWorker(worker, onFailure);
}

function codeFor(code: string, stackTraces: boolean, { failureConverterPath }: DataConverter): string {
  const traced = stackTraces ? code : withoutStackTraces(code);
  return failureConverterPath === undefined ? traced : withLine(traced, `\nglobalThis.${ENCODES_FAILURES} = true;`);
}
