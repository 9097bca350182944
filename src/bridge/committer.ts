/**
 * Commits of one partition triple: the checkpoint as group offsets, and the dead letters read since, in one transaction
 * of a producer whose transactional id belongs to the triple. Fencing it keeps a bridge that lost the triple without
 * knowing from committing anything.
 */
import { deadLetter } from '../codec/dead-letter.ts';
import { INPUTS } from '../domain/events.ts';
import type { KafkaPort, OutRecord, TransactionalProducer } from '../kafka/port.ts';
import { encodeMetadata, sameCheckpoint, type Checkpoint } from './checkpoint.ts';
import { readPlace, type Committed } from './committed-place.ts';
import type { KnownLogs } from './log-identity.ts';
import type { PartitionTriple } from './partition-triple.ts';
import type { UnusableRecord } from './read-record.ts';

/** Of the values in one produce request; below a broker's default limit of a request, and one record always goes. */
const MAX_REQUEST_BYTES = 700_000;
const MAX_REQUEST_RECORDS = 1_000;

export type { Committed };

export interface CommitterOptions {
  readonly appId: string;
  readonly groupId: string;
  readonly partition: number;
  /** Indexed like INPUTS. */
  readonly inputTopics: readonly [string, string, string];
  readonly deadLetterTopic: string;
  readonly deadLetterPartitions: number;
}

export class Committer {
  private readonly options: CommitterOptions;
  private readonly producer: TransactionalProducer;
  /** Which logs it commits places of. */
  readonly logs: KnownLogs;
  private last: { readonly checkpoint: Checkpoint; readonly below: readonly number[] } | undefined;

  private constructor(options: CommitterOptions, producer: TransactionalProducer, logs: KnownLogs) {
    this.options = options;
    this.producer = producer;
    this.logs = logs;
  }

  /** Fences whoever held the triple, then reads where it left off. */
  static async take(kafka: KafkaPort, options: CommitterOptions): Promise<{ committer: Committer; committed: Committed }> {
    const { appId, partition } = options;
    const producer = await kafka.fence(`${appId}-bridge-${partition}`);
    try {
      const { committed, logs } = await readPlace(kafka, options);
      return { committer: new Committer(options, producer, logs), committed };
    } catch (error) {
      await producer.close();
      throw error;
    }
  }

  /**
   * Commits what is new since the last call; returns the dead letters written, or null when nothing was new. After an
   * error the outcome is unknown and this committer must be closed.
   */
  async commit(triple: PartitionTriple): Promise<readonly UnusableRecord[] | null> {
    const { groupId, partition, inputTopics, deadLetterTopic, deadLetterPartitions } = this.options;
    const checkpoint = triple.checkpoint();
    const { records, below } = triple.deadLetters();
    const { last } = this;
    const nothingNew = last !== undefined && records.length === 0 && sameCheckpoint(last.checkpoint, checkpoint);
    if (nothingNew) return null;
    const transaction = await this.producer.begin();
    for (const request of requestsOf(records.map((record) => this.deadLetterOf(record)))) {
      await transaction.send(deadLetterTopic, partition % deadLetterPartitions, request);
    }
    await transaction.sendOffsets(
      groupId,
      INPUTS.map((_, input) => ({
        topic: inputTopics[input]!,
        partition,
        offset: checkpoint.next[input]!,
        metadata: encodeMetadata({ maxTs: checkpoint.maxTs[input]!, watermark: checkpoint.watermark, deadLettersBelow: below[input]!, logs: this.logs }),
      })),
    );
    await transaction.commit();
    this.last = { checkpoint, below };
    triple.deadLettersWritten(records.length);
    return records;
  }

  close(): Promise<void> {
    return this.producer.close();
  }

  private deadLetterOf({ input, offset, timestamp, key, value, rejection }: UnusableRecord): OutRecord {
    const { inputTopics, partition } = this.options;
    return deadLetter({ topic: inputTopics[input], partition, offset, timestamp }, { key, value }, rejection);
  }
}

function requestsOf(records: readonly OutRecord[]): OutRecord[][] {
  const requests: OutRecord[][] = [];
  let bytes = 0;
  for (const record of records) {
    const size = (record.key?.length ?? 0) + (record.value?.length ?? 0) + 500;
    const last = requests.at(-1);
    if (last === undefined || last.length >= MAX_REQUEST_RECORDS || bytes + size > MAX_REQUEST_BYTES) {
      requests.push([record]);
      bytes = size;
    } else {
      last.push(record);
      bytes += size;
    }
  }
  return requests;
}
