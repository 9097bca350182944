/**
 * Takes one shard, again and again: fences whoever held it, writes a sentinel to the ledger and reads the ledger up to it, into
 * the places that are known already.
 */
import type { Clock } from '../clock.ts';
import { CodedError } from '../errors.ts';
import type { KafkaPort, RecordBatch, TransactionalProducer } from '../kafka/port.ts';
import { encodeOwner, OWNER_KEY } from './ledger-entry.ts';
import type { KnownLedger } from './known-ledger.ts';
import { LedgerReader } from './ledger-reader.ts';
import type { LedgerFeed } from './ledger-reader.ts';

/** ms without progress after which reading the ledger is begun anew. */
const READ_STALL = 30_000;
/** ms between two looks at an opening that takes long. */
const WATCH_INTERVAL = 2_000;

export interface ShardOpenerOptions {
  readonly shard: number;
  readonly transactionalId: string;
  readonly ledgerTopic: string;
  readonly kafka: Pick<KafkaPort, 'fence'>;
  readonly feed: LedgerFeed;
  readonly clock: Clock;
  /** For people: who wrote the sentinel. */
  readonly host: string;
  /** A new unique id. */
  readonly newId: () => string;
}

export class ShardOpener {
  readonly #options: ShardOpenerOptions;
  readonly #committed: KnownLedger;
  readonly #mine = new Set<string>();
  #reader: LedgerReader | undefined;
  /** Everything of ours below this offset of the ledger is in `#committed`. Null until the first opening. */
  #position: number | null = null;
  #aborted: CodedError | undefined;

  /** What is committed is put into `committed`, by key. */
  constructor(options: ShardOpenerOptions, committed: KnownLedger) {
    this.#options = options;
    this.#committed = committed;
  }

  /**
   * Resolves with the producer that holds the shard; `onWait` is called again and again while that takes long. Errors: FENCED
   * where another owner has taken the shard since, what {@link abort} was given, and those of Kafka.
   */
  async open(onWait: (why: CodedError) => void): Promise<TransactionalProducer> {
    const { kafka, transactionalId, feed, clock, host, newId, shard, ledgerTopic } = this.#options;
    const me = newId();
    this.#mine.add(me);
    const reader = new LedgerReader(feed, this.#committed, this.#mine, me, this.#position !== null);
    this.#reader = reader;
    const reading = reader.read(this.#position);
    reading.catch(() => undefined); // awaited below, unless taking the shard fails first
    const done = new AbortController();
    const watched = { restoring: false };
    void this.#watch(reader, watched, onWait, done.signal);
    let producer: TransactionalProducer | undefined;
    try {
      producer = await kafka.fence(transactionalId);
      if (this.#aborted !== undefined) throw this.#aborted;
      const transaction = await producer.begin();
      const value = encodeOwner({ owner: me, host, at: clock.now() });
      await transaction.send(ledgerTopic, shard, [{ key: OWNER_KEY, value }]);
      await transaction.commit();
      watched.restoring = true;
      const { sentinel, takenBy } = await reading;
      if (takenBy !== undefined) throw new CodedError('FENCED', `shard ${shard} was taken by ${takenBy} since`);
      this.#position = sentinel;
      return producer;
    } catch (error) {
      await producer?.close();
      throw error;
    } finally {
      done.abort();
      reader.stop();
      this.#reader = undefined;
    }
  }

  /** What the {@link LedgerFeed} brings. */
  onLedger(batch: RecordBatch): void {
    this.#reader?.onBatch(batch);
  }

  /** The next opening need not read below this offset of the ledger. */
  knownBelow(offset: number): void {
    this.#position = offset;
  }

  /** Ends an opening that is under way, and every later one. */
  abort(error: CodedError): void {
    this.#aborted = error;
    this.#reader?.abort(error);
  }

  /** Gives up on a reader that stands still. */
  async #watch(
    reader: LedgerReader,
    watched: { readonly restoring: boolean },
    onWait: (why: CodedError) => void,
    done: AbortSignal,
  ): Promise<void> {
    const { clock, ledgerTopic, shard } = this.#options;
    let seen = reader.batches;
    let moved = clock.elapsed();
    while (!done.aborted) {
      await clock.sleep(WATCH_INTERVAL, done);
      if (done.aborted) return;
      onWait(new CodedError('KAFKA', `shard ${shard} is still being opened`));
      if (reader.batches !== seen || !watched.restoring) {
        seen = reader.batches;
        moved = clock.elapsed();
      } else if (clock.elapsed() - moved >= READ_STALL) {
        reader.abort(
          new CodedError(
            'KAFKA',
            `${ledgerTopic}-${shard}: nothing came for ${READ_STALL} ms while restoring the ledger`,
          ),
        );
        return;
      }
    }
  }
}
