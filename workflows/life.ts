/** What a user's workflow is between two steps, and carries through continue-as-new: plain JSON. */
import { beginning, underItsName } from '../src/engine/workflow/entity/life.ts';
import type { Incarnation } from '../src/engine/workflow/ledger-types.ts';
import type { Life, Start } from '../src/money/domain/types.ts';
import { initialState } from '../src/money/domain/state.ts';

export type { Life, Start } from '../src/money/domain/types.ts';

/** All that is known of a user: what the workflow would be started with anew to go on from here. */
export type Snapshot = Required<Start>;

export function newLife(incarnation: Incarnation): Life {
  return { ...beginning(incarnation), rules: null, unpublished: [], user: initialState() };
}

/** What a run begins with: what it was started with, if that is anything. */
export function lifeOf(carried: Life | undefined, incarnation: Incarnation): Life {
  return carried === undefined ? newLife(incarnation) : underItsName(carried, incarnation);
}
