/** What kafkajs throws, as this project's errors. kafkajs wraps: the protocol error is somewhere down the causes. */
import { CodedError, messageOf } from '../../errors.ts';
import { tlsReason } from '../../http/tls-reason.ts';

/** Answers that mean: a later holder of this transactional id exists, or the coordinator ended the transaction for us. */
const FENCED_TYPES: ReadonlySet<string> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'PRODUCER_FENCED',
]);
/** PRODUCER_FENCED; kafkajs does not know the number. */
const PRODUCER_FENCED_CODE = 90;

/** Repeating the request cannot help: configuration, permission, version. */
const HOPELESS_TYPES: ReadonlySet<string> = new Set([
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_TRANSACTION_TIMEOUT',
  'INVALID_TOPIC_EXCEPTION',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
  'UNSUPPORTED_VERSION',
]);
const HOPELESS_NAMES: ReadonlySet<string> = new Set([
  'KafkaJSSASLAuthenticationError',
  'KafkaJSUnsupportedMagicByteInMessageSet',
  'KafkaJSServerDoesNotSupportApiKey',
  'KafkaJSNotImplemented',
]);

/** A broker does not answer, or nobody knows of it any more. */
const UNREACHABLE_NAMES: ReadonlySet<unknown> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
]);

/** The batch is larger than its topic takes. */
const SIZE_TYPES: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
/** These very records are not taken: a policy, a compacted topic and no key, a timestamp out of its bounds. */
const CONTENT_TYPES: ReadonlySet<string> = new Set([
  'INVALID_RECORD',
  'POLICY_VIOLATION',
  'INVALID_TIMESTAMP',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
]);

interface Thrown {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
}

/** The error itself and all its causes. */
function* chain(error: unknown): Generator<Thrown> {
  const seen = new Set<unknown>();
  for (let at = error; typeof at === 'object' && at !== null && !seen.has(at); at = (at as Thrown).cause) {
    seen.add(at);
    yield at;
  }
}

/** The Kafka error types (kafkajs' names for the protocol's codes) that this error and its causes carry. */
export function typesOf(error: unknown): string[] {
  return [...chain(error)].map(({ type }) => type).filter((type): type is string => typeof type === 'string');
}

/** Of what kafkajs throws itself, not of its causes. */
export function isUnreachable(error: unknown): boolean {
  return UNREACHABLE_NAMES.has((error as Thrown).name);
}

function isFenced(error: unknown): boolean {
  for (const { type, code } of chain(error)) {
    if (typeof type === 'string' && FENCED_TYPES.has(type)) return true;
    if (code === PRODUCER_FENCED_CODE) return true;
  }
  return false;
}

/** Why a broker refuses the records of a request, or undefined when that is not what happened. */
export function refusalOf(error: unknown): 'size' | 'content' | undefined {
  const types = typesOf(error);
  // A message keeps the type where an error was made of another one's text.
  if (
    types.some((type) => SIZE_TYPES.has(type)) ||
    /\b(MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE)\b/.test(messageOf(error))
  ) {
    return 'size';
  }
  return types.some((type) => CONTENT_TYPES.has(type)) ? 'content' : undefined;
}

export function isHopeless(error: unknown): boolean {
  for (const at of chain(error)) {
    if (at instanceof CodedError) {
      if (at.code !== 'KAFKA') return true;
      continue;
    }
    if (typeof at.type === 'string' && HOPELESS_TYPES.has(at.type)) return true;
    if (typeof at.name === 'string' && HOPELESS_NAMES.has(at.name)) return true;
  }
  return false;
}

const CONNECTION_NAMES: ReadonlySet<string> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
]);

/** As {@link kafkaError}, but UNREACHABLE when it is a connection that cannot be had. */
export function requestError(brokers: readonly string[], what: string, error: unknown): CodedError {
  const refusal = tlsReason(error, 'KAFKA_SSL');
  if (refusal !== undefined) {
    return new CodedError('UNREACHABLE', `Kafka at ${brokers.join(', ')} cannot be used: ${refusal}`, { cause: error });
  }
  for (const at of chain(error)) {
    if (at instanceof CodedError && at.code === 'UNREACHABLE') return at;
    const { name } = at;
    if (typeof name !== 'string' || !CONNECTION_NAMES.has(name)) continue;
    return new CodedError(
      'UNREACHABLE',
      `Kafka at ${brokers.join(', ')} does not answer (${innermost(error)}): check KAFKA_BROKERS, and that the brokers run`,
      { cause: error },
    );
  }
  return kafkaError(what, error);
}

/** What happened itself, without the words around it. */
function innermost(error: unknown): string {
  const all = [...chain(error)];
  return messageOf(all.at(-1) ?? error);
}

/** kafkajs swallows what the broker answers when it is asked for a coordinator, a missing permission too. */
function mayBePermission(error: unknown): boolean {
  return [...chain(error)].some(({ name }) => name === 'KafkaJSGroupCoordinatorNotFound');
}

/** `what` names the request and its object, e.g. `send to orders-2`. */
export function kafkaError(what: string, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  for (const at of chain(error)) if (at instanceof CodedError) return at;
  const refused = [...chain(error)].find(({ name }) => name === 'KafkaJSSASLAuthenticationError');
  if (refused !== undefined) {
    return new CodedError('KAFKA', `${what} failed: ${messageOf(refused)}: check KAFKA_SASL_*`, { cause: error });
  }
  const types = typesOf(error);
  const said = types.length === 0 ? messageOf(error) : `${types.join(', ')}: ${messageOf(error)}`;
  if (types.includes('FENCED_INSTANCE_ID')) {
    return new CodedError(
      'CONFIG',
      `${what} ended: another process has joined with the same group instance id and has taken its place; give each process an id of its own`,
      { cause: error },
    );
  }
  if (types.includes('INVALID_SESSION_TIMEOUT')) {
    return new CodedError(
      'CONFIG',
      `${what} failed: the brokers take no session timeout of that length; choose one between their group.min.session.timeout.ms and group.max.session.timeout.ms (KAFKA_SESSION_TIMEOUT, or that of the static member), or change these`,
      { cause: error },
    );
  }
  const detail = mayBePermission(error)
    ? `${said} (the broker is starting, or this user has no permission for that group or transactional id)`
    : said;
  return new CodedError(isFenced(error) ? 'FENCED' : 'KAFKA', `${what} failed: ${detail}`, { cause: error });
}
