/**
 * Two multisets of records, compared while they are read. A record that meets its equal from the other side is forgotten,
 * so the memory is that of what differs and of how far one side is ahead. Pure.
 */
import type { Digests } from './digest.ts';

export type Side = 'a' | 'b';

export interface RecordPlace {
  readonly partition: number;
  readonly offset: number;
}

/** `changed`: the same record, with other content. `only`: on one side; `again`: on both, but once more on this one. */
export type Difference =
  | { readonly type: 'changed'; readonly a: RecordPlace; readonly b: RecordPlace }
  | { readonly type: 'only'; readonly side: Side; readonly at: RecordPlace }
  | { readonly type: 'again'; readonly side: Side; readonly at: RecordPlace };

interface Waiting {
  readonly side: Side;
  readonly identity: string;
  readonly places: RecordPlace[];
}

export class Partners {
  readonly counts = { a: 0, b: 0 };
  readonly waiting = { a: 0, b: 0 };
  readonly #byContent = new Map<string, Waiting>();
  /** Identities that are equal on both sides are not kept; so a record that is there twice is known only by its digest here. */
  readonly #met: Set<string> | undefined;

  /** `remember`: tells records that are there twice from those that are missing, for 16 bytes and more a record. */
  constructor(options: { readonly remember: boolean }) {
    this.#met = options.remember ? new Set() : undefined;
  }

  add(side: Side, { identity, content }: Digests, at: RecordPlace): void {
    this.counts[side] += 1;
    const waiting = this.#byContent.get(content);
    if (waiting === undefined) {
      this.#byContent.set(content, { side, identity, places: [at] });
      this.waiting[side] += 1;
    } else if (waiting.side === side) {
      waiting.places.push(at);
      this.waiting[side] += 1;
    } else {
      waiting.places.pop();
      this.waiting[waiting.side] -= 1;
      if (waiting.places.length === 0) this.#byContent.delete(content);
      this.#met?.add(identity);
    }
  }

  /** What has no partner, in the order of reading. */
  *differences(): Generator<Difference> {
    const others = new Map<string, RecordPlace[]>();
    for (const { side, identity, places } of this.#byContent.values()) {
      if (side === 'b') others.set(identity, [...(others.get(identity) ?? []), ...places]);
    }
    const taken = new Set<RecordPlace>();
    for (const { side, identity, places } of this.#byContent.values()) {
      if (side !== 'a') continue;
      for (const at of places) {
        const other = others.get(identity)?.shift();
        if (other !== undefined) {
          taken.add(other);
          yield { type: 'changed', a: at, b: other };
        } else {
          yield { type: this.#met?.has(identity) === true ? 'again' : 'only', side, at };
        }
      }
    }
    for (const { side, identity, places } of this.#byContent.values()) {
      if (side !== 'b') continue;
      for (const at of places) {
        if (!taken.has(at)) yield { type: this.#met?.has(identity) === true ? 'again' : 'only', side, at };
      }
    }
  }
}
