/**
 * What continue-as-new may carry: Temporal fails a workflow, and its state with it, whose input is above 2 MB. Payloads
 * are compressed (src/payload-codec.ts); ids and times of the dedup entries to some 20 bytes each, other text to less
 * than this estimates.
 */
import type { Life } from './life.ts';

const MAX_BYTES = 1_800_000;
const BYTES_PER_DEDUP_ENTRY = 24;
const COMPRESSED = 0.8;
/** Entries that are kept when there are too many to be carried: a money event a millisecond for the default TTL. */
export const MAX_DEDUP_ENTRIES = 60_000;

export function canBeCarried(life: Life): boolean {
  const entries = Object.keys(life.user.dedup).length;
  const rest = JSON.stringify({ ...life, user: { ...life.user, dedup: {} } }).length;
  return entries * BYTES_PER_DEDUP_ENTRY + rest * COMPRESSED <= MAX_BYTES;
}

/**
 * The last resort for a user with more money within a dedup TTL than can be carried: forgets the oldest entries, so that
 * this user goes on and its partition is not held up. Returns how many were forgotten.
 */
export function evictOldestDuplicates(dedup: Record<string, number>, keep = MAX_DEDUP_ENTRIES): number {
  const entries = Object.entries(dedup);
  if (entries.length <= keep) return 0;
  const oldest = entries.sort(([, a], [, b]) => a - b).slice(0, entries.length - keep);
  for (const [id] of oldest) delete dedup[id];
  return oldest.length;
}
