/** What to do about an error or a finding: a command, or words. Where nothing here knows better, what {@link FAILURES} says. */
import { AGAIN, DOCTOR, FAILURES, type FailureCode } from './failures.ts';
import type { Finding } from '../tools/doctor/finding.ts';

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

/** What to do about a check of `doctor`, by the first word of its subject. */
const OF_SUBJECT: Readonly<Record<string, string>> = {
  Node: 'install the version that the message names',
  kafkajs: 'npm ci',
  Temporal: 'correct TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and TEMPORAL_TLS_*, or start the server',
  configuration: 'correct the variable that the message names',
  Kafka: 'correct KAFKA_BROKERS, KAFKA_SSL* and KAFKA_SASL_*, or start the broker',
  broker: "change the brokers' settings that the message names",
  topic: "change the topic's settings that the message names, with Kafka's tools",
  ledger: 'restore the topic, see docs/operations.md',
  'co-partitioning': 'give the producers of all inputs the same key and partitioner',
  logs: 'decide where to go on, as the message says',
  permission: 'allow what docs/security.md lists for this user',
  namespace: 'correct TEMPORAL_NAMESPACE, or the settings of the namespace that the message names',
  deployment: 'make a version of the deployment the current one, see docs/deployments.md',
  paused: 'run the command of Temporal that the message names',
  session: 'correct ENRICHMENT_SESSION_SERVICE_URL, or start the service',
  traces: 'correct OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS, or start the collector',
  schema: 'correct SCHEMA_REGISTRY_URL, or start the registry',
};

/** A command that stands in quotes in a message. */
const QUOTED = /"(money-enrichment [a-z][^"<>]*)"/;
/** A message about the environment names the variable; one about the command line does not begin so. */
const VARIABLE = /^(Temporal configuration|[^\s:]*\.env|[A-Z][A-Z0-9_]*_[A-Z0-9_]+)\b/;

/** Null where all is well. */
export function nextOfFinding({ level, subject, message }: Finding): string | null {
  if (level === 'ok') return null;
  return QUOTED.exec(message)?.[1] ?? OF_SUBJECT[subject.split(' ')[0] ?? ''] ?? 'do what the message says';
}

export function nextOf(code: FailureCode, message: string, command: string | undefined): string {
  const help = `money-enrichment ${command === undefined ? '' : `${command} `}--help`;
  if (code === 'USAGE') return help;
  const quoted = QUOTED.exec(message)?.[1];
  if (quoted !== undefined) return quoted;
  if (code === 'CONFIG' && !VARIABLE.test(message)) return help;
  return OF_COMMAND[command ?? '']?.[code] ?? FAILURES[code].next;
}
