/**
 * What a cooperative member of a group keeps over a join: what it had, unless somebody else can have had it in between. That is known
 * only of two joins in a row of the same member. A member may also join the same generation twice (after a coordinator has moved,
 * say): then nothing has happened.
 */
interface Membership {
  readonly memberId: string;
  readonly generationId: number;
}

/** What a member has of a generation. */
export interface HeldGeneration extends Membership {
  readonly partitions: readonly number[];
  /** Of these, what it had before. */
  readonly kept: ReadonlySet<number>;
  /** The receiver has taken over the others as well. */
  readonly open: boolean;
}

export function isSameGeneration(before: HeldGeneration | undefined, now: Membership): boolean {
  return before?.memberId === now.memberId && before.generationId === now.generationId;
}

/** Of the partitions that the generation `now` brings. */
export function keptPartitions(
  before: HeldGeneration | undefined,
  now: Membership & { readonly partitions: readonly number[] },
): ReadonlySet<number> {
  if (before?.memberId !== now.memberId || before.generationId + 1 !== now.generationId) return new Set();
  const had = before.open ? new Set(before.partitions) : before.kept;
  return new Set(now.partitions.filter((partition) => had.has(partition)));
}
