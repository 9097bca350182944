import { getHeapStatistics } from 'node:v8';
import type { Amount } from './signal-outbox.ts';

/**
 * How much of a triple may be on its way before reading pauses. These are limits of memory, divided among the triples of
 * a process where that is needed: reading that pauses changes no result.
 */
export interface ReadingLimits {
  /** Records released and not acknowledged, without those that stand. */
  readonly released: number;
  /** Unusable records that are not written yet. */
  readonly deadLetterBytes: number;
  /** Of a triple and of the whole process: whether too much stands, waiting for single workflows. */
  readonly tooMuchStands: (ofTriple: Amount, ofAll: Amount) => boolean;
}

/** Of a process. */
const MAX_RELEASED = 200_000;
const MAX_DEAD_LETTER_BYTES = 128_000_000;
const MAX_STANDING_BYTES = 256_000_000;
/** The same, as a part of the heap that the process may have. */
const STANDING_SHARE = 1 / 8;
/** Of a triple. */
const MOST_RELEASED = 25_000;
const LEAST_RELEASED = 1_000;
const MOST_DEAD_LETTER_BYTES = 8_000_000;
const LEAST_DEAD_LETTER_BYTES = 1_000_000;
const LEAST_STANDING_BYTES = 1_000_000;

/** `heap`: bytes that the process may have of it. */
export function readingLimits(triples: number, heap = getHeapStatistics().heap_size_limit): ReadingLimits {
  const share = (all: number, least: number, most: number) =>
    Math.min(most, Math.max(least, Math.floor(all / Math.max(1, triples))));
  const standing = Math.min(MAX_STANDING_BYTES, Math.floor(heap * STANDING_SHARE));
  const standingShare = share(standing, LEAST_STANDING_BYTES, standing);
  return {
    released: share(MAX_RELEASED, LEAST_RELEASED, MOST_RELEASED),
    deadLetterBytes: share(MAX_DEAD_LETTER_BYTES, LEAST_DEAD_LETTER_BYTES, MOST_DEAD_LETTER_BYTES),
    // One that has less than its share does not pay for another that has more.
    tooMuchStands: (ofTriple, ofAll) => ofAll.bytes >= standing && ofTriple.bytes >= standingShare,
  };
}
