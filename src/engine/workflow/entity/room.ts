/**
 * What continue-as-new may carry: Temporal takes 2,097,152 bytes of a command, and fails the workflow, and its state with it, for
 * more. What an application keeps it bounds while records are applied. What is owed, questions and outputs that wait, cannot be
 * forgotten: while it takes too much no more signals are applied, until it has been published.
 */
import type { EntityLife } from './entity.ts';

/** bytes; the rest is for what Temporal adds. */
export const MAX_BYTES = 2_040_000;

/** How large a life is, and what it owes. */
export interface Measured<L, B> {
  readonly sizes: { carried(life: L): number; growth(life: L, batch: B): number };
  readonly questions: { open(life: L): readonly object[] };
}

export function canBeCarried<L>({ sizes }: Pick<Measured<L, never>, 'sizes'>, life: L): boolean {
  return sizes.carried(life) <= MAX_BYTES;
}

/** Whether what follows from a batch of this size, in bytes, may be added: what is owed already counts, nothing owed may wait. */
export function hasRoomFor<L extends EntityLife>(
  bytes: number,
  { sizes, questions }: Pick<Measured<L, never>, 'sizes' | 'questions'>,
  life: L,
): boolean {
  if (questions.open(life).length === 0 && life.unpublished.length === 0) return true;
  return sizes.carried(life) + bytes <= MAX_BYTES;
}
