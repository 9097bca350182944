/**
 * The Temporal workers of one shard: one for each version of the workflows that this process runs. A shard has one owner, and
 * so all its versions run in one process, with one publisher: runs that are pinned to an older version go on there until they
 * continue as new on the current one. The questions of a version's runs are asked by a worker of that version, too.
 */
import type { DataConverter, WorkerDeploymentVersion } from '@temporalio/common';
import { stateFormatOf, type StoredFormat } from '../stored/format.ts';
import type { SchemaFile } from '../stored/schema.ts';
import type { Encryption } from '../temporal/key-provider.ts';
import { dataConverterOf } from '../temporal/payload-codec.ts';
import { startShardWorker, type ShardWorker, type ShardWorkerOptions } from './shard-worker.ts';
import type { TemporalWorker } from './temporal-worker.ts';
import type { WorkflowVersion } from './workflow-version.ts';

export interface Versions {
  readonly own: WorkflowVersion;
  /** Only with a deployment. */
  readonly older: readonly WorkflowVersion[];
  /** Name of the deployment in Temporal; undefined: workers without a version. */
  readonly deployment: string | undefined;
  /** Of what all versions write and read. */
  readonly encryption: Encryption;
}

/** What one version's worker is given of its version. */
export interface VersionOptions {
  readonly dataConverter: DataConverter;
  readonly deploymentVersion?: WorkerDeploymentVersion;
}

/** The workers of a shard. Older workflows may not tell of their replays. */
export function startVersionWorkers(
  versions: Versions,
  { replays, ...options }: Omit<ShardWorkerOptions, 'workflowBundle' | 'buildId' | keyof VersionOptions>,
): Promise<ShardWorker> {
  return eachVersion(versions, ({ code, buildId }, version) =>
    startShardWorker({
      ...options,
      ...version,
      workflowBundle: { code },
      buildId,
      ...(buildId === versions.own.buildId && replays !== undefined && { replays }),
    }),
  );
}

/** Starts a worker for each version; all of them are one. */
export async function eachVersion(
  { own, older, deployment, encryption }: Versions,
  start: (version: WorkflowVersion, options: VersionOptions) => Promise<TemporalWorker>,
): Promise<TemporalWorker> {
  const started: TemporalWorker[] = [];
  const stop = async (): Promise<void> => void (await Promise.all(started.map((worker) => worker.stop())));
  try {
    for (const version of [own, ...older]) {
      const { buildId, schemas } = version;
      started.push(
        await start(version, {
          dataConverter: dataConverterOf(encryption, version === own ? undefined : formatOf(schemas)),
          ...(deployment === undefined ? {} : { deploymentVersion: { deploymentName: deployment, buildId } }),
        }),
      );
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

function formatOf(schemas: SchemaFile): () => StoredFormat {
  const format = stateFormatOf(schemas);
  return () => format;
}
