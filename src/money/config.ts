/** The configuration of every process, from the environment. Everything is checked together, before anything runs. */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { DAY, EnvironmentReader, formatDuration, MAX_TIMER, shown } from '../engine/process/environment-reader.ts';
import { CodedError, messageOf } from '../engine/errors.ts';
import type { SecretFile } from '../engine/process/secret-file.ts';
import type { KafkaConfig } from '../engine/kafka/kafka-config.ts';
import { isHostAndPort, readKafka } from './config/kafka.ts';
import { readServiceAccess, type ServiceAccess } from './config/service-access.ts';
import { temporalConnectionOptions } from '../engine/temporal/connection.ts';
import { ledgerTopicOf } from '../engine/naming.ts';
import type { BrakeSettings } from '../engine/ordering/brake.ts';
import { readBrake } from './config/brake.ts';
import { readGroup, type GroupConfig } from './config/group.ts';
import { readHeaders, type HeadersConfig } from './config/headers.ts';
import { readObservation, type ObservationConfig } from './config/observation.ts';
import { readTracing, type TracingConfig } from './config/tracing.ts';
import { readCodecServer, type CodecServerConfig } from './config/codec-server.ts';
import { readEncryption, type EncryptionConfig } from './config/encryption.ts';
import { readAudit, type AuditConfig } from './config/audit.ts';
import { readPollers, type PollersConfig } from './config/pollers.ts';
import { INPUTS } from './domain/events.ts';
import type { ReaderSchemas } from './codec/decode.ts';
import { readReaderSchemas } from './config/reader-schemas.ts';
import { readSchemaRegistry, type SchemaRegistryConfig } from './config/schema-registry.ts';

export interface Topics {
  readonly user: string;
  readonly session: string;
  readonly money: string;
  readonly output: string;
  readonly deadLetter: string;
  /** `<output topic>-ledger`: compacted, as many partitions as the output topic. */
  readonly ledger: string;
}

/** In the order in which equal times are applied: that of the bridge's inputs. */
export function inputTopicsOf(topics: Topics): string[] {
  return INPUTS.map((input) => topics[input]);
}

export interface Config
  extends
    HeadersConfig,
    GroupConfig,
    ObservationConfig,
    TracingConfig,
    EncryptionConfig,
    CodecServerConfig,
    AuditConfig,
    PollersConfig {
  readonly appId: string;
  /** User ids in workflow ids become keyed hashes. Secret. */
  readonly userIdHashKey?: string;
  /** Undefined: none is configured; only `dev` and `demo` can go on. */
  readonly kafka?: KafkaConfig;
  /** Whether a Temporal address is configured (environment or profile file). */
  readonly temporalConfigured: boolean;
  readonly topics: Topics;
  /** ms */
  readonly outOfOrderness: number;
  /** ms */
  readonly idleTimeout: number;
  /** ms that money waits in the bridge for company. */
  readonly flushDelay: number;
  /** ms, see Rules in domain/events.ts */
  readonly sessionTtl: number;
  readonly dedupTtl: number;
  readonly pendingTimeout: number;
  readonly lookupTimeout: number;
  readonly lookupGiveUpAfter: number;
  /** Requests to the session service under way at a time, of one worker process. */
  readonly maxLookups: number;
  readonly maxFutureSkew: number;
  /** bytes of a record value */
  readonly maxRecordBytes: number;
  readonly sessionServiceUrl?: string;
  /** What the session service demands. */
  readonly sessionServiceAccess?: ServiceAccess;
  readonly standInCountry: string;
  /** ms */
  readonly standInDelay: number;
  readonly valueFormat: 'json' | 'avro';
  readonly schemaRegistry?: SchemaRegistryConfig;
  /** What the registry demands. */
  readonly schemaRegistryAccess?: ServiceAccess;
  /** How values in Avro are read. */
  readonly readerSchemas: ReaderSchemas;
  /** Name of the worker deployment in Temporal; undefined: workers have no version there. */
  readonly deployment?: string;
  /** Files with the workflows of older versions, which the worker runs beside its own. */
  readonly olderWorkflows: readonly string[];
  /** MB of memory for workflows; undefined: a share of what there is. */
  readonly workflowCacheMb?: number;
  /** Of workflows. */
  readonly stackTraces: boolean;
  /** Undefined: nothing is stopped. */
  readonly brake?: BrakeSettings;
  /** Read again while the process runs. */
  readonly secretFiles?: readonly SecretFile[];
}

/** ms: an attempt at lookups is over after 30 s (src/engine/workflow/entity/questions.ts). */
const MAX_LOOKUP_TIMEOUT = 25_000;

export interface ConfigRequirements {
  readonly requireKafka?: boolean;
  readonly requireTemporal?: boolean;
  readonly requireSessionService?: boolean;
  /** One is started where none is configured. */
  readonly startsSchemaRegistry?: boolean;
}

/**
 * The variables of the process over those of the file `.env` in `cwd`, if there is one.
 * Throws CodedError CONFIG when the file exists and cannot be read, or is not UTF-8.
 */
export function readEnvironment(cwd: string = process.cwd()): NodeJS.ProcessEnv {
  const file = join(cwd, '.env');
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return { ...process.env };
    throw new CodedError('CONFIG', `${file}: cannot be read (${messageOf(error)})`, { cause: error });
  }
  return { ...(parseEnv(textOf(file, bytes)) as NodeJS.ProcessEnv), ...process.env };
}

/** Without the byte order mark that some editors write: it would become part of the first name, and nobody would notice. */
function textOf(file: string, bytes: Buffer): string {
  if (!isUtf8(bytes) || bytes.includes(0)) {
    throw new CodedError(
      'CONFIG',
      `${file}: expected UTF-8 text, but it is ${bytes.includes(0) ? 'UTF-16, most likely' : 'something else'}: save it as UTF-8`,
    );
  }
  return bytes.toString('utf8').replace(/^\ufeff/, '');
}

/**
 * bytes: what one record may have. A signal to Temporal takes 2 MB (2,097,152 bytes), and what follows from one record has to fit
 * through continue-as-new beside a full state (src/money/domain/bounds.ts): the digits of a number text take half a byte each there.
 */
export const MAX_RECORD_BYTES = 1_048_576;

/** Throws one CodedError CONFIG whose message has a line for every problem: variable, value, what is expected. */
export function loadConfig(env: NodeJS.ProcessEnv, requirements: ConfigRequirements = {}): Config {
  const read = new EnvironmentReader(env);
  const config = readAll(read, env, requirements);
  read.throwProblems();
  return config;
}

/** Variables that look like this product's and mean nothing to it: misspelt, most likely. */
export function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const read = new EnvironmentReader(env);
  readAll(read, env, {});
  return ['ENRICHMENT_', 'KAFKA_SSL', 'KAFKA_SASL', 'SCHEMA_REGISTRY_'].flatMap((prefix) => read.notAsked(prefix));
}

function readAll(read: EnvironmentReader, env: NodeJS.ProcessEnv, requirements: ConfigRequirements): Config {
  const kafka = readKafka(read, requirements.requireKafka === true);
  const temporalConfigured = readTemporal(read, env, requirements.requireTemporal === true);
  const sessionServiceUrl = read.url('ENRICHMENT_SESSION_SERVICE_URL');
  if (requirements.requireSessionService === true && !read.isSet('ENRICHMENT_SESSION_SERVICE_URL')) {
    read.missing('ENRICHMENT_SESSION_SERVICE_URL', 'the http(s) address of the session service');
  }
  const userIdHashKey = read.secret('ENRICHMENT_USER_ID_HASH_KEY', 32);
  const valueFormat = read.oneOf('ENRICHMENT_VALUE_FORMAT', ['json', 'avro'] as const, 'json');
  const outOfOrderness = read.duration('ENRICHMENT_OUT_OF_ORDERNESS', '20s', { min: 0, max: 365 * DAY });
  const headers = readHeaders(read);
  const config: Config = {
    appId: read.text(
      'ENRICHMENT_APP_ID',
      'money-enrichment',
      /^[A-Za-z0-9._-]{1,100}$/,
      'up to 100 letters, digits, "-", "_" and "."',
    ),
    ...(userIdHashKey === undefined ? {} : { userIdHashKey }),
    ...readEncryption(read),
    ...readCodecServer(read),
    ...(kafka === undefined ? {} : { kafka }),
    temporalConfigured,
    topics: readTopics(read),
    outOfOrderness,
    idleTimeout: read.duration('ENRICHMENT_IDLE_TIMEOUT', '5s', { min: 1, max: MAX_TIMER }),
    flushDelay: read.duration('ENRICHMENT_FLUSH_DELAY', flushDelayFor(outOfOrderness), { min: 0, max: 60_000 }),
    sessionTtl: read.duration('ENRICHMENT_SESSION_TTL', '1d', { min: 1, max: 3650 * DAY }),
    dedupTtl: read.duration('ENRICHMENT_DEDUP_TTL', '1m', { min: 1, max: 3650 * DAY }),
    pendingTimeout: read.duration('ENRICHMENT_PENDING_TIMEOUT', '1h', { min: 1, max: 3650 * DAY }),
    lookupTimeout: read.duration('ENRICHMENT_LOOKUP_TIMEOUT', '1s', { min: 1, max: MAX_LOOKUP_TIMEOUT }),
    lookupGiveUpAfter: read.duration('ENRICHMENT_LOOKUP_GIVE_UP_AFTER', '10m', { min: 1, max: 3650 * DAY }),
    maxLookups: read.integer('ENRICHMENT_MAX_LOOKUPS', 64, { min: 1, max: 10_000 }),
    maxFutureSkew: read.duration('ENRICHMENT_MAX_FUTURE_SKEW', '1h', { min: 0, max: 3650 * DAY }),
    maxRecordBytes: read.integer('ENRICHMENT_MAX_RECORD_BYTES', 1_048_576, { min: 1, max: MAX_RECORD_BYTES }),
    ...(sessionServiceUrl === undefined ? {} : { sessionServiceUrl }),
    standInCountry: read.text('ENRICHMENT_STAND_IN_COUNTRY', 'UY', /^\S{1,64}$/, 'a country code such as UY'),
    standInDelay: read.duration('ENRICHMENT_STAND_IN_DELAY', '20ms', { min: 0, max: MAX_TIMER }),
    ...readServiceAccess(read),
    valueFormat,
    readerSchemas: readReaderSchemas(read, valueFormat),
    ...readSchemaRegistry(read, { required: valueFormat === 'avro' && requirements.startsSchemaRegistry !== true }),
    ...headers,
    ...readTracing(read, headers.forwardHeaders),
    ...readGroup(read),
    ...readDeployment(read),
    ...readAudit(read),
    ...(read.isSet('ENRICHMENT_WORKFLOW_CACHE_MB') && {
      workflowCacheMb: read.integer('ENRICHMENT_WORKFLOW_CACHE_MB', 0, { min: 10, max: 1_000_000 }),
    }),
    stackTraces: read.boolean('ENRICHMENT_WORKFLOW_STACK_TRACES', false),
    ...readPollers(read),
    ...readBrake(read),
    ...readObservation(read),
    ...(read.files.length > 0 && { secretFiles: read.files }),
  };
  if (
    sessionServiceUrl !== undefined &&
    /(?<!^https?:\/)\/sessions(\/(\{|%7b|<|%3c|:)[^/]*)?$/i.test(sessionServiceUrl)
  ) {
    read.problem(
      'ENRICHMENT_SESSION_SERVICE_URL',
      'an address without "/sessions" at its end: "/sessions/<session id>" is added to it',
    );
  }
  if (config.lookupTimeout >= config.lookupGiveUpAfter) {
    read.problem('ENRICHMENT_LOOKUP_TIMEOUT', 'less than ENRICHMENT_LOOKUP_GIVE_UP_AFTER', '1s');
  }
  return config;
}

/** Whoever waits for the watermark does not notice a tenth of it. */
function flushDelayFor(outOfOrderness: number): string {
  return formatDuration(Math.min(2_000, Math.floor(outOfOrderness / 10)));
}

function readDeployment(read: EnvironmentReader): Pick<Config, 'deployment' | 'olderWorkflows'> {
  const deployment = read.text(
    'ENRICHMENT_DEPLOYMENT',
    '',
    /^[A-Za-z0-9_-]{0,100}$/,
    'up to 100 letters, digits, "-" and "_"',
  );
  const olderWorkflows = read
    .text('ENRICHMENT_OLDER_WORKFLOWS', '')
    .split(',')
    .map((file) => file.trim())
    .filter((file) => file !== '');
  if (deployment === '' && olderWorkflows.length > 0) {
    read.missing('ENRICHMENT_DEPLOYMENT', 'the name of the deployment, as ENRICHMENT_OLDER_WORKFLOWS is set');
  }
  return { ...(deployment === '' ? {} : { deployment }), olderWorkflows };
}

function readTemporal(read: EnvironmentReader, env: NodeJS.ProcessEnv, required: boolean): boolean {
  let address: string | undefined;
  try {
    address = temporalConnectionOptions(env).address;
  } catch (error) {
    read.add(messageOf(error));
    return false;
  }
  if (address !== undefined && !isHostAndPort(address)) {
    read.add(`TEMPORAL_ADDRESS=${shown('TEMPORAL_ADDRESS', address)}: expected host:port of a Temporal server`);
  }
  if (address === undefined && required) {
    read.missing(
      'TEMPORAL_ADDRESS',
      'host:port of a Temporal server, or a profile that has one (dev and demo start one)',
    );
  }
  return address !== undefined;
}

function readTopics(read: EnvironmentReader): Topics {
  const variables = {
    money: ['ENRICHMENT_WALLET_TOPIC', 'wallet-events'],
    user: ['ENRICHMENT_USER_TOPIC', 'user-events'],
    session: ['ENRICHMENT_SESSION_TOPIC', 'user-session-events'],
    output: ['ENRICHMENT_OUTPUT_TOPIC', 'money-enriched-events'],
    deadLetter: ['ENRICHMENT_DEAD_LETTER_TOPIC', 'money-enrichment-dead-letters'],
  } as const;
  const topic = (name: keyof typeof variables): string => {
    const [variable, otherwise] = variables[name];
    return read.text(
      variable,
      otherwise,
      /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,240}$/,
      'a topic name: up to 240 letters, digits, ".", "_" and "-"',
    );
  };
  const named = {
    user: topic('user'),
    session: topic('session'),
    money: topic('money'),
    output: topic('output'),
    deadLetter: topic('deadLetter'),
  };
  const topics = { ...named, ledger: ledgerTopicOf(named.output) };
  const seen = new Map<string, string>([[topics.ledger, 'the ledger (<output topic>-ledger)']]);
  for (const [role, [variable]] of Object.entries(variables)) {
    const name = topics[role as keyof typeof variables];
    const other = seen.get(name);
    if (other !== undefined) read.problem(variable, `a topic of its own, not that of ${other}`, name);
    else seen.set(name, variable);
  }
  return topics;
}
