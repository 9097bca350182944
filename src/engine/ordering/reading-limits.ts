/**
 * How much of a triple may be on its way before reading pauses. These are limits of memory, divided among the triples of
 * a process where that is needed: reading that pauses changes no result.
 */
export interface ReadingLimits {
  /** Records released and not acknowledged, without those of workflows that wait. */
  readonly released: number;
  /** Unusable records that are not written yet. */
  readonly deadLetterBytes: number;
  /** Of a triple, and `records` of the whole process: whether too much waits for workflows whose signals wait. */
  readonly tooMuchWaits: (ofTriple: { readonly records: number; readonly bytes: number }, ofAll: number) => boolean;
}

/** Of a process. */
const MAX_RELEASED = 200_000;
const MAX_DEAD_LETTER_BYTES = 128_000_000;
const MAX_WAITING = 200_000;
/** Of a triple. */
const MOST_RELEASED = 10_000;
const LEAST_RELEASED = 1_000;
const MOST_DEAD_LETTER_BYTES = 8_000_000;
const LEAST_DEAD_LETTER_BYTES = 1_000_000;
const MOST_WAITING = { records: 50_000, bytes: 32_000_000 };
const LEAST_WAITING = 1_000;

export function readingLimits(triples: number): ReadingLimits {
  const share = (all: number, least: number, most: number) =>
    Math.min(most, Math.max(least, Math.floor(all / Math.max(1, triples))));
  return {
    released: share(MAX_RELEASED, LEAST_RELEASED, MOST_RELEASED),
    deadLetterBytes: share(MAX_DEAD_LETTER_BYTES, LEAST_DEAD_LETTER_BYTES, MOST_DEAD_LETTER_BYTES),
    tooMuchWaits: ({ records, bytes }, ofAll) =>
      records >= MOST_WAITING.records ||
      bytes >= MOST_WAITING.bytes ||
      (ofAll >= MAX_WAITING && records >= LEAST_WAITING),
  };
}
