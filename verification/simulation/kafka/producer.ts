/**
 * The transactional producer of a process, as `src/engine/kafka/kafkajs/transactional-producer.ts` makes it out of kafkajs: AddPartitions
 * and Produce are repeated within a step's deadline, AddOffsets and TxnOffsetCommit only when the coordinator is busy,
 * EndTxn never. After any error it is unusable.
 */
import { CodedError } from '../../../src/engine/errors.ts';
import { kafkaError } from '../../../src/engine/kafka/kafkajs/errors.ts';
import type { OutRecord, SendOptions, Transaction, TransactionalProducer } from '../../../src/engine/kafka/port.ts';
import { writtenBytes } from '../../../src/library/testing/kafka/broker-limits.ts';
import { isRepeatable, Refusal, Unanswered } from './answers.ts';
import type { Broker } from './broker.ts';
import type { Connection } from './connection.ts';
import type { GroupOffset } from './group-offsets.ts';
import type { SimPartition } from './partition.ts';
import type { Holder } from './transactions.ts';

/** ms, see src/engine/kafka/kafkajs/transactional-producer.ts */
const STEP_TIMEOUT = 10_000;
const FENCE_TIMEOUT = 30_000;

export async function fence(broker: Broker, connection: Connection, id: string): Promise<SimProducer> {
  const again = (error: unknown): boolean => error instanceof Unanswered || isRepeatable(error);
  try {
    const holder = await connection.retrying(FENCE_TIMEOUT, again, () =>
      connection.request(`take ${id}`, () => {
        broker.coordinator(id);
        return broker.transactions.init(id);
      }),
    );
    return new SimProducer(broker, connection, holder);
  } catch (error) {
    throw kafkaError(`taking transactional id ${id}`, error);
  }
}

export class SimProducer implements TransactionalProducer {
  readonly holder: Holder;
  readonly #broker: Broker;
  readonly #connection: Connection;
  #state: 'idle' | 'in transaction' | 'broken' | 'closed' = 'idle';
  /** By partition: requests sent to it. */
  readonly #sequences = new Map<SimPartition, number>();
  /** Requests of one producer go one after the other. */
  #before: Promise<unknown> = Promise.resolve();

  constructor(broker: Broker, connection: Connection, holder: Holder) {
    this.#broker = broker;
    this.#connection = connection;
    this.holder = holder;
  }

  async begin(): Promise<Transaction> {
    this.#expect('idle', 'begin');
    this.#state = 'in transaction';
    const joined = new Set<SimPartition | 'offsets'>();
    return {
      send: (topic, partition, records, options) => this.#send(joined, topic, partition, records, options),
      sendOffsets: (groupId, offsets) => this.#sendOffsets(joined, groupId, offsets),
      commit: () => this.#commit(joined.size === 0),
    };
  }

  async close(): Promise<void> {
    this.#state = 'closed';
  }

  async #send(
    joined: Set<SimPartition | 'offsets'>,
    topic: string,
    number: number,
    records: readonly OutRecord[],
    options?: SendOptions,
  ): Promise<number | null> {
    if (records.length === 0) return null;
    const { transactions } = this.#broker;
    const what = `send to ${topic}-${number}`;
    return this.#step(what, async () => {
      const partition = this.#broker.partition(topic, number);
      if (partition === undefined) {
        throw new CodedError('KAFKA', `${what} was answered for []: does the partition exist?`);
      }
      const again = (error: unknown): boolean =>
        this.#state !== 'closed' && (error instanceof Unanswered || isRepeatable(error));
      if (!joined.has(partition)) {
        await this.#repeated(again, `add ${topic}-${number}`, () => {
          this.#broker.coordinator(this.holder.id);
          return transactions.addPartition(this.holder, partition);
        });
        joined.add(partition);
      }
      const sequence = this.#sequences.get(partition) ?? 0;
      const offset = await this.#repeated(again, what, () => {
        takes(partition, records, options);
        return transactions.produce(this.holder, partition, sequence, records);
      });
      this.#sequences.set(partition, sequence + 1);
      return offset;
    });
  }

  async #sendOffsets(
    joined: Set<SimPartition | 'offsets'>,
    groupId: string,
    offsets: readonly GroupOffset[],
  ): Promise<void> {
    if (offsets.length === 0) return;
    const { transactions } = this.#broker;
    const again = (error: unknown): boolean => this.#state === 'in transaction' && isRepeatable(error);
    await this.#step(`commit offsets of ${groupId}`, async () => {
      if (!joined.has('offsets')) {
        await this.#repeated(again, `add offsets of ${groupId}`, () => {
          this.#broker.coordinator(this.holder.id);
          return transactions.addOffsets(this.holder);
        });
        joined.add('offsets');
      }
      await this.#repeated(again, `offsets of ${groupId}`, () => {
        this.#broker.coordinator(groupId);
        this.#broker.checkOffsets(offsets);
        transactions.commitOffsets(this.holder, groupId, offsets);
      });
    });
  }

  async #commit(empty: boolean): Promise<void> {
    const { counts, transactions } = this.#broker;
    await this.#step('commit', async () => {
      if (empty) return;
      let decided = false;
      try {
        await this.#connection.request(`commit ${this.holder.id}`, () => {
          this.#broker.coordinator(this.holder.id);
          transactions.end(this.holder, 'committed');
          decided = true;
        });
      } catch (error) {
        if (!(error instanceof Refusal)) counts[decided ? 'lostCommitAnswers' : 'lostCommitRequests'] += 1;
        throw error;
      }
    });
    if (this.#state === 'in transaction') this.#state = 'idle';
  }

  #repeated<T>(again: (error: unknown) => boolean, what: string, handle: () => T | Promise<T>): Promise<T> {
    return this.#connection.retrying(STEP_TIMEOUT, again, () =>
      this.#connection.request(`${what} (${this.holder.id})`, handle),
    );
  }

  /** Any failure breaks the producer for good. */
  async #step<T>(what: string, run: () => Promise<T>): Promise<T> {
    this.#expect('in transaction', what);
    const mine = this.#before.then(() => {
      this.#expect('in transaction', what);
      return run();
    });
    this.#before = mine.catch(() => undefined);
    try {
      return await this.#connection.deadline(STEP_TIMEOUT, what, () => mine);
    } catch (error) {
      if (this.#state !== 'closed') this.#state = 'broken';
      throw kafkaError(`${what} (transactional id ${this.holder.id})`, error);
    }
  }

  #expect(state: 'idle' | 'in transaction', what: string): void {
    if (this.#state === state) return;
    throw new CodedError(
      'KAFKA',
      `${what}: the producer of transactional id ${this.holder.id} is ${this.#state}, not ${state}`,
    );
  }
}

/** Throws what the leader answers when it does not take these records. */
function takes(partition: SimPartition, records: readonly OutRecord[], options?: SendOptions): void {
  if (partition.refusal !== undefined) throw new Refusal(partition.refusal);
  if (Number.isFinite(partition.maxBatchBytes) && writtenBytes(records, options) > partition.maxBatchBytes) {
    throw new Refusal('MESSAGE_TOO_LARGE');
  }
}
