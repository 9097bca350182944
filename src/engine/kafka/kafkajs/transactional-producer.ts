/**
 * A fenced-in writer on kafkajs. What the rules protect against, all of it seen with kafkajs 2.2.4:
 *
 * - a `send` over several partitions loses records when a leader moves: one partition a send, and the answer must
 *   cover exactly that partition (a partition that does not exist is answered with an empty success);
 * - a commit whose answer is lost may or may not have happened, and kafkajs is stuck afterwards: after any error the
 *   producer refuses everything, and only fencing anew tells what became of the transaction;
 * - a request in the background is retried for long: every step has a deadline, and closing cuts the connections off.
 */
import { CodedError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { KafkaConfig } from '../kafka-config.ts';
import { createClient, TRANSACTION_RETRY } from './client.ts';
import type { Client, SocketFactory } from './client.ts';
import { isHopeless, kafkaError, typesOf } from './errors.ts';
import type { KafkaJS } from './library.ts';
import { library } from './library.ts';
import type { OutRecord, SendOptions, Transaction, TransactionalProducer } from '../port.ts';
import { deadline, pause } from './timing.ts';

/** ms after which the broker aborts an open transaction. Above every deadline here, below a publish attempt's. */
export const TRANSACTION_TIMEOUT = 15_000;
/** ms for one step of a transaction, all retries of it included */
const STEP_TIMEOUT = 10_000;
/** ms for taking a transactional id, until the coordinator is there and the former holder's transaction ended */
export const FENCE_TIMEOUT = 30_000;
/** ms for a first connection and InitProducerId, before a new attempt with a new connection */
const ATTEMPT_TIMEOUT = 20_000;
const SHORTEST_ATTEMPT = 1_000;

/**
 * Answers after which adding offsets may simply be repeated: the coordinator is busy with the markers of the last
 * transaction, or not (yet) the coordinator. kafkajs itself retries none of them. Nothing has changed in its state
 * when it was AddOffsetsToTxn that failed, and committing the same offsets twice in one transaction is the same.
 */
const REPEATABLE: ReadonlySet<string> = new Set([
  'CONCURRENT_TRANSACTIONS',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
]);

export interface FenceOptions {
  readonly socketFactory?: SocketFactory;
  /** ms, default {@link FENCE_TIMEOUT} */
  readonly timeout?: number;
}

/** Errors: CodedError FENCED or KAFKA; CONFIG for unusable credentials files. */
export async function fence(
  config: KafkaConfig,
  transactionalId: string,
  logger: Logger,
  options: FenceOptions = {},
): Promise<TransactionalProducer> {
  const until = performance.now() + (options.timeout ?? FENCE_TIMEOUT);
  for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
    try {
      return await fenceOnce(
        config,
        transactionalId,
        logger,
        options,
        Math.max(SHORTEST_ATTEMPT, Math.min(ATTEMPT_TIMEOUT, until - performance.now())),
      );
    } catch (error) {
      // Not one more attempt without time for an answer: its error would hide this one.
      if (isHopeless(error) || performance.now() + wait + SHORTEST_ATTEMPT >= until) {
        throw kafkaError(`taking transactional id ${transactionalId}`, error);
      }
      logger.debug({ transactionalId, err: error }, 'cannot take the transactional id yet, retrying');
      await pause(wait);
    }
  }
}

async function fenceOnce(
  config: KafkaConfig,
  transactionalId: string,
  logger: Logger,
  { socketFactory }: FenceOptions,
  timeout: number,
): Promise<TransactionalProducer> {
  const client = createClient(config, logger, {
    retry: TRANSACTION_RETRY,
    ...(socketFactory ? { socketFactory } : {}),
  });
  const producer = client.kafka.producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: TRANSACTION_TIMEOUT,
    allowAutoTopicCreation: false,
    createPartitioner: explicitPartition,
  });
  try {
    // kafkajs sends InitProducerId with the first transaction(), so the first one is begun here and kept for begin().
    const first = await deadline(timeout, `taking transactional id ${transactionalId}`, async () => {
      await producer.connect();
      return producer.transaction();
    });
    return new FencedProducer(transactionalId, client, producer, first);
  } catch (error) {
    await release(client, producer);
    throw error;
  }
}

class FencedProducer implements TransactionalProducer {
  readonly #id: string;
  readonly #client: Client;
  readonly #producer: KafkaJS.Producer;
  #first: KafkaJS.Transaction | undefined;
  #state: 'idle' | 'in transaction' | 'broken' | 'closed' = 'idle';

  constructor(id: string, client: Client, producer: KafkaJS.Producer, first: KafkaJS.Transaction) {
    this.#id = id;
    this.#client = client;
    this.#producer = producer;
    this.#first = first;
  }

  async begin(): Promise<Transaction> {
    this.#expect('idle', 'begin');
    this.#state = 'in transaction';
    const transaction = this.#first ?? (await this.#step('begin', () => this.#producer.transaction()));
    this.#first = undefined;
    return {
      send: (topic, partition, records, sendOptions) => this.#send(transaction, topic, partition, records, sendOptions),
      sendOffsets: (groupId, offsets) => this.#sendOffsets(transaction, groupId, offsets),
      commit: async () => {
        await this.#step('commit', () => transaction.commit());
        this.#state = 'idle';
      },
    };
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    await release(this.#client, this.#producer);
  }

  async #send(
    transaction: KafkaJS.Transaction,
    topic: string,
    partition: number,
    records: readonly OutRecord[],
    sendOptions?: SendOptions,
  ): Promise<number | null> {
    if (records.length === 0) return null;
    return this.#step(`send to ${topic}-${partition}`, async () => {
      const answer = await transaction.send({
        topic,
        acks: -1,
        messages: messagesOf(records, partition),
        compression: compressionOf(sendOptions),
      });
      return assertAcknowledged(answer, topic, partition);
    });
  }

  async #sendOffsets(
    transaction: KafkaJS.Transaction,
    groupId: string,
    offsets: readonly { topic: string; partition: number; offset: number; metadata: string }[],
  ): Promise<void> {
    if (offsets.length === 0) return;
    const topics = offsetsByTopic(offsets);
    await this.#step(`commit offsets of ${groupId}`, async () => {
      const until = performance.now() + STEP_TIMEOUT;
      for (let wait = 3; ; wait = Math.min(wait * 1.5, 300)) {
        try {
          return await transaction.sendOffsets({ consumerGroupId: groupId, topics });
        } catch (error) {
          if (this.#state !== 'in transaction' || performance.now() + wait >= until) throw error;
          if (!typesOf(error).some((type) => REPEATABLE.has(type))) throw error;
          await pause(wait);
        }
      }
    });
  }

  /** Any failure breaks the producer for good. */
  async #step<T>(what: string, run: () => Promise<T>): Promise<T> {
    this.#expect('in transaction', what);
    try {
      return await deadline(STEP_TIMEOUT, what, run);
    } catch (error) {
      if (this.#state !== 'closed') this.#state = 'broken';
      throw kafkaError(`${what} (transactional id ${this.#id})`, error);
    }
  }

  #expect(state: 'idle' | 'in transaction', what: string): void {
    if (this.#state === state) return;
    throw new CodedError(
      'KAFKA',
      `${what}: the producer of transactional id ${this.#id} is ${this.#state}, not ${state}: ` +
        'after an error or a close take the transactional id again, and commit before the next begin',
    );
  }
}

/** kafkajs asks this for every record; all our records name their partition. */
export function explicitPartition(): (arguments_: KafkaJS.PartitionerArgs) => number {
  return ({ topic, message }) => {
    if (message.partition === undefined) throw new CodedError('KAFKA', `a record for ${topic} names no partition`);
    return message.partition;
  };
}

export function compressionOf(options: SendOptions | undefined): KafkaJS.CompressionTypes {
  const { CompressionTypes } = library();
  return options?.compressed === true ? CompressionTypes.GZIP : CompressionTypes.None;
}

export function messagesOf(records: readonly OutRecord[], partition: number): KafkaJS.Message[] {
  return records.map((record) => ({
    partition,
    key: record.key,
    value: record.value,
    ...(record.headers === undefined ? {} : { headers: { ...record.headers } as KafkaJS.IHeaders }),
    ...(record.timestamp === undefined ? {} : { timestamp: String(record.timestamp) }),
  }));
}

/**
 * The offset of the first record. Throws KAFKA unless the answer is one success, for this partition: an acknowledgement
 * that leaves a partition out is how kafkajs loses records.
 */
export function assertAcknowledged(
  answer: readonly KafkaJS.RecordMetadata[],
  topic: string,
  partition: number,
): number {
  const [only] = answer;
  const covered =
    answer.length === 1 && only?.topicName === topic && only.partition === partition && only.errorCode === 0;
  if (covered) return Number(only.baseOffset);
  throw new CodedError(
    'KAFKA',
    `send to ${topic}-${partition} was answered for ${JSON.stringify(answer)}: the records cannot be taken as written ` +
      '(does the partition exist?)',
  );
}

function offsetsByTopic(
  offsets: readonly { topic: string; partition: number; offset: number; metadata: string }[],
): KafkaJS.TopicOffsets[] {
  const topics = new Map<string, (KafkaJS.PartitionOffset & { metadata: string })[]>();
  for (const { topic, partition, offset, metadata } of offsets) {
    const partitions = topics.get(topic) ?? [];
    partitions.push({ partition, offset: String(offset), metadata });
    topics.set(topic, partitions);
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

/** Never throws: what is being closed may be broken in any way. */
async function release(client: Client, producer: KafkaJS.Producer): Promise<void> {
  client.cutOff();
  await deadline(5_000, 'disconnect', () => producer.disconnect()).catch(() => undefined);
  client.destroy();
}
