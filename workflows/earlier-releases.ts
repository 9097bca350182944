/** What releases before 0.3.0 did, and their histories have to do again: their rules have no bounds. */
import { MAX_BYTES } from '../src/engine/workflow/entity/room.ts';
import type { EarlierReleases } from '../src/engine/workflow/entity/entity.ts';
import { keepBounds } from '../src/money/domain/apply.ts';
import { BOUNDS } from '../src/money/domain/bounds.ts';
import { forgetKept, keptOf } from '../src/money/domain/kept.ts';
import type { Life, Rules } from '../src/money/domain/types.ts';
import { carriedBytes } from './carried.ts';

export const earlierReleases: EarlierReleases<Life> = {
  isOf: (rules) => (rules as Rules | null)?.bounds === undefined,
  // As that release decided, and where it gave up, as today.
  prepareContinueAsNew(life, { key, now }, patched) {
    forgetOldestDuplicates(life);
    if (couldBeCarried(life)) return true;
    if (!patched('carried-as-stored')) return false;
    makeItFit(life, { userId: key, now });
    return carriedBytes(life) <= MAX_BYTES;
  },
};

/**
 * As releases before 0.3.0 decided, which runs that they began have to repeat when they are replayed: an estimate of the JSON, far
 * above what is stored.
 */
export function couldBeCarried(life: Life): boolean {
  const entries = Object.keys(life.user.dedup).length;
  const rest = JSON.stringify({ ...life, user: { ...life.user, dedup: {} } }).length;
  return entries * 24 + rest * 0.8 <= 1_800_000;
}

/** What those releases forgot before they continued as new. Returns how many entries were forgotten. */
export function forgetOldestDuplicates(life: Life, keep = BOUNDS.dedupEntries): number {
  const { dedup } = life.user;
  const excess = keptOf(life.user).dedup.count - keep;
  if (excess <= 0) return 0;
  const oldest = Object.entries(dedup)
    .sort(([, a], [, b]) => a - b)
    .slice(0, excess);
  for (const [id] of oldest) delete dedup[id];
  forgetKept(life.user);
  return oldest.length;
}

/** Makes a state that was built without bounds, by a release that had none, small enough. */
export function makeItFit(life: Life, context: { readonly userId: string; readonly now: number }): void {
  if (life.rules !== null) keepBounds(life.user, { ...life.rules, bounds: life.rules.bounds ?? BOUNDS }, context);
}
