/**
 * Redelivery (semantics, section 3): a coordinate (input, log, partition, offset) is applied at most once, for ever.
 * A coordinate was applied if it is below the low water, under which the bridge had everything of this user
 * acknowledged, or in the set above it. The low water never goes back, so the set holds only what is in flight.
 */
import { INPUTS, type Input, type Offsets } from './events.ts';
import { addOffset, dropBelow, hasOffset } from './offset-ranges.ts';
import type { Logs, PartitionRedelivery } from './types.ts';

/** By partition number; one entry for each partition that this user's records ever came from, and one more for each later log of it. */
export type Redelivery = Record<string, PartitionRedelivery>;

/** The triple that records come from, and which logs its inputs are, as far as that is known. */
export interface Source {
  readonly partition: number;
  readonly logs?: Readonly<Logs>;
}

type Index = 0 | 1 | 2;

/** The entry of a partition is of the logs that its records came from first; another log under the same offsets has one of its own. */
function ofLog(redelivery: Redelivery, { partition, logs }: Source, index: Index): PartitionRedelivery {
  const input = INPUTS[index]!;
  const name = logs?.[input] ?? '';
  const first = (redelivery[partition] ??= entry());
  if (name === '') return first;
  const known = (first.logs ??= { user: '', session: '', money: '' });
  if (known[input] === '') known[input] = name;
  return known[input] === name ? first : (redelivery[`${partition}@${name}`] ??= entry());
}

function entry(): PartitionRedelivery {
  return { lowWater: [0, 0, 0], above: [[], [], []] };
}

export function raiseLowWater(redelivery: Redelivery, source: Source, lowWater: Offsets): void {
  for (const index of [0, 1, 2] as const) {
    const known = ofLog(redelivery, source, index);
    if (lowWater[index] <= known.lowWater[index]) continue;
    known.lowWater[index] = lowWater[index];
    dropBelow(known.above[index], lowWater[index]);
  }
}

/** False if the coordinate was applied before; otherwise notes it as applied. */
export function noteApplied(redelivery: Redelivery, source: Source, input: Input, offset: number): boolean {
  const index = INPUTS.indexOf(input) as Index;
  const known = ofLog(redelivery, source, index);
  if (offset < known.lowWater[index] || hasOffset(known.above[index], offset)) return false;
  addOffset(known.above[index], offset);
  return true;
}

/** Partitions that records came from; the entries of later logs of one are one. */
export function partitionsOf(redelivery: Redelivery): number[] {
  return [...new Set(Object.keys(redelivery).map((name) => Number.parseInt(name, 10)))];
}
