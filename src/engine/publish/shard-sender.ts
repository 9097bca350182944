/**
 * Transactions of one shard: outputs and ledger entries in batches that their topics take, and which record is to blame when
 * the broker refuses one. A refused batch of several records is sent in pieces next time, until the piece is one record.
 */
import { BATCH_OVERHEAD, batchesOf } from '../kafka/fitting.ts';
import type { FittingBatch as Sent } from '../kafka/fitting.ts';
import { bytesOf } from '../kafka/port.ts';
import type { OutRecord, TransactionalProducer } from '../kafka/port.ts';
import type { RefusedBatch, TopicRooms } from '../kafka/topic-rooms.ts';

/** Of a refused batch: so few that one transaction has time for them. */
const PIECES = 16;

export interface ShardTopics {
  readonly shard: number;
  readonly outputTopic: string;
  readonly ledgerTopic: string;
  /** Shared by all shards of the process. */
  readonly rooms: TopicRooms;
}

/** Offsets. */
export interface CommittedAt {
  /** Of the first ledger entry. */
  readonly ledger: number | null;
  /** Of the first output, where all of them stand one after the other: they went in one batch. */
  readonly outputs: number | null;
}

export interface Unfit {
  readonly index: number;
  readonly bytes: number;
  readonly limit: number;
}

export class ShardSender {
  readonly #topics: ShardTopics;
  /** By record: its piece. Two pieces share no batch. */
  readonly #pieces = new WeakMap<OutRecord, object>();

  constructor(topics: ShardTopics) {
    this.#topics = topics;
  }

  /** Resolves when it is committed. Errors: RefusedBatch, and those of a transaction. */
  async commit(
    producer: TransactionalProducer,
    outputs: readonly OutRecord[],
    ledger: readonly OutRecord[],
  ): Promise<CommittedAt> {
    const { rooms, outputTopic, ledgerTopic, shard } = this.#topics;
    const [room, ledgerRoom] = await Promise.all([rooms.of(outputTopic), rooms.of(ledgerTopic)]);
    const [outputBatches, ledgerBatches] = await Promise.all([
      batchesOf(outputs, room, { pieceOf: (record) => this.#pieces.get(record) }),
      batchesOf(ledger, ledgerRoom),
    ]);
    const transaction = await producer.begin();
    const first = await rooms.send(transaction, outputTopic, shard, outputBatches);
    const ledgerFirst = await rooms.send(transaction, ledgerTopic, shard, ledgerBatches);
    await transaction.commit();
    return { ledger: ledgerFirst, outputs: outputBatches.length === 1 ? first : null };
  }

  /** The first of these records that the topic, as its settings are, takes in no batch at all. Nothing is sent. */
  async firstUnfit(records: readonly OutRecord[]): Promise<Unfit | undefined> {
    const { rooms, outputTopic } = this.#topics;
    const room = await rooms.of(outputTopic);
    const limit = rooms.limit(outputTopic);
    if (limit === undefined) return undefined;
    for (const [index, record] of records.entries()) {
      if (BATCH_OVERHEAD + bytesOf(record) <= limit) continue;
      const [batch] = await batchesOf([record], { ...room, most: limit });
      if (batch!.bytes > limit) return { index, bytes: batch!.bytes, limit };
    }
    return undefined;
  }

  /** The record that was refused; undefined where it is not known yet. */
  blame({ batch }: RefusedBatch): OutRecord | undefined {
    if (batch.records.length === 1) return batch.records[0];
    this.divide(batch);
    return undefined;
  }

  /** From now on this record is in no batch with others. */
  isolate(record: OutRecord): void {
    this.#pieces.set(record, {});
  }

  divide({ records }: Pick<Sent, 'records'>): void {
    const size = Math.ceil(records.length / PIECES);
    let piece = {};
    for (const [index, record] of records.entries()) {
      if (index % size === 0) piece = {};
      this.#pieces.set(record, piece);
    }
  }
}
