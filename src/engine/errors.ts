/** Every error that this project throws on purpose. `message` quotes the value and the place and says what to do. */
export type ErrorCode =
  | 'CONFIG' // wrong usage or configuration: exit code 2
  | 'UNREACHABLE' // Kafka, Temporal or a service does not answer
  | 'TOPIC' // a topic is missing or its settings do not fit
  | 'STOPPED' // too much of a partition is unusable: a person has to decide whether it goes on
  | 'LOG_CHANGED' // a log is not the one that was read: a person has to decide where to go on
  | 'MISSING_PROGRAM' // dev and demo: a broker or a server cannot be had
  | 'KAFKA' // a Kafka request failed; the producer that met it must be thrown away
  | 'FENCED' // another process took over this transactional id
  | 'SHARD_NOT_OWNED'
  | 'SEQUENCE_GAP'
  | 'STALE_INCARNATION'
  | 'DIVERGENCE'
  | 'WORKFLOW_RESET' // a workflow was reset: the numbers of its outputs go on after the ledger's
  | 'OUTPUT_REFUSED' // the broker does not take this very output: it waits by itself, and is tried again
  | 'LIBRARY' // an installed library is not the version that this project was proven with
  | 'NEWER_STATE' // stored by a newer version of this product
  | 'NOT_FOUND'
  | 'CHECK_FAILED'; // a command ran, and what it checks does not hold: exit code 1

export class CodedError extends Error {
  override readonly name = 'CodedError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What no retry can mend, whenever it happens: the process has to end and say what to change. */
export function isFatal(error: unknown): boolean {
  return error instanceof CodedError && (error.code === 'CONFIG' || error.code === 'LIBRARY');
}

/**
 * Also what a person has to mend when it is so at the start: a topic that is missing. Of one that was there before it is the
 * word of a broker that lags behind or has just started, and waited for.
 */
export function isFatalAtStart(error: unknown): boolean {
  return isFatal(error) || (error instanceof CodedError && error.code === 'TOPIC');
}
