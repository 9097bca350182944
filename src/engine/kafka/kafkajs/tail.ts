/**
 * Reads whole topics from their beginning, read_committed, and goes on reading them: what a consumer outside the
 * product sees. Nothing is committed; a consumer that had to start anew reads from the beginning again, and what was
 * seen before is skipped.
 */
import { randomUUID } from 'node:crypto';
import type { KafkaConfig } from '../kafka-config.ts';
import { CodedError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { createClient, PATIENT_RETRY } from './client.ts';
import { isHopeless, kafkaError } from './errors.ts';
import type { KafkaJS, KafkaJsBatch } from './library.ts';
import { timestampOf } from '../record-timestamp.ts';
import { deadline, retrying } from './timing.ts';

/** ms: the shortest that brokers allow unless told otherwise. */
const SESSION_TIMEOUT = 6_000;
const REBALANCE_TIMEOUT = 10_000;
/** ms for which nobody is there who answers. */
const AWAY = 300_000;

export interface SeenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Kafka record timestamp, epoch ms; see InRecord. */
  readonly timestamp: number;
  readonly timestampText?: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Of a name that occurs more than once, the last. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Tail {
  /** In the order of arrival; grows. */
  readonly records: readonly SeenRecord[];
  /** The offset before which everything of this partition was read, transaction markers included. */
  position(topic: string, partition: number): number;
  /** Rejects when it can read no more. Never resolves. */
  readonly failed: Promise<never>;
  /** Never throws. */
  close(): Promise<void>;
}

/** `onRecord` is called for each record, once. Errors: CodedError KAFKA. */
export async function tailTopics(
  config: KafkaConfig,
  topics: readonly string[],
  logger: Logger,
  onRecord: (record: SeenRecord) => void = () => undefined,
): Promise<Tail> {
  let closed = false;
  let current: KafkaJS.Consumer | undefined;
  const client = createClient(config, logger, { retry: PATIENT_RETRY });
  const records: SeenRecord[] = [];
  const positions = new Map<string, number>();
  const close = async (): Promise<void> => {
    closed = true;
    await deadline(5_000, 'disconnect', async () => current?.disconnect()).catch(() => undefined);
    client.destroy();
  };
  let fail: (error: unknown) => void;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => undefined); // whoever waits for it gets it all the same

  const see = ({ topic, partition, messages }: KafkaJS.Batch): void => {
    const next = positions.get(`${topic}/${partition}`) ?? 0;
    for (const { offset, timestamp, key, value, headers } of messages) {
      if (Number(offset) < next) continue;
      const text = Object.entries(headers ?? {}).map(([name, content]) => [
        name,
        String(Array.isArray(content) ? content.at(-1) : content),
      ]);
      const record = {
        topic,
        partition,
        offset: Number(offset),
        ...timestampOf(timestamp),
        key,
        value,
        headers: Object.fromEntries(text),
      };
      records.push(record);
      onRecord(record);
    }
  };

  /** In a group of its own, in which no member is waited for that was there before. */
  const open = async (): Promise<void> => {
    const consumer = client.kafka.consumer({
      groupId: `tail-${randomUUID()}`,
      readUncommitted: false,
      maxWaitTimeInMs: 100,
      sessionTimeout: SESSION_TIMEOUT,
      rebalanceTimeout: REBALANCE_TIMEOUT,
      heartbeatInterval: SESSION_TIMEOUT / 6,
      allowAutoTopicCreation: false,
      retry: { ...PATIENT_RETRY, retries: 8, restartOnFailure: async () => false },
    });
    current = consumer;
    consumer.on(consumer.events.CRASH, ({ payload }) => void openAgain(payload.error));
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const { topic, partition, messages } = batch;
        const { refusal } = batch as KafkaJsBatch;
        if (refusal !== undefined && messages.length === 0) {
          throw new Unreadable(
            'KAFKA',
            `${topic}, partition ${partition}, offset ${refusal.offset}: ${refusal.reason}`,
          );
        }
        see(batch);
        const place = `${topic}/${partition}`;
        positions.set(place, Math.max(positions.get(place) ?? 0, Number(batch.lastOffset()) + 1));
      },
    });
  };

  /** After a consumer that has ended, for whatever reason: kafkajs itself would begin again only after some. */
  const openAgain = async (error: unknown): Promise<void> => {
    try {
      if (closed) return;
      if (isUnreadable(error) || isHopeless(error)) throw error;
      await retrying(AWAY, (one) => closed || isHopeless(one), open);
    } catch (last) {
      if (!closed) fail(kafkaError(`reading ${topics.join(', ')}`, last));
    }
  };

  try {
    await open();
  } catch (error) {
    await close();
    throw kafkaError(`reading ${topics.join(', ')}`, error);
  }
  return { records, position: (topic, partition) => positions.get(`${topic}/${partition}`) ?? 0, failed, close };
}

/** A batch that nobody can decode: it is the same the next time. */
class Unreadable extends CodedError {
  readonly retriable = false;
}

function isUnreadable(error: unknown): boolean {
  return error instanceof Unreadable || (error instanceof Error && isUnreadable(error.cause));
}
