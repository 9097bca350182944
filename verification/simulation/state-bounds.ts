/**
 * Bounds of a user's state, scaled down for some seeds, so that the few users of an ordinary seed live at them: by number, which
 * the model knows too, or by bytes, which it does not: then the traffic has nothing whose output depends on what is forgotten.
 */
import { BOUNDS } from '../../src/money/domain/bounds.ts';
import type { Bounds } from '../../src/money/domain/types.ts';
import type { TrafficOptions } from '../../src/tools/generate/options.ts';
import { Random } from '../../src/engine/random.ts';
import type { UserStateView } from '../../workflows/views.ts';

export type BoundsPlan = 'plenty' | 'few' | 'small';

export interface PlannedBounds {
  readonly boundsPlan: BoundsPlan;
  readonly bounds: Bounds;
  /** What the traffic does not have. */
  readonly without: Partial<Pick<TrafficOptions, 'duplicates' | 'late'>>;
}

/** Bytes that are in every state, and some. */
const SMALLEST = 6_400;

/** `deadSessions`: money that leaves early for want of room may find no session then, whenever it leaves. */
export function boundsOf(seed: number, deadSessions: boolean): PlannedBounds {
  // Draws of its own: what else a seed stands for does not depend on it.
  const random = new Random(seed ^ 0xb0d5);
  const boundsPlan = deadSessions ? 'plenty' : random.pick(['plenty', 'plenty', 'few', 'small'] as const);
  switch (boundsPlan) {
    case 'plenty':
      return { boundsPlan, bounds: BOUNDS, without: {} };
    case 'few': {
      const few = (): number => 1 + random.below(random.pick([2, 6, 20]));
      return {
        boundsPlan,
        bounds: {
          dedupEntries: few(),
          sessions: few(),
          pending: few(),
          changes: few(),
          moneyTypes: few(),
          bytes: BOUNDS.bytes,
        },
        without: {},
      };
    }
    case 'small':
      return {
        boundsPlan,
        bounds: { ...BOUNDS, bytes: SMALLEST + random.below(1_200) },
        without: { duplicates: 0, late: 0 },
      };
  }
}

/** Names and places of partitions, their logs, and what the estimate of a state leaves out. */
const BESIDE = 2_000;

/** What of a state is more than its bounds allow, when nothing is owed any more. */
export function beyondBounds({ userId, sizes }: UserStateView, bounds: Bounds): string[] {
  const kept: readonly (readonly [string, number, number])[] = [
    ['sessions', sizes.sessions, bounds.sessions],
    ['ids of money', sizes.dedupEntries, bounds.dedupEntries],
    ['money types', sizes.firstOccurrences, bounds.moneyTypes],
    ['bytes', sizes.bytes, bounds.bytes + BESIDE],
  ];
  return kept
    .filter(([, has, most]) => has > most)
    .map(([what, has, most]) => `${userId}: a state with ${has} ${what}, where ${most} is the bound`);
}

/** How often something of it made room. */
export function forgottenBy({ counters: c }: UserStateView): number {
  return c.duplicatesForgotten + c.sessionsForgotten + c.pendingHurried + c.changesForgotten + c.moneyTypesForgotten;
}
