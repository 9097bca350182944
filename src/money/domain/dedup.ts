/** Dedup by money id (semantics, section 3): an entry is visible while `tau <= ts + dedupTtl`; nothing refreshes it. */
import { Oldest } from './oldest.ts';
import { dedupSize } from './stored-size.ts';

interface Entry {
  readonly ts: number;
  readonly id: string;
}

/** By event time, of equal ones by id. */
function older(a: Entry, b: Entry): number {
  return a.ts - b.ts || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** The entries of a state, with what is derived of them. */
export class DedupEntries {
  count = 0;
  /** As stored. */
  bytes = 0;
  readonly #entries: Record<string, number>;
  #oldest: Oldest<Entry>;
  /** Of all entries; undefined when it is not known. */
  #latest: number | undefined;

  constructor(entries: Record<string, number>) {
    this.#entries = entries;
    this.#oldest = this.#inOrder();
    for (const id in entries) {
      this.count += 1;
      this.bytes += dedupSize(id, entries[id]!);
    }
  }

  /** The largest event time of an entry; -Infinity without one. */
  get latest(): number {
    return (this.#latest ??= Object.values(this.#entries).reduce((most, ts) => Math.max(most, ts), -Infinity));
  }

  isVisible(id: string, tau: number, dedupTtl: number): boolean {
    const ts = this.#entries[id];
    return ts !== undefined && tau <= ts + dedupTtl;
  }

  add(id: string, ts: number): void {
    if (this.#entries[id] !== undefined) this.#remove(id);
    this.#entries[id] = ts;
    if (this.#latest !== undefined) this.#latest = Math.max(this.#latest, ts);
    this.count += 1;
    this.bytes += dedupSize(id, ts);
    // What was added again stands in it twice.
    if (this.#oldest.size > 2 * this.count + 100) this.#oldest = this.#inOrder();
    else this.#oldest.add({ ts, id });
  }

  forgetExpired(tau: number, dedupTtl: number): void {
    for (let entry = this.#oldest.first; entry !== undefined && tau > entry.ts + dedupTtl; entry = this.#oldest.first) {
      this.#oldest.take();
      if (this.#entries[entry.id] === entry.ts) this.#remove(entry.id);
    }
  }

  forgetOldest(): void {
    for (let entry = this.#oldest.take(); entry !== undefined; entry = this.#oldest.take()) {
      if (this.#entries[entry.id] === entry.ts) return this.#remove(entry.id);
    }
  }

  #remove(id: string): void {
    this.count -= 1;
    const ts = this.#entries[id]!;
    this.bytes -= dedupSize(id, ts);
    if (ts === this.#latest) this.#latest = undefined;
    delete this.#entries[id];
  }

  #inOrder(): Oldest<Entry> {
    return new Oldest(
      older,
      Object.entries(this.#entries).map(([id, ts]) => ({ ts, id })),
    );
  }
}
