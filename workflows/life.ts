/** What a user's workflow is between two steps, and carries through continue-as-new: plain JSON. */
import type { Incarnation, Life, Start } from '../src/money/domain/types.ts';
import { initialState } from '../src/money/domain/state.ts';

export type { Life, Start } from '../src/money/domain/types.ts';

/** All that is known of a user: what the workflow would be started with anew to go on from here. */
export type Snapshot = Required<Start>;

/** Of a snapshot that is no workflow's yet: the run that is started with it is the first of a new life. */
export const NOBODYS: Incarnation = { startedAt: 0, runId: '' };

/** A life goes on under its own name; one that was made from history or taken from another workflow begins anew. */
export function lifeOf(carried: Life | undefined, incarnation: Incarnation): Life {
  if (carried === undefined) return newLife(incarnation);
  return carried.incarnation.runId === NOBODYS.runId ? { ...carried, incarnation } : carried;
}

/** What the next run is started with. */
export function ofNextRun(life: Life): Life {
  return { ...life, runs: (life.runs ?? 0) + 1 };
}

export function newLife(incarnation: Incarnation): Life {
  return {
    incarnation,
    rules: null,
    partition: 0,
    published: { applied: 0, resolved: 0 },
    unpublished: [],
    user: initialState(),
  };
}
