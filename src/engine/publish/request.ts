/** What a workflow asks to be published, and what the ledger remembers of it. Types only. */

/** First and later runs of one life of a workflow: from its start until it ends otherwise than by continuing as new. */
export interface Incarnation {
  /** Start of the first run, epoch ms, as the server recorded it. */
  readonly startedAt: number;
  /** `firstExecutionRunId` of the chain. */
  readonly runId: string;
}

/** A run of a life: another run of the same number, or of a lower one, came of a reset. */
export interface Run {
  /** How often the life was continued as new before it. */
  readonly number: number;
  /** The first eight characters of its run id. */
  readonly id: string;
}

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
  readonly signals: number;
}

/** The last published output of one stream: its sequence number, and the place of the record that it is of. */
export interface Mark extends Identified {
  readonly seq: number;
  /** Which run published it. Absent in what releases before 0.3.0 wrote. */
  readonly run?: Run;
}

/** What was last published for a key. Absent: nothing was published on that stream in this incarnation. */
export interface LedgerEntry {
  readonly incarnation: Incarnation;
  readonly applied?: Mark;
  readonly resolved?: Mark;
}
