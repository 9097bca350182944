/** What a user's workflow is between two steps, and carries through continue-as-new: plain JSON. */
import type { Incarnation, Life } from '../src/domain/types.ts';
import { initialState } from '../src/domain/state.ts';

export type { Life, Start } from '../src/domain/types.ts';

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
