/** How a life goes on from run to run. */
import type { Identified } from '../publish-request.ts';
import type { Incarnation } from '../ledger-types.ts';
import type { EntityLife } from './entity.ts';

/** The name of a life that no workflow has yet: the run that is started with it is the first of a new one. */
export const NO_WORKFLOW: Incarnation = { startedAt: 0, runId: '' };

/** What every life begins with. */
export function beginning<O extends Identified>(incarnation: Incarnation): EntityLife<O> {
  return { incarnation, rules: null, partition: 0, published: { applied: 0, resolved: 0 }, unpublished: [] };
}

/** A life goes on under its own name; one that was made from history or taken from another workflow begins anew. */
export function underItsName<L extends EntityLife>(carried: L, incarnation: Incarnation): L {
  return carried.incarnation.runId === NO_WORKFLOW.runId ? { ...carried, incarnation } : carried;
}

/** What the next run is started with. */
export function ofNextRun<L extends EntityLife>(life: L): L {
  return { ...life, runs: (life.runs ?? 0) + 1 };
}
