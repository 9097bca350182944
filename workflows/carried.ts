/**
 * What continue-as-new may carry: Temporal takes 2,097,152 bytes of a command, and fails the workflow, and its state with it, for
 * more. What is kept of a user is bounded while records are applied (src/money/domain/bounds.ts). What is owed, lookups and outputs
 * that wait, cannot be forgotten: while it takes too much no more signals are applied, until it has been published.
 */
import { keepBounds } from '../src/money/domain/apply.ts';
import { BOUNDS, boundedBytes } from '../src/money/domain/bounds.ts';
import { forgetKept, keptOf } from '../src/money/domain/kept.ts';
import { lookupSize, longSize, outputSize } from '../src/money/domain/stored-size.ts';
import type { Lookup, Output } from '../src/money/domain/types.ts';
import type { Life } from './life.ts';

/** bytes; the rest is for what Temporal adds. */
export const MAX_BYTES = 2_040_000;

/** As it is stored; never less than that. */
export function carriedBytes(life: Life): number {
  const { user, unpublished } = life;
  return (
    boundedBytes(user) + keptOf(user).pending.bytes + redeliverySize(life) + owedBytes(life.user.lookups, unpublished)
  );
}

/** Whether what follows from a batch of this size, in bytes, may be added: what is owed already counts, nothing owed may wait. */
export function hasRoomFor(bytes: number, life: Life): boolean {
  if (life.user.lookups.length === 0 && life.unpublished.length === 0) return true;
  return carriedBytes(life) + bytes <= MAX_BYTES;
}

export function canBeCarried(life: Life): boolean {
  return carriedBytes(life) <= MAX_BYTES;
}

const sizes = new WeakMap<Lookup | Output, number>();

function owedBytes(lookups: readonly Lookup[], unpublished: readonly Output[]): number {
  let bytes = 0;
  for (const lookup of lookups) bytes += remembered(lookup, lookupSize);
  for (const output of unpublished) bytes += remembered(output, outputSize);
  return bytes;
}

function remembered<T extends Lookup | Output>(value: T, sizeOf: (value: T) => number): number {
  let size = sizes.get(value);
  if (size === undefined) sizes.set(value, (size = sizeOf(value)));
  return size;
}

/** What the bridge has in flight of this user, as ranges. */
function redeliverySize({ user: { redelivery } }: Life): number {
  let size = 0;
  for (const partition in redelivery) {
    const { lowWater, above } = redelivery[partition]!;
    // Names of the partition and of its logs.
    size += 200;
    for (const offsets of [lowWater, ...above]) for (const offset of offsets) size += longSize(offset);
  }
  return size;
}

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
export function evictOldestDuplicates(life: Life, keep = BOUNDS.dedupEntries): number {
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
