/**
 * Redelivery (semantics, section 3): a coordinate (input, partition, offset) is applied at most once, for ever.
 * A coordinate was applied if it is below the low water, under which the bridge had everything of this user
 * acknowledged, or in the set above it. The low water never goes back, so the set holds only what is in flight.
 */
import { INPUTS, type Input, type Offsets } from './events.ts';
import { addOffset, dropBelow, hasOffset } from './offset-ranges.ts';
import type { PartitionRedelivery } from './types.ts';

/** By partition number; one entry for each partition that this user's records ever came from. */
export type Redelivery = Record<string, PartitionRedelivery>;

function ofPartition(redelivery: Redelivery, partition: number): PartitionRedelivery {
  return (redelivery[partition] ??= { lowWater: [0, 0, 0], above: [[], [], []] });
}

export function raiseLowWater(redelivery: Redelivery, partition: number, lowWater: Offsets): void {
  const known = ofPartition(redelivery, partition);
  for (const index of [0, 1, 2] as const) {
    if (lowWater[index] <= known.lowWater[index]) continue;
    known.lowWater[index] = lowWater[index];
    dropBelow(known.above[index], lowWater[index]);
  }
}

/** False if the coordinate was applied before; otherwise notes it as applied. */
export function noteApplied(redelivery: Redelivery, partition: number, input: Input, offset: number): boolean {
  const known = ofPartition(redelivery, partition);
  const index = INPUTS.indexOf(input) as 0 | 1 | 2;
  if (offset < known.lowWater[index] || hasOffset(known.above[index], offset)) return false;
  addOffset(known.above[index], offset);
  return true;
}
