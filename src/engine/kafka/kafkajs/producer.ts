/**
 * A plain idempotent producer, for commands that only write. Records go where Kafka's own partitioner puts their key,
 * one partition a request (kafkajs loses records when one request spans several), in batches that their topic takes.
 */
import { systemClock } from '../../clock.ts';
import type { KafkaConfig } from '../kafka-config.ts';
import { CodedError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { createAdmin } from './admin.ts';
import { createClient, PATIENT_RETRY } from './client.ts';
import { kafkaError, requestError } from './errors.ts';
import { partitionOf } from '../partitioner.ts';
import { batchesOf } from '../fitting.ts';
import type { OutRecord, SendOptions } from '../port.ts';
import { deadline } from './timing.ts';
import { RefusedBatch, TopicRooms } from '../topic-rooms.ts';
import { assertAcknowledged, compressionOf, explicitPartition, messagesOf } from './transactional-producer.ts';

/** ms for one send, retries included */
const SEND_TIMEOUT = 60_000;
/** ms */
const CONNECT_TIMEOUT = 30_000;
/** Refusals of one batch for its size: each halves what is tried, so it is a record that is not taken. */
const MAX_REFUSALS = 12;

export interface PlainProducer {
  /**
   * Resolves when all are written by all in-sync replicas. Records of one key keep their order; those without a key are
   * spread in turn; all go to `partition` when it is named. Errors: CodedError KAFKA (some may have been written), TOPIC (no such topic).
   */
  send(topic: string, records: readonly OutRecord[], partition?: number): Promise<void>;
  /** Never throws. */
  close(): Promise<void>;
}

/** Errors: CodedError UNREACHABLE, KAFKA. */
export async function createPlainProducer(config: KafkaConfig, logger: Logger): Promise<PlainProducer> {
  const client = createClient(config, logger, { retry: PATIENT_RETRY });
  const admin = createAdmin(config, logger);
  const producer = client.kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: explicitPartition,
  });
  const close = async (): Promise<void> => {
    await deadline(5_000, 'disconnect', () => producer.disconnect()).catch(() => undefined);
    client.destroy();
    await admin.close();
  };
  try {
    await deadline(CONNECT_TIMEOUT, `connecting to ${config.brokers.join(', ')}`, () => producer.connect());
  } catch (error) {
    await close();
    throw requestError(config.brokers, 'connecting a producer', error);
  }

  const rooms = new TopicRooms(admin, systemClock);
  const counts = new Map<string, number>();
  let turn = 0;

  const partitionsOf = async (topic: string): Promise<number> => {
    const known = counts.get(topic);
    if (known !== undefined) return known;
    const [count] = await admin.partitionCounts([topic]);
    if (!count) throw new CodedError('TOPIC', `the topic "${topic}" does not exist: create it first`);
    counts.set(topic, count);
    return count;
  };

  return {
    async send(topic, records, chosen) {
      const count = await partitionsOf(topic);
      const byPartition = new Map<number, OutRecord[]>();
      for (const record of records) {
        const partition = chosen ?? (record.key === null ? turn++ % count : partitionOf(record.key, count));
        const rows = byPartition.get(partition);
        if (rows === undefined) byPartition.set(partition, [record]);
        else rows.push(record);
      }
      await Promise.all([...byPartition].map(([partition, rows]) => sendFitting(topic, partition, rows)));
    },
    close,
  };

  async function sendFitting(topic: string, partition: number, records: readonly OutRecord[]): Promise<void> {
    let written = 0;
    for (let refusals = 0; written < records.length;) {
      try {
        for (const batch of await batchesOf(records.slice(written), await rooms.of(topic))) {
          await rooms.send({ send }, topic, partition, [batch]);
          written += batch.records.length;
          refusals = 0;
        }
      } catch (error) {
        refusals += 1;
        if (!(error instanceof RefusedBatch) || error.why !== 'size' || refusals > MAX_REFUSALS) throw error;
      }
    }
  }

  async function send(
    topic: string,
    partition: number,
    records: readonly OutRecord[],
    options?: SendOptions,
  ): Promise<number> {
    const what = `send to ${topic}-${partition}`;
    try {
      const messages = messagesOf(records, partition);
      const answer = await deadline(SEND_TIMEOUT, what, () =>
        producer.send({ topic, acks: -1, messages, compression: compressionOf(options) }),
      );
      return assertAcknowledged(answer, topic, partition);
    } catch (error) {
      throw kafkaError(what, error);
    }
  }
}
