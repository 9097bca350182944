/** The Temporal workers of entities: one for each shard, and one for their questions. */
import { fileURLToPath } from 'node:url';
import { defaultDataConverter, type DataConverter } from '@temporalio/common';
import { bundleWorkflowCode, type NativeConnection } from '@temporalio/worker';
import type { Clock } from '../clock.ts';
import type { KafkaPort } from '../kafka/port.ts';
import type { Logger } from '../log.ts';
import { bridgeGroupOf, questionsQueueOf, taskQueueOf, workflowIdOf } from '../naming.ts';
import { ReadableCodec } from '../temporal/readable-codec.ts';
import { createCommittedWatermark } from './committed-watermark.ts';
import { questionActivity } from './question-activity.ts';
import { startQuestionsWorker } from './questions-worker.ts';
import { readWatermarkActivity } from './read-watermark.ts';
import { replaySinks } from './replay-sinks.ts';
import { ReplaySlots } from './replay-slots.ts';
import { startShardWorker } from './shard-worker.ts';
import type { TemporalWorker } from './temporal-worker.ts';
import type { Noticed } from '../workflow/entity/port.ts';

export interface EntitiesOptions {
  /** File that exports the workflows, for Temporal's bundler. */
  readonly workflowsPath: string;
  /** Topics of the bridge of this app id, in its order: event time is theirs. */
  readonly inputs: readonly string[];
  /**
   * What answers the questions of entities, by the name of the activity that they say. Throws what is to be retried. `signal`:
   * nobody waits for this attempt any more.
   */
  readonly questions?: Readonly<Record<string, (question: never, signal: AbortSignal) => Promise<unknown>>>;
  /** Questions under way at a time, of one process. 100 when absent. */
  readonly maxQuestions?: number;
  /** Workflows of one shard that are kept in memory. 300 when absent. */
  readonly maxCachedWorkflows?: number;
  /** Errors of workflows name the lines that they come from, and `temporal workflow stack` shows where one waits, for a third more work. False when absent. */
  readonly stackTraces?: boolean;
  /** As of the client that the bridge signals with: to encrypt what Temporal stores, say. Temporal's default when absent. */
  readonly dataConverter?: DataConverter;
  /** What workflows notice: counted at least once for each time. */
  readonly onNotice?: (noticed: Noticed, times: number) => void;
}

export interface EntityWorkersOptions {
  readonly appId: string;
  readonly kafka: KafkaPort;
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface EntityWorkers {
  startShard(
    shard: number,
    publish: (request: never) => Promise<unknown>,
    onFailure: (error: unknown) => void,
  ): Promise<TemporalWorker>;
  startQuestions(onFailure: (error: unknown) => void): Promise<TemporalWorker>;
}

/** Of code that runs in the sandbox, beside the workflows. */
const INTERCEPTORS = fileURLToPath(
  new URL(`../workflow/entity/interceptors${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/** Bundles the workflows, once for all shards. */
export async function entityWorkers(
  entities: EntitiesOptions,
  { appId, kafka, connection, namespace, clock, logger }: EntityWorkersOptions,
): Promise<EntityWorkers> {
  const quiet = { trace() {}, debug() {}, info() {}, log() {} };
  const given: DataConverter = entities.dataConverter ?? defaultDataConverter;
  const { payloadConverterPath, failureConverterPath } = given;
  // A payload converter of somebody's own knows what it can read.
  const dataConverter: DataConverter =
    payloadConverterPath === undefined
      ? { ...given, payloadCodecs: [new ReadableCodec(), ...(given.payloadCodecs ?? [])] }
      : given;
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: entities.workflowsPath,
    ...(payloadConverterPath !== undefined && { payloadConverterPath }),
    ...(failureConverterPath !== undefined && { failureConverterPath }),
    workflowInterceptorModules: [INTERCEPTORS],
    logger: {
      ...quiet,
      warn: (message) => logger.warn({}, message),
      error: (message) => logger.error({}, message),
    },
  });
  const readWatermark = readWatermarkActivity({
    committedWatermark: createCommittedWatermark(kafka, clock, bridgeGroupOf(appId), entities.inputs, (key) =>
      workflowIdOf(appId, encodeURIComponent(key)),
    ),
  });
  const { onNotice = (noticed, times) => logger.debug({ ...noticed, times }, 'a workflow noticed something') } =
    entities;
  return {
    startShard(shard, publish, onFailure) {
      const slots = new ReplaySlots(clock, { replayed: () => undefined });
      return startShardWorker({
        connection,
        namespace,
        taskQueue: taskQueueOf(appId, shard),
        workflowBundle,
        dataConverter,
        activities: { publish, readWatermark },
        sinks: {
          ...replaySinks(slots),
          notices: {
            count: { fn: (_, noticed: Noticed, times: number) => onNotice(noticed, times) },
            standing: { fn: () => undefined },
          },
        },
        replays: slots,
        stackTraces: entities.stackTraces ?? false,
        maxCachedWorkflows: entities.maxCachedWorkflows ?? 300,
        onFailure,
      });
    },
    startQuestions: (onFailure) =>
      startQuestionsWorker({
        connection,
        namespace,
        taskQueue: questionsQueueOf(appId),
        activities: Object.fromEntries(
          Object.entries(entities.questions ?? {}).map(([name, ask]) => [name, questionActivity(ask)]),
        ),
        dataConverter,
        maxQuestions: entities.maxQuestions ?? 100,
        onFailure,
      }),
  };
}
