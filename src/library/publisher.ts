/**
 * `money-enrichment/publisher`: what workflows emit (`Outbox` of `money-enrichment/workflow`) into Kafka, exactly once, in the
 * order of each workflow: by transactions, a ledger topic beside the output topic, and one writer for each of its partitions.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { systemClock, type Clock } from '../engine/clock.ts';
import { CodedError } from '../engine/errors.ts';
import { partitionOf } from '../engine/kafka/partitioner.ts';
import type { KafkaPort } from '../engine/kafka/port.ts';
import { createLogger, type Logger } from '../engine/log.ts';
import { ledgerTopicOf, taskQueueOf } from '../engine/naming.ts';
import { publishActivity } from '../engine/publish/activity.ts';
import type { EncodedOutput } from '../engine/publish/group-commit.ts';
import { serviceOf, type Service } from '../engine/process/service.ts';
import { createOwnership, eventText } from '../engine/publish/ownership.ts';
import type { OnShardEvent } from '../engine/publish/publisher.ts';
import { ShardsWorker } from '../engine/worker/shards-worker.ts';
import { runTemporalWorker, SHUTDOWN } from '../engine/worker/temporal-worker.ts';
import { entityWorkers, type EntitiesOptions, type EntityWorkers } from '../engine/worker/entity-workers.ts';
import type { Emitted } from '../engine/workflow/emitted.ts';

export type { EncodedOutput } from '../engine/publish/group-commit.ts';
export type { OnShardEvent, ShardEvent } from '../engine/publish/publisher.ts';
export type { EncryptionKey, KeyProvider } from '../engine/temporal/key-provider.ts';
export { runServices, type RunServicesOptions } from '../engine/process/run-services.ts';
export type { Service } from '../engine/process/service.ts';
export type { EntitiesOptions } from '../engine/worker/entity-workers.ts';

/** Where the records of workflows go, and in which form. `R`: what a workflow emits, plain JSON. */
export interface PublisherOptions<R> {
  /** Prefix of the group, the transactional ids and the task queues; it never changes. */
  readonly appId: string;
  /** Its number of partitions never changes: each is a shard, written by one process at a time. */
  readonly topic: string;
  /**
   * What `signalEntities` and outboxes were given as `shards`: another number than the topic's would send workflows to queues that nobody
   * polls, and is refused at the start (TOPIC). Not looked at when absent.
   */
  readonly shards?: number;
  /** Compacted, with as many partitions. `<topic>-ledger` when absent. */
  readonly ledgerTopic?: string;
  readonly kafka: KafkaPort;
  /** Value and headers of the Kafka record; its key has to be `key`, or one that lives in the same partition. */
  readonly encode: (record: R, key: string) => EncodedOutput;
  readonly connection: NativeConnection;
  readonly namespace?: string;
  /** More of the Temporal worker of each shard: with `workflowsPath` the workflows may run on its task queue, too. */
  readonly worker?: Partial<WorkerOptions>;
  /** Workflows of `entityWorkflow`, which run where their shard is: in place of `worker`. */
  readonly entities?: EntitiesOptions;
  readonly onEvent?: OnShardEvent;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/** The shard of a key among so many, and the task queue of a shard. */
export function shardQueueOf(appId: string, key: string, shards: number): string {
  return taskQueueOf(appId, partitionOf(key, shards));
}

/** Start any number of processes: they share the shards. */
export function createPublisher<R>(options: PublisherOptions<R>): Service {
  const {
    appId,
    topic,
    ledgerTopic = ledgerTopicOf(topic),
    kafka,
    connection,
    namespace = 'default',
    clock = systemClock,
  } = options;
  const logger = options.logger ?? createLogger({ base: { component: 'publisher' } });
  let entities: EntityWorkers | undefined;
  const shards = new ShardsWorker<Emitted<R>>({
    clock,
    logger,
    createOwnership: (handlers) =>
      createOwnership({
        ...handlers,
        appId,
        outputTopic: topic,
        ledgerTopic,
        kafka,
        encode: ({ record }, key) => options.encode(record, key),
        clock,
        host: hostname(),
        newId: randomUUID,
        random: Math.random,
        onEvent:
          options.onEvent ??
          ((event) =>
            logger[event.type === 'refused' || event.type === 'outputRefused' ? 'error' : 'debug'](eventText(event))),
      }),
    async startShardWorker(shard, publisher, onFailure) {
      const publish = publishActivity({ publisher });
      if (entities !== undefined) return entities.startShard(shard, publish, onFailure);
      const { activities = {}, ...more } = options.worker ?? {};
      const worker = await Worker.create({
        connection,
        namespace,
        taskQueue: taskQueueOf(appId, shard),
        activities: { ...activities, publish },
        ...SHUTDOWN,
        ...more,
      });
      return runTemporalWorker(worker, onFailure);
    },
    ...(options.entities?.questions && {
      beside: { name: 'the worker of the questions', start: (onFailure) => entities!.startQuestions(onFailure) },
    }),
  });
  return serviceOf(async () => {
    await checkTopics(kafka, options, ledgerTopic);
    if (options.entities !== undefined) {
      entities = await entityWorkers(options.entities, { appId, kafka, connection, namespace, clock, logger });
    }
    return shards;
  });
}

async function checkTopics(
  kafka: KafkaPort,
  { topic, shards }: Pick<PublisherOptions<never>, 'topic' | 'shards'>,
  ledgerTopic: string,
): Promise<void> {
  const [output, ledger] = await kafka.partitionCounts([topic, ledgerTopic]);
  if (!output) throw new CodedError('TOPIC', `the topic "${topic}" does not exist: create it first`);
  if (shards !== undefined && shards !== output) {
    throw new CodedError(
      'TOPIC',
      `the topic "${topic}" has ${output} partitions, and shards is ${shards}: they must be equal, and never change`,
    );
  }
  if (output === ledger) return;
  const found = ledger === null || ledger === undefined ? 'does not exist' : `has ${ledger} partitions`;
  throw new CodedError(
    'TOPIC',
    `the ledger topic "${ledgerTopic}" ${found}: create it with ${output} partitions, as "${topic}" has, and cleanup.policy=compact`,
  );
}
