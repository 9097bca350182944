/**
 * How large a batch each topic takes: from its settings where this user may see them, and from what the broker refuses.
 * Both change while a process runs.
 *
 *   settings   read again when they are older than {@link SETTINGS_AGE}, and after a refusal before the next batch
 *   refused    a batch of so many bytes was too large: half of it is tried next, and no such batch again. Every
 *              {@link FORGET_AFTER} the half is doubled and what was refused may be tried again. A batch that is not larger
 *              than one that was taken is not refused for its size alone: once that is put down to its records.
 */
import type { Clock } from '../clock.ts';
import { CodedError, messageOf } from '../errors.ts';
import { refusalOf } from './kafkajs/errors.ts';
import type { FittingBatch, Room } from './fitting.ts';
import type { KafkaPort, Transaction } from './port.ts';

/** bytes of a batch, where its topic takes more: what brokers take by default, and some way below. */
const TOGETHER = 700_000;
/** bytes */
const SMALLEST = 512;
/** ms */
const SETTINGS_AGE = 30_000;
const FORGET_AFTER = 600_000;

/** A broker's word on one batch of a transaction; the transaction is lost with it. */
export class RefusedBatch extends CodedError {
  readonly batch: FittingBatch;
  readonly why: 'size' | 'content';

  constructor(topic: string, batch: FittingBatch, why: 'size' | 'content', cause: unknown) {
    const records = batch.records.length === 1 ? 'a record' : `${batch.records.length} records`;
    super(
      'KAFKA',
      `${topic} does not take ${records} of ${batch.bytes} bytes${batch.compressed ? ' compressed' : ''} as written (${messageOf(cause)})`,
      { cause },
    );
    this.batch = batch;
    this.why = why;
  }
}

interface Known {
  settings: Readonly<Record<string, string>> | undefined;
  /** `elapsed()` of the clock. */
  askedAt: number;
  asking: Promise<void> | undefined;
  /** Largest batch that was taken, bytes. */
  taken: number;
  /** By refusals: batches from here on are too large, bytes. */
  refused: number;
  together: number;
  refusedAt: number;
}

export class TopicRooms {
  readonly #kafka: Pick<KafkaPort, 'topicSettings'>;
  readonly #clock: Clock;
  readonly #topics = new Map<string, Known>();

  constructor(kafka: Pick<KafkaPort, 'topicSettings'>, clock: Clock) {
    this.#kafka = kafka;
    this.#clock = clock;
  }

  /** Waits only for the first answer of the broker, and for one after a refusal. Never throws. */
  async of(topic: string): Promise<Room> {
    const known = this.#known(topic);
    const age = this.#clock.elapsed() - known.askedAt;
    if (age > SETTINGS_AGE) known.asking ??= this.#ask(topic, known);
    if (known.askedAt === -Infinity) await known.asking;
    this.#forget(known);
    const limit = limitOf(known.settings);
    const most = Math.min(limit, known.refused - 1);
    return {
      most,
      together: Math.max(SMALLEST, Math.min(TOGETHER, most, known.together)),
      compressible: known.settings?.['compression.type'] !== 'uncompressed',
    };
  }

  /** What the topic's own settings say, bytes of a batch; undefined when they cannot be seen. */
  limit(topic: string): number | undefined {
    const limit = limitOf(this.#known(topic).settings);
    return Number.isFinite(limit) ? limit : undefined;
  }

  /**
   * All batches to one partition, in order; resolves with the offset of the first record, null when there was none. Errors:
   * {@link RefusedBatch}, and those of {@link Transaction}.
   */
  async send(
    transaction: Pick<Transaction, 'send'>,
    topic: string,
    partition: number,
    batches: readonly FittingBatch[],
  ): Promise<number | null> {
    let first: number | null = null;
    for (const batch of batches) {
      try {
        const offset = await transaction.send(topic, partition, batch.records, { compressed: batch.compressed });
        first ??= offset;
      } catch (error) {
        const why = refusalOf(error);
        if (why === undefined) throw error;
        this.#wasRefused(this.#known(topic), batch, why);
        throw new RefusedBatch(topic, batch, why, error);
      }
      this.#wasTaken(this.#known(topic), batch);
    }
    return first;
  }

  #known(topic: string): Known {
    let known = this.#topics.get(topic);
    if (known === undefined) {
      known = {
        settings: undefined,
        askedAt: -Infinity,
        asking: undefined,
        taken: 0,
        refused: Infinity,
        together: TOGETHER,
        refusedAt: 0,
      };
      this.#topics.set(topic, known);
    }
    return known;
  }

  async #ask(topic: string, known: Known): Promise<void> {
    let settings = known.settings;
    try {
      settings = await this.#kafka.topicSettings(topic);
    } catch {
      // Not known, then: whoever writes meets the same broker and says what is wrong with it.
    }
    if (limitOf(settings) !== limitOf(known.settings)) forgetRefusals(known);
    known.settings = settings;
    known.askedAt = this.#clock.elapsed();
    known.asking = undefined;
  }

  #wasTaken(known: Known, { bytes }: FittingBatch): void {
    if (bytes >= known.refused) forgetRefusals(known);
    known.taken = Math.max(known.taken, bytes);
  }

  #wasRefused(known: Known, { bytes }: FittingBatch, why: 'size' | 'content'): void {
    known.askedAt = -Infinity;
    if (why === 'content') return;
    if (bytes <= known.taken) {
      known.taken = 0;
      return;
    }
    known.refused = Math.min(known.refused, bytes);
    known.together = Math.max(known.taken, Math.floor(Math.min(known.together, bytes) / 2));
    known.refusedAt = this.#clock.elapsed();
  }

  #forget(known: Known): void {
    if (known.together >= TOGETHER && known.refused === Infinity) return;
    const now = this.#clock.elapsed();
    if (now - known.refusedAt < FORGET_AFTER) return;
    known.refusedAt = now;
    known.refused = Infinity;
    known.together = Math.min(TOGETHER, 2 * known.together);
  }
}

function limitOf(settings: Known['settings']): number {
  const limit = Number(settings?.['max.message.bytes'] ?? Infinity);
  return Number.isFinite(limit) && limit > 0 ? limit : Infinity;
}

function forgetRefusals(known: Known): void {
  known.taken = 0;
  known.refused = Infinity;
  known.together = TOGETHER;
}
