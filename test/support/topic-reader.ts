/** Reads a whole topic, read_committed, and goes on reading it: what a consumer outside the product would see. */
import type { KafkaConfig } from '../../src/engine/kafka/kafka-config.ts';
import { tailTopics, type SeenRecord } from '../../src/engine/kafka/kafkajs/tail.ts';
import { createLogger } from '../../src/engine/log.ts';

export type { SeenRecord } from '../../src/engine/kafka/kafkajs/tail.ts';

export interface TopicReader {
  /** In the order of arrival; grows. */
  readonly records: readonly SeenRecord[];
  /** The offset before which everything of this partition was read, transaction markers included. */
  position(topic: string, partition: number): number;
  /** Rejects when it can read no more. Never resolves. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

export function readTopics(config: KafkaConfig, topics: readonly string[]): Promise<TopicReader> {
  return tailTopics(config, topics, createLogger({ level: 'silent' }));
}
