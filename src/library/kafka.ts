/**
 * `money-enrichment/kafka`: what the bridge and the publisher need of Kafka ({@link KafkaPort}), on kafkajs with the faults mended
 * that break exactly-once (docs/kafkajs.md).
 *
 * @module
 */
import type { KafkaConfig } from '../engine/kafka/kafka-config.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import type { KafkaClient } from '../engine/kafka/port.ts';
import { createLogger, type Logger } from '../engine/log.ts';

export { CodedError, type ErrorCode } from '../engine/errors.ts';
export { partitionOf } from '../engine/kafka/partitioner.ts';
export type {
  CommittedOffset,
  GroupHandlers,
  GroupMember,
  HeaderValue,
  InRecord,
  KafkaClient,
  KafkaPort,
  OutRecord,
  RecordBatch,
  RecordFound,
  RecordHeaders,
  SendOptions,
  TopicIdentity,
  TopicPartition,
  Transaction,
  TransactionalProducer,
} from '../engine/kafka/port.ts';
export { createLogger, silentLogger, type Logger } from '../engine/log.ts';

/** How Kafka is reached. `sslCa`, `sslCert`, `sslKey`: PEM text or paths of files. */
export type KafkaConnection = Partial<KafkaConfig> & Pick<KafkaConfig, 'brokers'>;

/** Connects nothing yet. `close` ends everything that came out of it and is still open. */
export function kafkajs(
  connection: KafkaConnection,
  { logger = createLogger({ base: { component: 'kafka' } }) }: { readonly logger?: Logger } = {},
): KafkaClient {
  return createKafka({ ssl: false, ...connection }, logger);
}
