/**
 * A plain idempotent producer, for commands that only write. Records go where Kafka's own partitioner puts their key,
 * one partition a request (kafkajs loses records when one request spans several).
 */
import type { KafkaConfig } from '../config.ts';
import { EnrichmentError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createAdmin } from './admin.ts';
import { createClient, PATIENT_RETRY } from './client.ts';
import { kafkaError, requestError } from './errors.ts';
import { partitionOf } from './partitioner.ts';
import { bytesOf } from './port.ts';
import type { OutRecord } from './port.ts';
import { deadline } from './timing.ts';
import { assertAcknowledged, explicitPartition, messagesOf } from './transactional-producer.ts';

/** ms for one send, retries included */
const SEND_TIMEOUT = 60_000;
/** ms */
const CONNECT_TIMEOUT = 30_000;
/** Of one request; a broker takes about 1 MiB by default. */
const MAX_RECORDS = 1_000;
const MAX_BYTES = 700_000;

export interface PlainProducer {
  /**
   * Resolves when all are written by all in-sync replicas. Records of one key keep their order; those without a key are
   * spread in turn; all go to `partition` when it is named. Errors: EnrichmentError KAFKA (some may have been written), TOPIC (no such topic).
   */
  send(topic: string, records: readonly OutRecord[], partition?: number): Promise<void>;
  /** Never throws. */
  close(): Promise<void>;
}

/** Errors: EnrichmentError UNREACHABLE, KAFKA. */
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

  const counts = new Map<string, number>();
  let turn = 0;

  const partitionsOf = async (topic: string): Promise<number> => {
    const known = counts.get(topic);
    if (known !== undefined) return known;
    const [count] = await admin.partitionCounts([topic]);
    if (!count) throw new EnrichmentError('TOPIC', `the topic "${topic}" does not exist: create it with "money-enrichment topics"`);
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
      await Promise.all(
        [...byPartition].map(async ([partition, rows]) => {
          for (const part of requestsOf(rows)) await sendTo(topic, partition, part);
        }),
      );
    },
    close,
  };

  async function sendTo(topic: string, partition: number, records: readonly OutRecord[]): Promise<void> {
    const what = `send to ${topic}-${partition}`;
    try {
      const messages = messagesOf(records, partition);
      const answer = await deadline(SEND_TIMEOUT, what, () => producer.send({ topic, acks: -1, messages }));
      assertAcknowledged(answer, topic, partition);
    } catch (error) {
      throw kafkaError(what, error);
    }
  }
}

/** Runs of records that fit into one request; a larger record goes alone. */
function* requestsOf(records: readonly OutRecord[]): Generator<OutRecord[]> {
  let part: OutRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = bytesOf(record);
    if (part.length > 0 && (part.length >= MAX_RECORDS || bytes + size > MAX_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += size;
  }
  if (part.length > 0) yield part;
}
