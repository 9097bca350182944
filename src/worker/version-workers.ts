/**
 * The Temporal workers of one shard: one for each version of the workflows that this process runs. A shard has one owner, and
 * so all its versions run in one process, with one publisher: runs that are pinned to an older version go on there until they
 * continue as new on the current one.
 */
import { stateFormatOf } from '../state-format/format.ts';
import { dataConverter, dataConverterOf } from '../payload-codec.ts';
import { startShardWorker, type ShardWorker, type ShardWorkerOptions } from './shard-worker.ts';
import type { WorkflowVersion } from './workflow-version.ts';

export interface Versions {
  readonly own: WorkflowVersion;
  /** Only with a deployment. */
  readonly older: readonly WorkflowVersion[];
  /** Name of the deployment in Temporal; undefined: workers without a version. */
  readonly deployment: string | undefined;
}

export async function startVersionWorkers(
  { own, older, deployment }: Versions, options: Omit<ShardWorkerOptions, 'workflowBundle' | 'dataConverter' | 'deploymentVersion'>,
): Promise<ShardWorker> {
  const started: ShardWorker[] = [];
  const stop = async (): Promise<void> => void (await Promise.all(started.map((worker) => worker.stop())));
  try {
    for (const version of [own, ...older]) {
      const { buildId, code, schemas } = version;
      started.push(await startShardWorker({
        ...options,
        workflowBundle: { code },
        dataConverter: version === own ? dataConverter : dataConverterOf(stateFormatOf(schemas)),
        ...(deployment === undefined ? {} : { deploymentVersion: { deploymentName: deployment, buildId } }),
      }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}
