/** What the code of an error means, and what to do about it where neither the message nor the command knows better. */
import type { ErrorCode } from '../engine/errors.ts';

export type FailureCode = ErrorCode | 'USAGE' | 'UNEXPECTED';

export const DOCTOR = 'money-enrichment doctor';
export const AGAIN = 'run the same command again';

export interface FailureWords {
  readonly means: string;
  /** A command, or words. */
  readonly next: string;
}

export const FAILURES: Readonly<Record<FailureCode, FailureWords>> = {
  USAGE: { means: 'the command line is wrong', next: 'money-enrichment <command> --help' },
  CONFIG: { means: 'the configuration, or what a command was given, is wrong', next: DOCTOR },
  UNREACHABLE: { means: 'Kafka, Temporal or another service does not answer', next: DOCTOR },
  TOPIC: { means: 'a topic is missing, or its settings do not fit', next: 'money-enrichment topics' },
  STOPPED: {
    means: 'too much of a partition is unusable: a person has to decide whether it goes on',
    next: 'money-enrichment dead-letters release --dry-run',
  },
  LOG_CHANGED: {
    means: 'a log is not the one that was read: a person has to decide where to go on',
    next: DOCTOR,
  },
  MISSING_PROGRAM: {
    means: '`dev` and `demo`: a broker or a server cannot be had',
    next: 'install what is missing, or set KAFKA_BROKERS and TEMPORAL_ADDRESS to running servers',
  },
  KAFKA: { means: 'a request to Kafka failed', next: DOCTOR },
  FENCED: {
    means: 'another process has taken over this transactional id',
    next: 'end the other system that has the same ENRICHMENT_APP_ID, or give this one another',
  },
  SHARD_NOT_OWNED: { means: 'another worker has the shard now', next: AGAIN },
  SEQUENCE_GAP: { means: 'outputs of a user are missing before the one that is to be published', next: DOCTOR },
  STALE_INCARNATION: { means: 'an earlier workflow of the same user, whose place another one has taken', next: DOCTOR },
  DIVERGENCE: {
    means: 'the ledger has another output in this place, or a record that is not its own',
    next: 'money-enrichment replay',
  },
  WORKFLOW_RESET: {
    means: 'a workflow was reset: the numbers of its outputs go on after those of the ledger',
    next: DOCTOR,
  },
  OUTPUT_REFUSED: {
    means: 'the broker does not take this output: it waits by itself, and is tried again',
    next: DOCTOR,
  },
  LIBRARY: { means: 'an installed library is not the version that this product was proven with', next: 'npm ci' },
  NEWER_STATE: {
    means: 'what is stored was written by a newer version',
    next: 'run the version of this program that wrote it, or a newer one',
  },
  UNDECIPHERABLE: { means: 'a payload is encrypted with a key that is not there, or was changed', next: DOCTOR },
  NOT_FOUND: { means: 'what was asked for is not there', next: DOCTOR },
  CHECK_FAILED: { means: 'the command ran, and what it checks does not hold', next: 'do what the message says' },
  UNEXPECTED: {
    means: 'a fault of the program',
    next: 'run it again with ENRICHMENT_LOG_LEVEL=debug, which shows where',
  },
};

/** Exit codes: 2 wrong usage or configuration, 1 anything else. */
export function exitCodeOf(code: FailureCode): number {
  return code === 'CONFIG' || code === 'USAGE' ? 2 : 1;
}
