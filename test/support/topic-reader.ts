/** Reads a whole topic, read_committed, and goes on reading it: what a consumer outside the product would see. */
import { randomUUID } from 'node:crypto';
import type { KafkaConfig } from '../../src/config.ts';
import { createClient, PATIENT_RETRY } from '../../src/kafka/client.ts';
import { createLogger } from '../../src/log.ts';

export interface SeenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface TopicReader {
  /** In the order of arrival; grows. */
  readonly records: readonly SeenRecord[];
  close(): Promise<void>;
}

export async function readTopics(config: KafkaConfig, topics: readonly string[]): Promise<TopicReader> {
  const client = createClient(config, createLogger({ level: 'silent' }), { retry: PATIENT_RETRY });
  const consumer = client.kafka.consumer({ groupId: `reader-${randomUUID()}`, readUncommitted: false, maxWaitTimeInMs: 100, retry: { retries: 100 } });
  const records: SeenRecord[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const { offset, timestamp, key, value, headers } of batch.messages) {
        records.push({
          topic: batch.topic,
          partition: batch.partition,
          offset: Number(offset),
          timestamp: Number(timestamp),
          key,
          value,
          headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)])),
        });
      }
    },
  });
  return {
    records,
    async close() {
      await consumer.disconnect();
      client.destroy();
    },
  };
}
