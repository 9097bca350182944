/**
 * Reads one ledger partition up to the sentinel that the new owner has written. Up to there it is the whole committed
 * truth: the sentinel was written after fencing, so everything that an earlier owner ever commits lies before it.
 *
 * Batches must join without a hole: one that begins elsewhere than the last ended is asked for again.
 */
import type { RecordBatch } from '../kafka/port.ts';
import type { KnownLedger } from './known-ledger.ts';
import { decodeOwner, OWNER_KEY } from './ledger-entry.ts';

export interface LedgerFeed {
  /**
   * From now on the batches of this shard's ledger partition come in, from offset `from`, or from its first one (null).
   * Resolves with the offset at which they begin.
   */
  start(from: number | null): Promise<number>;
  /** No batches are needed any more. */
  stop(): void;
}

export interface Restored {
  /** Offset of the sentinel. */
  readonly sentinel: number;
  /** Somebody else took the shard after it was ours. */
  readonly takenBy: string | undefined;
}

export class LedgerReader {
  readonly #feed: LedgerFeed;
  readonly #entries: KnownLedger;
  readonly #mine: ReadonlySet<string>;
  readonly #me: string;
  #held: boolean;
  #takenBy: string | undefined;
  #position: number | undefined;
  #batches = 0;
  #settle: { resolve(restored: Restored): void; reject(error: unknown): void } | undefined;

  /** Entries are put into `entries`; `mine`: every owner id of this publisher, `me` the one of the sentinel to find. */
  constructor(feed: LedgerFeed, entries: KnownLedger, mine: ReadonlySet<string>, me: string, held: boolean) {
    this.#feed = feed;
    this.#entries = entries;
    this.#mine = mine;
    this.#me = me;
    this.#held = held;
  }

  /** Batches taken so far: it moves as long as there is progress. */
  get batches(): number {
    return this.#batches;
  }

  /** Resolves at the sentinel. Errors: CodedError DIVERGENCE (a foreign record), KAFKA. */
  async read(from: number | null): Promise<Restored> {
    const found = new Promise<Restored>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    try {
      const [restored] = await Promise.all([found, this.#start(from)]);
      return restored;
    } finally {
      this.stop();
    }
  }

  stop(): void {
    if (this.#settle === undefined) return;
    this.#settle = undefined;
    this.#feed.stop();
  }

  abort(error: unknown): void {
    this.#settle?.reject(error);
  }

  onBatch(batch: RecordBatch): void {
    if (this.#settle === undefined || this.#position === undefined) return;
    if (batch.fetchedFrom !== this.#position) {
      this.#start(this.#position).catch((error: unknown) => this.abort(error));
      return;
    }
    try {
      for (const { offset, key, value } of batch.records) {
        if (key === null) continue;
        if (this.#take(key.toString(), value, `${batch.topic}-${batch.partition}@${offset}`)) {
          this.#settle.resolve({ sentinel: offset, takenBy: this.#takenBy });
          return;
        }
      }
      this.#position = batch.next;
      this.#batches += 1;
    } catch (error) {
      this.abort(error);
    }
  }

  async #start(from: number | null): Promise<void> {
    this.#position = undefined;
    this.#position = await this.#feed.start(from);
    if (this.#settle === undefined) this.#feed.stop();
  }

  /** Whether it was the sentinel. */
  #take(key: string, value: Buffer | null, where: string): boolean {
    if (key !== OWNER_KEY) {
      if (value === null) this.#entries.delete(key);
      else this.#entries.setStored(key, value, where);
      return false;
    }
    if (value === null) return false;
    const { owner } = decodeOwner(value, where);
    if (owner === this.#me) return true;
    if (this.#mine.has(owner)) this.#held = true;
    else if (this.#held) this.#takenBy = owner;
    return false;
  }
}
