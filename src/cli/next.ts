/** What to do about an error: a command, or words. The one table of it. */
import type { ErrorCode } from '../engine/errors.ts';

export type FailureCode = ErrorCode | 'USAGE' | 'UNEXPECTED';

const DOCTOR = 'money-enrichment doctor';
const AGAIN = 'run the same command again';

const OF_CODE: Readonly<Record<Exclude<FailureCode, 'USAGE'>, string>> = {
  CONFIG: DOCTOR,
  UNREACHABLE: DOCTOR,
  TOPIC: 'money-enrichment topics',
  STOPPED: 'money-enrichment dead-letters release --dry-run',
  LOG_CHANGED: DOCTOR,
  MISSING_PROGRAM: 'install what is missing, or set KAFKA_BROKERS and TEMPORAL_ADDRESS to running servers',
  KAFKA: DOCTOR,
  FENCED: 'end the other system that has the same ENRICHMENT_APP_ID, or give this one another',
  SHARD_NOT_OWNED: AGAIN,
  SEQUENCE_GAP: DOCTOR,
  STALE_INCARNATION: DOCTOR,
  DIVERGENCE: 'money-enrichment replay',
  WORKFLOW_RESET: DOCTOR,
  OUTPUT_REFUSED: DOCTOR,
  LIBRARY: 'npm ci',
  NEWER_STATE: 'run the version of this program that wrote it, or a newer one',
  NOT_FOUND: DOCTOR,
  CHECK_FAILED: 'do what the message says',
  UNEXPECTED: 'run it again with ENRICHMENT_LOG_LEVEL=debug, which shows where',
};

/** Where a command knows better. */
const OF_COMMAND: Readonly<Record<string, Readonly<Partial<Record<FailureCode, string>>>>> = {
  backfill: { CHECK_FAILED: AGAIN },
  bootstrap: { CHECK_FAILED: AGAIN },
  compare: { CHECK_FAILED: 'money-enrichment compare --help' },
  'dead-letters': { CHECK_FAILED: 'money-enrichment dead-letters' },
  doctor: {
    CONFIG: 'correct the variables that the message names',
    CHECK_FAILED: 'do what each failed check says, from the first one on',
  },
  explain: { NOT_FOUND: 'money-enrichment dead-letters' },
  export: { CHECK_FAILED: 'money-enrichment export --offline' },
  nudge: { CHECK_FAILED: 'money-enrichment worker' },
  replay: { CHECK_FAILED: 'do not deploy this code: make its commands those of the recorded histories' },
  topics: {
    TOPIC: 'change the settings that the message names with the tools of Kafka',
    CHECK_FAILED: DOCTOR,
  },
};

/** A command that stands in quotes in a message. */
const QUOTED = /"(money-enrichment [a-z][^"<>]*)"/;
/** A message about the environment names the variable; one about the command line does not begin so. */
const VARIABLE = /^(Temporal configuration|[^\s:]*\.env|[A-Z][A-Z0-9_]*_[A-Z0-9_]+)\b/;

export function nextOf(code: FailureCode, message: string, command: string | undefined): string {
  const help = `money-enrichment ${command === undefined ? '' : `${command} `}--help`;
  if (code === 'USAGE') return help;
  const quoted = QUOTED.exec(message)?.[1];
  if (quoted !== undefined) return quoted;
  if (code === 'CONFIG' && !VARIABLE.test(message)) return help;
  return OF_COMMAND[command ?? '']?.[code] ?? OF_CODE[code];
}
