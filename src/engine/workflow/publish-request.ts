/** What a workflow asks to be published; what the ledger remembers of it is in ledger-types.ts. Types only. */
import type { Incarnation, Run } from './ledger-types.ts';

/**
 * `applied`: outputs that needed no waiting, a function of the signals alone; published by a local activity.
 * `resolved`: outputs that waited for something; published by a regular activity, whose input is in the history before it runs.
 */
export type Stream = 'applied' | 'resolved';

/** What tells an output from every other: the place of the record that it is of. The ledger compares it. */
export interface Identified {
  /** -1 for one that is of no record: then `offset` is a print of what it says. */
  readonly partition: number;
  readonly offset: number;
}

export interface PublishRequest<R extends Identified = Identified> {
  /** The business key that the workflow is of; its shard is where the key of its output records lives. */
  readonly key: string;
  readonly incarnation: Incarnation;
  readonly stream: Stream;
  /** Sequence number of `outputs[0]` within (key, incarnation, stream); contiguous, the first ever is 1. */
  readonly first: number;
  readonly outputs: readonly R[];
  /** That asks. Absent in what releases before 0.3.0 asked. */
  readonly run?: Run;
  /** Signals whose outputs these are, for the answer. Absent where that is no question. */
  readonly signals?: number;
}

/** What was asked for by the attempt that was answered: a replay may ask for more. */
export interface PublishAnswer {
  /** As asked. */
  readonly signals?: number;
  /** Offset of `outputs[0]` in the output partition; absent where the publisher does not know it, and in releases before 0.3.0. */
  readonly at?: number;
}
