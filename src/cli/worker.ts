/** `worker`: runs the workflows and activities of the shards that it owns, and publishes their outputs. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Command } from 'commander';
import { Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import { createActivities } from '../../activities/index.ts';
import { Limiter } from '../../activities/limiter.ts';
import { createLookupSessions } from '../../activities/lookup-sessions.ts';
import { lookupsQueueOf, taskQueueOf, bridgeGroupOf } from '../engine/naming.ts';
import { systemClock } from '../engine/clock.ts';
import { inputTopicsOf, METRICS_PORT, type Config } from '../money/config.ts';
import { CodedError } from '../engine/errors.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import type { KafkaPort } from '../engine/kafka/port.ts';
import { ensureTopics } from '../money/topics/topics.ts';
import type { Logger } from '../engine/log.ts';
import { createRegistry, createWorkerMetrics, type WorkerMetrics } from '../money/metrics.ts';
import { watchExpiry } from '../money/expiry.ts';
import { createOwnership, eventText } from '../engine/publish/ownership.ts';
import type { OnShardEvent, Publisher } from '../engine/publish/publisher.ts';
import { connectTemporalNative, within } from '../engine/temporal/connection.ts';
import { askForNamespace } from '../engine/temporal/answers.ts';
import { createCommittedWatermark } from '../engine/worker/committed-watermark.ts';
import { outputEncoder } from '../money/codec/value-format.ts';
import type { Output } from '../money/domain/events.ts';
import { RefusedOutputs } from '../engine/worker/refused-outputs.ts';
import { RefusedWorkflows } from '../engine/worker/refused-workflows.ts';
import { ShardsWorker } from '../engine/worker/shards-worker.ts';
import { startQuestionsWorker } from '../engine/worker/questions-worker.ts';
import { UnopenedShards } from '../engine/worker/unopened-shards.ts';
import { SessionServiceWatch } from '../money/worker/session-service-watch.ts';
import { replaySinks } from '../engine/worker/replay-sinks.ts';
import { noticeSinks } from '../money/worker/notice-sinks.ts';
import { Replays } from '../engine/worker/replays.ts';
import { temporalLog } from '../engine/worker/temporal-log.ts';
import { eachVersion, startVersionWorkers, type Versions } from '../engine/worker/version-workers.ts';
import { cachedWorkflows, defaultCacheMb } from '../engine/worker/workflow-cache.ts';
import { ownWorkflows, readWorkflows, type WorkflowVersion } from '../engine/worker/workflow-version.ts';
import { workflowIdsOf, type WorkflowIds } from '../money/workflow-ids.ts';
import { createContext } from './context.ts';
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
  const { env, config, logger } = createContext({
    requireKafka: true,
    requireTemporal: true,
    requireSessionService: true,
  });
  const stop = onStopSignal();
  const registry = createRegistry();
  const metrics = createWorkerMetrics(registry);
  const temporalLogger = temporalLog(logger, {
    now: () => systemClock.now(),
    onTaskLost: () => metrics.tasksLost.inc(),
  });
  Runtime.install({
    logger: temporalLogger,
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} } },
    shutdownSignals: [],
  });
  watchExpiry({ registry, config, env, logger });
  const kafka = createKafka(config.kafka!, logger);
  const older = await Promise.all(
    config.olderWorkflows.map((file) => readWorkflows(file, 'ENRICHMENT_OLDER_WORKFLOWS')),
  );
  const [{ connection, namespace }, own] = await Promise.all([
    connectTemporalNative(env),
    ownWorkflows(temporalLogger),
  ]);
  const versions = versionsOf(config.deployment, own, older);
  try {
    const partitions = await checkTopics(kafka, config, logger);
    const cacheMb = config.workflowCacheMb ?? defaultCacheMb();
    const maxCachedWorkflows = cachedWorkflows(cacheMb, partitions * (1 + versions.older.length));
    logger.info({ cacheMb, maxCachedWorkflows }, 'workflows of each shard and version that are kept in memory');
    const encode = await outputEncoder(config, systemClock, logger);
    const { appId, topics } = config;
    const sessionService = new SessionServiceWatch(systemClock, logger);
    const refused = new RefusedOutputs(systemClock, topics.output);
    const ledger = new RefusedWorkflows(systemClock);
    const shards = new UnopenedShards(systemClock);
    const replays = new Replays({
      clock: systemClock,
      logger,
      observe: (ms) => metrics.replaySeconds.observe(ms / 1_000),
    });
    const observed = observe(metrics, logger, workflowIdsOf(config), refused);
    const lookups = {
      sessionServiceUrl: config.sessionServiceUrl!,
      lookupTimeout: config.lookupTimeout,
      ...(config.sessionServiceAccess && { fetch: config.sessionServiceAccess.fetch }),
      limiter: new Limiter(config.maxLookups),
      clock: systemClock,
      observeLookup(...[outcome, why]: Parameters<SessionServiceWatch['observe']>) {
        // What is given up is counted when it comes out: most of it is given up by the server, and not here.
        if (outcome !== 'given-up') metrics.lookups.inc({ outcome });
        sessionService.observe(outcome, why);
      },
    };
    const shared = {
      ...lookups,
      committedWatermark: createCommittedWatermark(
        kafka,
        systemClock,
        bridgeGroupOf(appId),
        inputTopicsOf(topics),
        workflowIdsOf(config),
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
          onEvent(event) {
            ledger.observe(event);
            shards.observe(event);
            observed(event);
          },
        }),
      async startShardWorker(shard, publisher, onFailure) {
        const slots = replays.begin(shard);
        const workers = await startVersionWorkers(versions, {
          connection,
          namespace,
          taskQueue: taskQueueOf(appId, shard),
          activities: createActivities({ ...shared, publisher: counted(publisher, metrics) }),
          sinks: { ...noticeSinks(metrics), ...replaySinks(slots) },
          replays: slots,
          stackTraces: config.stackTraces,
          maxCachedWorkflows,
          onFailure,
        });
        return {
          async stop() {
            await workers.stop();
            replays.end(shard, slots);
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
              taskQueue: lookupsQueueOf(appId),
              activities: { lookupSessions: createLookupSessions(lookups) },
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
      stop,
      probes: {
        kafka: () => kafka.partitionCounts([topics.output]),
        temporal: () =>
          within(PROBE_DEADLINE, connection, () => askForNamespace(connection.workflowService, namespace)),
      },
      parts: { sessionService: sessionService.part, outputs: refused, ledger, shards, replays },
      setGauges() {
        metrics.shardsOwned.set(worker.holds);
        metrics.shardsFailing.set(worker.shardsFailing);
        metrics.outputsRefused.set(refused.count);
        metrics.replays.set(replays.underWay);
      },
    });
  } finally {
    await kafka.close();
    await connection.close();
  }
}

/** Counts the lookups that were given up, where their money comes out. */
function counted(publisher: Publisher<Output>, metrics: WorkerMetrics): Publisher<Output> {
  return {
    async publish(request) {
      await publisher.publish(request);
      const givenUp = request.outputs.filter(({ incomplete }) => incomplete === true).length;
      if (givenUp > 0) metrics.lookups.inc({ outcome: 'given-up' }, givenUp);
    },
  };
}

/** An older version with this one's code, or twice the same, is one. */
function versionsOf(deployment: string | undefined, own: WorkflowVersion, older: readonly WorkflowVersion[]): Versions {
  const others = new Map(older.map((version) => [version.buildId, version]));
  others.delete(own.buildId);
  return { own, older: [...others.values()], deployment };
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

function observe(
  metrics: WorkerMetrics,
  logger: Logger,
  workflowId: WorkflowIds,
  refused: RefusedOutputs,
): OnShardEvent {
  return (event) => {
    refused.observe(event);
    const text = eventText(event);
    switch (event.type) {
      case 'committed':
        metrics.published.inc(event.outputs);
        metrics.transactions.inc({ outcome: 'committed' });
        metrics.transactionSeconds.observe(event.ms / 1_000);
        return logger.debug(text);
      case 'reopening':
        metrics.transactions.inc({ outcome: 'failed' });
        return logger.warn(text);
      case 'repeated':
        metrics.duplicatesAbsorbed.inc(event.requests);
        return logger.debug(text);
      case 'refused':
        return logger.error({ workflowId: workflowId(event.key) }, text);
      case 'noticed':
        metrics.workflowEvents.inc({ kind: event.notice });
        return logger.warn({ workflowId: workflowId(event.key) }, text);
      case 'outputRefused':
        metrics.outputRefusals.inc();
        // Once: it is tried again for as long as it takes.
        return event.turns === 1
          ? logger.error({ workflowId: workflowId(event.key) }, text)
          : logger.debug({ workflowId: workflowId(event.key), turns: event.turns }, text);
      case 'outputTaken':
        return logger.info({ workflowId: workflowId(event.key) }, text);
      case 'closed':
        return logger.debug(text);
      case 'lost':
        return logger.warn(text);
      case 'opened':
        return logger.info(text);
      default:
        return event satisfies never;
    }
  };
}
