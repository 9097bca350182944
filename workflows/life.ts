/** What a user's workflow is between two steps, and carries through continue-as-new: plain JSON. */
import type { Incarnation, Output } from '../activities/contract.ts';
import type { Rules } from '../src/domain/events.ts';
import { initialState, type UserState } from '../src/domain/state.ts';

export interface Life {
  readonly version: 1;
  readonly incarnation: Incarnation;
  /** Of the last batch; null before the first. */
  rules: Rules | null;
  /** The partition triple that this user's records come from. */
  partition: number;
  /** Sequence number of the last output published, by stream. */
  published: { applied: number; resolved: number };
  /** Outputs of the resolved stream from `published.resolved + 1` on, not acknowledged yet. */
  unpublished: Output[];
  user: UserState;
}

/** The argument of the workflow. `life` is absent in a new one. */
export interface Start {
  readonly userId: string;
  readonly life?: Life;
}

export function newLife(incarnation: Incarnation): Life {
  return {
    version: 1,
    incarnation,
    rules: null,
    partition: 0,
    published: { applied: 0, resolved: 0 },
    unpublished: [],
    user: initialState(),
  };
}
