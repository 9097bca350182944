/**
 * What the demo runs with. The rules are the defaults of the contract, whatever is configured, so that the story is the
 * same everywhere; only silence is given more time, since a busy laptop must not be taken for a quiet topic. A Kafka or
 * a Temporal that is configured may hold somebody's data: there everything gets names of its own.
 */
import type { Config } from '../../money/config.ts';
import { loadConfig } from '../../money/config.ts';

const DAY = 86_400_000;

/** ms and bytes: the durations that the scenario is made for. */
export const DEMO_RULES = {
  outOfOrderness: 20_000,
  sessionTtl: DAY,
  dedupTtl: 60_000,
  pendingTimeout: 3_600_000,
  maxFutureSkew: 3_600_000,
  maxRecordBytes: 1_048_576,
} as const;

const IDLE_TIMEOUT = 10_000;
/** What the stand-in session service answers; sessions of the scenario come from other countries. */
export const LOOKED_UP_COUNTRY = 'UY';

const RULE_VARIABLES: Readonly<Record<string, string>> = {
  ENRICHMENT_OUT_OF_ORDERNESS: '20s',
  ENRICHMENT_IDLE_TIMEOUT: `${IDLE_TIMEOUT}ms`,
  ENRICHMENT_SESSION_TTL: '1d',
  ENRICHMENT_DEDUP_TTL: '1m',
  ENRICHMENT_PENDING_TIMEOUT: '1h',
  ENRICHMENT_LOOKUP_TIMEOUT: '1s',
  ENRICHMENT_LOOKUP_GIVE_UP_AFTER: '10m',
  ENRICHMENT_MAX_FUTURE_SKEW: '1h',
  ENRICHMENT_MAX_RECORD_BYTES: String(DEMO_RULES.maxRecordBytes),
  ENRICHMENT_STAND_IN_COUNTRY: LOOKED_UP_COUNTRY,
  // The scenario's events have our names, and the topics subjects of their own.
  ENRICHMENT_WALLET_READER_SCHEMA: '',
  ENRICHMENT_USER_READER_SCHEMA: '',
  ENRICHMENT_SESSION_READER_SCHEMA: '',
  SCHEMA_REGISTRY_SUBJECT: '',
  SCHEMA_REGISTRY_SUBJECT_NAME_STRATEGY: '',
  SCHEMA_REGISTRY_USE_LATEST_VERSION: '',
  // Always the stand-in: a real service knows nothing of these sessions.
  ENRICHMENT_SESSION_SERVICE_URL: '',
};

const SESSION_SERVICE = 'ENRICHMENT_SESSION_SERVICE_';

/** Nothing of how a real service is reached: the stand-in takes neither TLS nor a token. */
function withoutSessionService(env: NodeJS.ProcessEnv): Record<string, string> {
  const names = Object.keys(env).filter((name) => name.startsWith(SESSION_SERVICE) && name !== `${SESSION_SERVICE}URL`);
  return Object.fromEntries(names.map((name) => [name, '']));
}

const TOPIC_VARIABLES = {
  ENRICHMENT_WALLET_TOPIC: 'wallet-events',
  ENRICHMENT_USER_TOPIC: 'user-events',
  ENRICHMENT_SESSION_TOPIC: 'user-session-events',
  ENRICHMENT_OUTPUT_TOPIC: 'money-enriched-events',
  ENRICHMENT_DEAD_LETTER_TOPIC: 'money-enrichment-dead-letters',
} as const;

const STARTS = { startsSchemaRegistry: true } as const;

export interface DemoSetup {
  readonly config: Config;
  /** What differs from `env`, for worker and bridge. */
  readonly productEnv: Readonly<Record<string, string>>;
  /** What a command of one's own needs besides the addresses; empty where the defaults are used. */
  readonly naming: Readonly<Record<string, string>>;
  /** No log level is configured: what worker and bridge log is shown only when something went wrong. */
  readonly quiet: boolean;
  /** Names of its own: they stay in a cluster that was there before. */
  readonly shared: boolean;
}

/** `unique`: for names in a configured Kafka or Temporal. Errors: CodedError CONFIG. */
export function demoSetup(env: NodeJS.ProcessEnv, unique: string): DemoSetup {
  const service = withoutSessionService(env);
  const given = loadConfig({ ...env, ...RULE_VARIABLES, ...service }, STARTS);
  const shared = given.kafka !== undefined || given.temporalConfigured;
  const prefix = shared ? `demo-${unique}-` : '';
  const names: Record<string, string> = { ENRICHMENT_APP_ID: shared ? `demo-${unique}` : 'money-enrichment' };
  for (const [variable, name] of Object.entries(TOPIC_VARIABLES)) names[variable] = `${prefix}${name}`;
  const quiet = (env['ENRICHMENT_LOG_LEVEL'] ?? '') === '';
  const { ENRICHMENT_SESSION_SERVICE_URL: _, ...rules } = RULE_VARIABLES;
  return {
    config: loadConfig({ ...env, ...RULE_VARIABLES, ...service, ...names }, STARTS),
    productEnv: { ...rules, ...service, ...names, ...(quiet ? { ENRICHMENT_LOG_LEVEL: 'warn' } : {}) },
    quiet,
    naming: shared ? names : {},
    shared,
  };
}
