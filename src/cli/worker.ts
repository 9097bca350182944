/** `worker`: runs the workflows and activities of the shards that it owns, and publishes their outputs. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Command } from 'commander';
import { Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import { createActivities } from '../../activities/index.ts';
import { createLookupSessions } from '../../activities/lookup-sessions.ts';
import { questionsQueueOf, taskQueueOf, bridgeGroupOf } from '../engine/naming.ts';
import { systemClock } from '../engine/clock.ts';
import { inputTopicsOf, type Config } from '../money/config.ts';
import { METRICS_PORT } from '../money/config/observation.ts';
import { CodedError } from '../engine/errors.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import type { KafkaPort } from '../engine/kafka/port.ts';
import { ensureTopics } from '../money/topics/topics.ts';
import type { Logger } from '../engine/log.ts';
import { createRegistry, createWorkerMetrics } from '../money/metrics.ts';
import { watchExpiry } from '../money/expiry.ts';
import { createProcessMetrics } from '../money/metrics/process.ts';
import { createOwnership } from '../engine/publish/ownership.ts';
import type { Encryption } from '../engine/temporal/key-provider.ts';
import { connectTemporalNative, within } from '../engine/temporal/connection.ts';
import { askForNamespace } from '../engine/temporal/answers.ts';
import { serveSdkMetrics } from '../engine/temporal/sdk-metrics.ts';
import { createCommittedWatermark } from '../engine/worker/committed-watermark.ts';
import { outputEncoder } from '../money/codec/value-format.ts';
import { ShardsWorker } from '../engine/worker/shards-worker.ts';
import { startQuestionsWorker } from '../engine/worker/questions-worker.ts';
import { counted } from '../money/worker/observed.ts';
import { lookupsOf } from '../money/worker/lookups.ts';
import { WorkerWatches } from '../money/worker/worker-watches.ts';
import { replaySinks } from '../engine/worker/replay-sinks.ts';
import type { Publisher } from '../engine/publish/publisher.ts';
import type { Output } from '../money/domain/events.ts';
import { tracedPublisher } from '../money/worker/traced-publisher.ts';
import { startTracing } from './tracing.ts';
import { SpareThreads } from '../engine/worker/spare-threads.ts';
import { noticeSinks } from '../money/worker/notice-sinks.ts';
import { temporalLog } from '../engine/worker/temporal-log.ts';
import { eachVersion, startVersionWorkers, type Versions } from '../engine/worker/version-workers.ts';
import { cachedWorkflows, defaultCacheMb } from '../engine/worker/workflow-cache.ts';
import { ownWorkflows, readWorkflows, type WorkflowVersion } from '../engine/worker/workflow-version.ts';
import { workflowIdsOf } from '../money/workflow-ids.ts';
import { createContext, keyringPart } from './context.ts';
import { serve } from '../engine/process/serve.ts';
import { onStopSignal } from '../engine/process/stop-signal.ts';

/** ms */
const PROBE_DEADLINE = 4_000;

export function workerCommand(): Command {
  return new Command('worker')
    .description(
      'Runs the workflows and activities of the shards that it owns and publishes the enriched money. Start any number: they\n' +
        'share the shards. Prints READY when it has joined its group; SIGTERM ends what runs and gives the shards back.',
    )
    .action(runWorker);
}

async function runWorker(): Promise<void> {
  const { env, config, logger, encryption } = createContext(
    { requireKafka: true, requireTemporal: true, requireSessionService: true },
    { service: 'worker' },
  );
  await encryption.ready?.();
  const stop = onStopSignal();
  const registry = createRegistry();
  const metrics = createWorkerMetrics(registry);
  const temporalLogger = temporalLog(logger, {
    now: () => systemClock.now(),
    onTaskLost: () => metrics.tasksLost.inc(),
  });
  const logging = { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} };
  const sdkMetrics = await serveSdkMetrics((sdk) =>
    Runtime.install({ logger: temporalLogger, telemetryOptions: { logging, metrics: sdk }, shutdownSignals: [] }),
  );
  watchExpiry({ registry, config, env, logger });
  const kafka = createKafka(config.kafka!, logger);
  const older = await Promise.all(
    config.olderWorkflows.map((file) => readWorkflows(file, 'ENRICHMENT_OLDER_WORKFLOWS')),
  );
  const [{ connection, namespace }, own] = await Promise.all([
    connectTemporalNative(env),
    ownWorkflows(temporalLogger),
  ]);
  const about = createProcessMetrics(registry, 'worker', own.buildId);
  const versions = versionsOf(config.deployment, own, older, encryption);
  const tracing = startTracing(config, { role: 'worker', logger, onLost: about.spansLost });
  const threads = new SpareThreads(systemClock, logger);
  try {
    const partitions = await checkTopics(kafka, config, logger);
    metrics.shards.set(partitions);
    const workers = partitions * (1 + versions.older.length);
    const cacheMb = config.workflowCacheMb ?? defaultCacheMb(workers);
    const maxCachedWorkflows = cachedWorkflows(cacheMb, workers);
    logger.info({ cacheMb, maxCachedWorkflows }, 'workflows of each shard and version that are kept in memory');
    const encode = await outputEncoder(config, systemClock, logger);
    const { appId, topics } = config;
    const watches = new WorkerWatches({ config, kafka, clock: systemClock, logger, metrics });
    const lookups = lookupsOf(
      { ...config, sessionServiceUrl: config.sessionServiceUrl! },
      { clock: systemClock, metrics, watch: watches.sessionService },
    );
    const workflowId = workflowIdsOf(config);
    const traced = (publisher: Publisher<Output>, shard: number): Publisher<Output> =>
      tracing === undefined
        ? publisher
        : tracedPublisher(publisher, tracing.tracer, { topic: topics.output, shard, workflowId });
    const shared = {
      ...lookups,
      committedWatermark: createCommittedWatermark(
        kafka,
        systemClock,
        bridgeGroupOf(appId),
        inputTopicsOf(topics),
        workflowId,
      ),
    };
    const worker = new ShardsWorker({
      clock: systemClock,
      logger,
      createOwnership: (handlers) =>
        createOwnership({
          ...handlers,
          appId,
          outputTopic: topics.output,
          ledgerTopic: topics.ledger,
          kafka,
          encode,
          clock: systemClock,
          host: hostname(),
          newId: randomUUID,
          random: Math.random,
          onAssigned: (shards) => {
            about.rebalanced();
            threads.expect(partitions - shards.length);
          },
          onEvent: (event) => watches.onShardEvent(event),
        }),
      async startShardWorker(shard, publisher, onFailure) {
        const slots = watches.replays.begin(shard);
        const workers = await startVersionWorkers(versions, {
          connection,
          namespace,
          taskQueue: taskQueueOf(appId, shard),
          activities: createActivities({ ...shared, publisher: traced(counted(publisher, metrics), shard) }),
          sinks: { ...noticeSinks(metrics, watches.waiting), ...replaySinks(slots) },
          replays: slots,
          stackTraces: config.stackTraces,
          maxCachedWorkflows,
          threads,
          pollers: config.pollers,
          onFailure,
        });
        return {
          async stop() {
            await workers.stop();
            watches.replays.end(shard, slots);
          },
        };
      },
      beside: {
        name: 'the worker of the lookups',
        start: (onFailure) =>
          eachVersion(versions, (_, version) =>
            startQuestionsWorker({
              ...version,
              connection,
              namespace,
              onFailure,
              taskQueue: questionsQueueOf(appId),
              activities: { lookupSessions: createLookupSessions(lookups, lookups.sessionService) },
              maxQuestions: config.maxLookups,
            }),
          ),
      },
    });
    if (config.deployment !== undefined) {
      logger.info(
        { deployment: config.deployment, buildId: own.buildId, older: versions.older.map(({ buildId }) => buildId) },
        'this worker gets new workflows once its version is the current one of the deployment',
      );
    }
    await serve({
      name: 'worker',
      service: worker,
      config,
      portSetting: METRICS_PORT,
      registry,
      moreMetrics: sdkMetrics,
      logger,
      stop,
      probes: {
        kafka: () => kafka.partitionCounts([topics.output]),
        temporal: () =>
          within(PROBE_DEADLINE, connection, () => askForNamespace(connection.workflowService, namespace)),
      },
      parts: { ...watches.parts, ...keyringPart(encryption) },
      // A deployment must not wait for it: its money waits, all other goes on.
      beside: { sessionService: watches.sessionService.part },
      observe: about.observe,
      setGauges: () => watches.setGauges(worker),
    });
  } finally {
    await threads.close();
    await tracing?.close();
    await kafka.close();
    await connection.close();
  }
}

/** An older version with this one's code, or twice the same, is one. */
function versionsOf(
  deployment: string | undefined,
  own: WorkflowVersion,
  older: readonly WorkflowVersion[],
  encryption: Encryption,
): Versions {
  const others = new Map(older.map((version) => [version.buildId, version]));
  others.delete(own.buildId);
  return { own, older: [...others.values()], deployment, encryption };
}

/** Returns how many shards there are. A shard is a partition of both topics: they must agree. The ledger is the product's own, and made where it is missing. */
async function checkTopics(kafka: KafkaPort, config: Config, logger: Logger): Promise<number> {
  const { topics } = config;
  const [output, ledger] = await kafka.partitionCounts([topics.output, topics.ledger]);
  if (!output) {
    throw new CodedError('TOPIC', `missing topic: ${topics.output}; create it with "money-enrichment topics"`);
  }
  if (!ledger) {
    await ensureTopics(config, logger, { partitions: output, only: topics.ledger });
    logger.info({ topic: topics.ledger, partitions: output }, 'the ledger topic was missing and is created');
  } else if (output !== ledger) {
    throw new CodedError(
      'TOPIC',
      `${topics.output} has ${output} partitions and ${topics.ledger} has ${ledger}: they must be equal, and never change; ` +
        'a user keeps its shard for ever',
    );
  }
  return output;
}
