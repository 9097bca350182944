/**
 * Redelivery (semantics, section 3): a coordinate (input, log, partition, offset) is applied at most once, for ever.
 * A coordinate was applied if it is below the low water, under which the bridge had everything of this key
 * acknowledged, or in the set above it. The low water never goes back, so the set holds only what is in flight.
 */
import { addOffset, dropBelow, hasOffset, type OffsetRanges } from './offset-ranges.ts';

/** What was applied of one partition: everything below the low water, and ranges above it, by input. */
export interface AppliedOffsets<I extends string = string> {
  lowWater: number[];
  above: OffsetRanges[];
  /** The logs that these offsets belong to, by the names of the inputs; absent when none is known. */
  logs?: Record<I, string>;
}

/** By partition number; one entry for each partition that this key's records ever came from, and one more for each later log of it. */
export type Redelivery<I extends string = string> = Record<string, AppliedOffsets<I>>;

/** Where a batch comes from. */
export interface Source<I extends string = string> {
  readonly partition: number;
  /** Which logs its inputs are, by the names of the inputs, as far as that is known. */
  readonly logs?: Readonly<Record<I, string>>;
}

/** The redelivery of batches from inputs with these names, which are stored: their order is that of the bridge's input topics. */
export class Redeliveries<I extends string> {
  readonly #inputs: readonly I[];

  constructor(inputs: readonly I[]) {
    this.#inputs = inputs;
  }

  /** `lowWater`: below these offsets the bridge had everything of this key acknowledged. */
  raiseLowWater(redelivery: Redelivery<I>, source: Source<I>, lowWater: readonly number[]): void {
    for (const [input, offset] of lowWater.entries()) {
      const known = this.#ofLog(redelivery, source, input);
      if (offset <= known.lowWater[input]!) continue;
      known.lowWater[input] = offset;
      dropBelow(known.above[input]!, offset);
    }
  }

  /** False if the coordinate was applied before; otherwise notes it as applied. `input`: one of the names. */
  noteApplied(redelivery: Redelivery<I>, source: Source<I>, input: I, offset: number): boolean {
    const index = this.#inputs.indexOf(input);
    const known = this.#ofLog(redelivery, source, index);
    if (offset < known.lowWater[index]! || hasOffset(known.above[index]!, offset)) return false;
    addOffset(known.above[index]!, offset);
    return true;
  }

  /** The entry of a partition is of the logs that its records came from first; another log under the same offsets has one of its own. */
  #ofLog(redelivery: Redelivery<I>, { partition, logs }: Source<I>, index: number): AppliedOffsets<I> {
    const input = this.#inputs[index]!;
    const name = logs?.[input] ?? '';
    const first = this.#withAllInputs((redelivery[partition] ??= { lowWater: [], above: [] }));
    if (name === '') return first;
    const known = (first.logs ??= Object.fromEntries(this.#inputs.map((each) => [each, ''])) as Record<I, string>);
    if ((known[input] ?? '') === '') known[input] = name;
    if (known[input] === name) return first;
    return this.#withAllInputs((redelivery[`${partition}@${name}`] ??= { lowWater: [], above: [] }));
  }

  /** An entry that was made before an input was added lacks it. */
  #withAllInputs(entry: AppliedOffsets<I>): AppliedOffsets<I> {
    for (let input = entry.lowWater.length; input < this.#inputs.length; input += 1) {
      entry.lowWater.push(0);
      entry.above.push([]);
    }
    return entry;
  }
}

/** Partitions that records came from; the entries of later logs of one are one. */
export function partitionsOf(redelivery: Readonly<Record<string, unknown>>): number[] {
  return [...new Set(Object.keys(redelivery).map((name) => Number.parseInt(name, 10)))];
}
