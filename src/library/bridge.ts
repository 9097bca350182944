/**
 * `money-enrichment/bridge`: the records of co-partitioned Kafka topics, in the order of their event time, into one workflow per
 * key. Each is signalled at least once, and a workflow that asks `Received` (`money-enrichment/workflow`) applies it exactly once.
 *
 * @module
 */
import type { WorkflowClient } from '@temporalio/client';
import type { BridgeObserver, BridgeSettings } from '../engine/bridge/bridge-settings.ts';
import { Bridge } from '../engine/bridge/bridge.ts';
import { signalWithStart } from '../engine/temporal/signal-with-start.ts';
import type { Signaller } from '../engine/bridge/signaller.ts';
import { systemClock, type Clock } from '../engine/clock.ts';
import { CodedError } from '../engine/errors.ts';
import type { KafkaPort } from '../engine/kafka/port.ts';
import { createLogger, type Logger } from '../engine/log.ts';
import { partitionOf } from '../engine/kafka/partitioner.ts';
import { bridgeGroupOf, taskQueueOf, workflowIdOf } from '../engine/naming.ts';
import type { Decoded, RawKafkaRecord } from '../engine/ordering/decoded.ts';
import { serviceOf, type Service } from '../engine/process/service.ts';
import { jsonDecoders, type DecoderSource, type ValueDecoder } from '../engine/values/value.ts';

export { acceptLogs } from '../engine/bridge/accept-logs.ts';
export type { BridgeObserver } from '../engine/bridge/bridge-settings.ts';
export { DEAD_LETTER_REASONS, type DeadLetterReason, type Rejection } from '../engine/ordering/rejection.ts';
export { signalWithStart, type SignalWithStart } from '../engine/temporal/signal-with-start.ts';
export type { Batch, HistoryLength, Signaller } from '../engine/bridge/signaller.ts';
export type { Decoded, RawKafkaRecord } from '../engine/ordering/decoded.ts';
export { runServices, type RunServicesOptions } from '../engine/process/run-services.ts';
export type { Service } from '../engine/process/service.ts';
export type { ReceivedBatch, ReceivedRecord } from '../engine/workflow/received.ts';

/** One of the topics. */
export interface Input<E> {
  readonly topic: string;
  /**
   * A function of the record alone, which never throws: an event, a record that only moves time, or why the record cannot be used,
   * which makes it a dead letter. `decoder`: of values in a schema registry's format; of JSON when none is configured.
   */
  decode(record: RawKafkaRecord, decoder: ValueDecoder): Decoded<E>;
}

/** What a bridge reads, in which order, and where it brings it. */
export interface BridgeOptions<E> {
  /** Prefix of the consumer group and the transactional ids; it never changes. */
  readonly appId: string;
  /** Co-partitioned: a key lives in the same partition number of all of them (see {@link createBridge} for one that does not). Their order is the order of equal times; it never changes. */
  readonly inputs: readonly Input<E>[];
  /** Takes records that cannot be used, raw, with headers that say why and whence. */
  readonly deadLetterTopic: string;
  /** ms: how far behind the latest one a record's event time may be without being late. */
  readonly outOfOrderness: number;
  /** ms of silence after which an input holds back nobody. */
  readonly idleTimeout: number;
  /**
   * ms, at most 2,000 or so: an urgent event waits so long for others of its key, to share one signal with them, unless its partition is
   * quiet. 0 when absent. Order and content of what is signalled do not depend on it.
   */
  readonly flushDelay?: number;
  readonly kafka: KafkaPort;
  /** Where events go: {@link signalWithStart}, or anything that is durable and takes the same batch twice. */
  readonly signaller: Signaller;
  /** bytes of a value; a larger one is a dead letter. 1,000,000 when absent. */
  readonly maxRecordBytes?: number;
  /** Handed on with every batch: what workflows are to go by. */
  readonly rules?: unknown;
  readonly decoders?: DecoderSource;
  readonly observer?: Partial<BridgeObserver>;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

const NOTHING: BridgeObserver = {
  read() {},
  deadLettersWritten() {},
  deadLettersCut() {},
  late() {},
  signalled() {},
  signalFailed() {},
  committed() {},
  splitKey() {},
};

/**
 * Start any number of processes: they share the partitions. A key whose records come from two partitions, as far as one process sees
 * both, is signalled all the same; a line at level warn names its workflow and the partitions, at most once a minute, and the
 * observer is told of each signal (`splitKey`).
 */
export function createBridge<E>(options: BridgeOptions<E>): Service {
  const { appId, inputs, deadLetterTopic, kafka, signaller, clock = systemClock } = options;
  const logger = options.logger ?? createLogger({ base: { component: 'bridge' } });
  return serviceOf(async () => {
    const [deadLetterPartitions] = await kafka.partitionCounts([deadLetterTopic]);
    if (!deadLetterPartitions) {
      throw new CodedError('TOPIC', `the topic "${deadLetterTopic}" does not exist: create it first`);
    }
    const settings: BridgeSettings = {
      appId,
      groupId: bridgeGroupOf(appId),
      inputTopics: inputs.map(({ topic }) => topic),
      deadLetterTopic,
      deadLetterPartitions,
      outOfOrderness: options.outOfOrderness,
      idleTimeout: options.idleTimeout,
      flushDelay: options.flushDelay ?? 0,
      maxRecordBytes: options.maxRecordBytes ?? 1_000_000,
      decode: (input, record, decoder) => inputs[input]!.decode(record, decoder),
      rules: options.rules,
    };
    return new Bridge(settings, {
      kafka,
      signaller,
      clock,
      logger,
      observer: { ...NOTHING, ...options.observer },
      decoders: options.decoders ?? jsonDecoders,
    });
  });
}

export interface SignalEntities {
  /** The name under which the workflow of `entityWorkflow` is exported. */
  readonly workflowType: string;
  /** As the publisher's. */
  readonly appId: string;
  /** Partitions of the output topic, which never change. */
  readonly shards: number;
}

/** Signals entities (`entityWorkflow` of `money-enrichment/workflow`): the workflow of a key is called `<appId>/<key>`, and runs where its shard is. */
export function signalEntities(client: WorkflowClient, { workflowType, appId, shards }: SignalEntities): Signaller {
  return signalWithStart(client, {
    workflowType,
    workflowId: (key) => workflowIdOf(appId, encodeURIComponent(key)),
    taskQueue: (key) => taskQueueOf(appId, partitionOf(key, shards)),
    args: (key) => [{ key }],
  });
}
