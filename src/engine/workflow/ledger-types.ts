/** Made of schemas/ledger.avsc by `npm run schemas:types`. Change the schema, not this file. */

/**
 * A life of a workflow: from its first execution, through every continue-as-new and reset. The later `startedAt` is
 * the newer life; a workflow that was terminated and started again is a new one.
 */
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

/** The last published output of one stream: its sequence number, and the place of the record that it is of. */
export interface Mark {
  readonly seq: number;
  readonly partition: number;
  readonly offset: number;
  /** Which run published it. Absent in what releases before 0.3.0 wrote. */
  readonly run?: Run;
}

/** What was last published for a key. Absent: nothing was published on that stream in this incarnation. */
export interface LedgerEntry {
  readonly incarnation: Incarnation;
  readonly applied?: Mark;
  readonly resolved?: Mark;
}
