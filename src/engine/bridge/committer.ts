/**
 * Commits of one partition triple: the checkpoint as group offsets, and the dead letters read since, in one transaction
 * of a producer whose transactional id belongs to the triple. Fencing it keeps a bridge that lost the triple without
 * knowing from committing anything.
 *
 * Dead letters go out in batches that their topic takes. One that it refuses for its size costs the producer: the id is
 * taken again, and what was learned makes the next batches smaller. That is safe for the same reasons as a new take: it fences,
 * and goes on only where nobody has committed since.
 */
import { cutDeadLetter, deadLetter } from './dead-letter.ts';
import type { RecordSource } from './dead-letter.ts';
import { CodedError } from '../errors.ts';
import { BATCH_OVERHEAD, batchesOf } from '../kafka/fitting.ts';
import type { FittingBatch } from '../kafka/fitting.ts';
import { bytesOf } from '../kafka/port.ts';
import type { KafkaPort, OutRecord, TransactionalProducer } from '../kafka/port.ts';
import { RefusedBatch } from '../kafka/topic-rooms.ts';
import type { TopicRooms } from '../kafka/topic-rooms.ts';
import { sameAhead, type Ahead } from '../ordering/ahead.ts';
import type { Stop } from '../ordering/brake.ts';
import { encodeMetadata, sameCheckpoint, type Checkpoint } from '../ordering/checkpoint.ts';
import type { InputOffsets } from '../ordering/decoded.ts';
import { readPlace, type Committed } from './committed-place.ts';
import type { KnownLogs } from '../ordering/log-identity.ts';
import type { PartitionTriple } from '../ordering/partition-triple.ts';
import type { UnusableRecord } from '../ordering/read-record.ts';
import { sameMarks, type RecordMarks } from '../ordering/record-mark.ts';
import type { InputIndex } from '../ordering/watermark.ts';
import { bridgeTransactionalIdOf } from '../naming.ts';

/** bytes of a dead letter from which it is compressed though it would fit */
const LARGE = 100_000;
const NO_CUTS: Cuts = new Map();
/** Refusals of one commit: each halves what is tried, so it is the records that are not taken. */
const MAX_REFUSALS = 12;

export type { Committed };

export interface CommitterOptions {
  readonly appId: string;
  readonly groupId: string;
  readonly partition: number;
  /** By input. */
  readonly inputTopics: readonly string[];
  readonly deadLetterTopic: string;
  readonly deadLetterPartitions: number;
  /** Shared by all triples of the process, and kept as long as that lives. */
  readonly rooms: TopicRooms;
  /** So many dead letters were written that lack something of their records. */
  readonly onCut?: (letters: number) => void;
}

/** What is committed of a triple. */
interface Standing {
  readonly checkpoint: Checkpoint;
  readonly ahead: Ahead | undefined;
  readonly below: InputOffsets;
  readonly marks: RecordMarks | undefined;
}

/** Logs that ended before what was read of them, and up to where that was. */
export type Cuts = ReadonlyMap<InputIndex, number>;

/** What waits for a person. */
interface Noted {
  readonly cuts?: Cuts;
  readonly stop?: Stop;
}

export class Committer {
  readonly #options: CommitterOptions;
  readonly #kafka: KafkaPort;
  #producer: TransactionalProducer;
  /** Which logs it commits places of. */
  readonly logs: KnownLogs;
  /** What a holder finds who takes the triple now, as far as we know. */
  #committed: Committed;
  #last: Standing | undefined;

  private constructor(kafka: KafkaPort, options: CommitterOptions, taken: Taken) {
    this.#kafka = kafka;
    this.#options = options;
    this.#producer = taken.producer;
    this.#committed = taken.committed;
    this.logs = taken.logs;
  }

  /** Fences whoever held the triple, then reads where it left off. */
  static async take(
    kafka: KafkaPort,
    options: CommitterOptions,
  ): Promise<{ committer: Committer; committed: Committed }> {
    const taken = await fenceAndRead(kafka, options);
    return { committer: new Committer(kafka, options, taken), committed: taken.committed };
  }

  /**
   * Commits what is new since the last call; returns the dead letters written, or null when nothing was new. After an
   * error the outcome is unknown and this committer must be closed.
   */
  async commit<E>(triple: PartitionTriple<E>): Promise<readonly UnusableRecord[] | null> {
    const checkpoint = triple.checkpoint();
    const ahead = triple.ahead();
    const marks = triple.marks();
    const { records, below } = triple.deadLetters();
    const last = this.#last;
    const nothingNew =
      last !== undefined &&
      records.length === 0 &&
      sameCheckpoint(last.checkpoint, checkpoint) &&
      sameAhead(last.ahead, ahead) &&
      sameMarks(last.marks, marks);
    if (nothingNew) return null;
    for (let refusals = 0; ; refusals += 1) {
      try {
        await this.#write(records, { checkpoint, ahead, below, marks });
        break;
      } catch (error) {
        if (!(error instanceof RefusedBatch)) throw error;
        if (error.why === 'content' || refusals >= MAX_REFUSALS) throw refusedLetters(error);
        await this.#takeAgain();
      }
    }
    this.#last = { checkpoint, ahead, below, marks };
    triple.deadLettersWritten(records.length);
    return records;
  }

  /** Whoever takes the triple from now on finds that it waits for a person. Errors as of {@link commit}. */
  async noteCuts(cuts: Cuts): Promise<void> {
    await this.#note({ cuts });
  }

  /** As {@link noteCuts}: the brake has stopped it. */
  async noteStop(stop: Stop): Promise<void> {
    await this.#note({ stop });
  }

  async #note(noted: Noted): Promise<void> {
    const { start, ahead, deadLettersBelow, marks } = this.#committed;
    await this.#write([], { checkpoint: start, ahead, below: deadLettersBelow, marks }, noted);
  }

  async #write(
    records: readonly UnusableRecord[],
    { checkpoint, ahead, below, marks }: Standing,
    { cuts = NO_CUTS, stop }: Noted = {},
  ): Promise<void> {
    const { groupId, partition, inputTopics, deadLetterTopic, deadLetterPartitions, rooms, onCut } = this.#options;
    const { batches, cut } = await this.#lettersOf(records);
    const released = this.#committed.releasedBelow?.map((below, input) =>
      below > checkpoint.next[input]! ? below : 0,
    );
    const releasedBelow = released?.some((below) => below > 0) === true ? released : undefined;
    const transaction = await this.#producer.begin();
    await rooms.send(transaction, deadLetterTopic, partition % deadLetterPartitions, batches);
    await transaction.sendOffsets(
      groupId,
      inputTopics.map((topic, input) => ({
        topic,
        partition,
        offset: checkpoint.next[input]!,
        metadata: encodeMetadata({
          maxTs: checkpoint.maxTs[input]!,
          watermark: checkpoint.watermark,
          deadLettersBelow: below[input]!,
          logs: this.logs,
          ...(marks?.[input] && { last: marks[input] }),
          ...(input === 0 && ahead !== undefined && { ahead }),
          ...(cuts.has(input) && { cutBelow: cuts.get(input)! }),
          ...(stop?.input === input && { stopped: stop }),
          ...(releasedBelow?.[input] && { releasedBelow: releasedBelow[input] }),
        }),
      })),
    );
    await transaction.commit();
    this.#committed = { start: checkpoint, deadLettersBelow: below, releasedBelow, ahead, marks };
    if (cut > 0) onCut?.(cut);
  }

  async #lettersOf(records: readonly UnusableRecord[]): Promise<{ batches: readonly FittingBatch[]; cut: number }> {
    if (records.length === 0) return { batches: [], cut: 0 };
    const room = await this.#options.rooms.of(this.#options.deadLetterTopic);
    const letters = new Map(
      records.map((record): [OutRecord, UnusableRecord] => [
        deadLetter(this.#sourceOf(record), record, record.rejection),
        record,
      ]),
    );
    let cut = 0;
    const batches = (await batchesOf([...letters.keys()], room, { compressFrom: LARGE })).map((batch): FittingBatch => {
      if (batch.bytes <= room.most) return batch;
      cut += 1;
      const record = letters.get(batch.records[0]!)!;
      const letter = cutDeadLetter(this.#sourceOf(record), record, record.rejection, room.together - BATCH_OVERHEAD);
      return { records: [letter], compressed: false, bytes: BATCH_OVERHEAD + bytesOf(letter) };
    });
    return { batches, cut };
  }

  /** The producer is lost, and its transaction with it. Throws FENCED when another bridge has committed since. */
  async #takeAgain(): Promise<void> {
    await this.#producer.close();
    const { producer, committed } = await fenceAndRead(this.#kafka, this.#options);
    this.#producer = producer;
    if (JSON.stringify(committed) !== JSON.stringify(this.#committed)) {
      throw new CodedError('FENCED', `partition ${this.#options.partition} was read on by another bridge`);
    }
  }

  close(): Promise<void> {
    return this.#producer.close();
  }

  #sourceOf({ input, offset, timestamp, timestampText }: UnusableRecord): RecordSource {
    const { inputTopics, partition } = this.#options;
    return {
      topic: inputTopics[input]!,
      partition,
      offset,
      timestamp,
      ...(timestampText !== undefined && { timestampText }),
    };
  }
}

interface Taken {
  readonly producer: TransactionalProducer;
  readonly committed: Committed;
  readonly logs: KnownLogs;
}

async function fenceAndRead(kafka: KafkaPort, options: CommitterOptions): Promise<Taken> {
  const producer = await kafka.fence(bridgeTransactionalIdOf(options.appId, options.partition));
  try {
    return { producer, ...(await readPlace(kafka, options)) };
  } catch (error) {
    await producer.close();
    throw error;
  }
}

function refusedLetters(error: RefusedBatch): CodedError {
  const what =
    error.why === 'content' ? 'is its cleanup.policy "compact"? Set it to "delete"' : 'raise its max.message.bytes';
  return new CodedError('KAFKA', `dead letters cannot be written, ${error.message}: ${what}`, { cause: error });
}
