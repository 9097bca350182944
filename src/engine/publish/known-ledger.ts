/**
 * What the ledger of a shard is known to hold, by key. Entries are kept as they are stored, in strings of a byte a character, and
 * read when they are asked for: as objects they take three times the memory, and a shard may have a million of them.
 */
import { decodeLedgerEntry, encodeLedgerEntry, type LedgerEntry } from './ledger-entry.ts';

/** What a batch is judged by. */
export interface LedgerEntries {
  get(key: string): LedgerEntry | undefined;
}

export class KnownLedger implements LedgerEntries {
  readonly #stored = new Map<string, string>();

  /** How many keys. */
  get size(): number {
    return this.#stored.size;
  }

  get(key: string): LedgerEntry | undefined {
    const stored = this.#stored.get(key);
    return stored === undefined ? undefined : decodeLedgerEntry(Buffer.from(stored, 'latin1'), 'in memory');
  }

  set(key: string, entry: LedgerEntry): void {
    this.#keep(key, encodeLedgerEntry(entry));
  }

  /** As a record of the ledger has it, found at `where`. Errors as of {@link decodeLedgerEntry}. */
  setStored(key: string, value: Buffer, where: string): void {
    decodeLedgerEntry(value, where);
    this.#keep(key, value);
  }

  delete(key: string): void {
    this.#stored.delete(key);
  }

  #keep(key: string, value: Buffer): void {
    this.#stored.set(key, value.toString('latin1'));
  }
}
