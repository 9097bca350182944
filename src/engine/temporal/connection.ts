/**
 * Connections to Temporal, configured as Temporal's own tools are: `TEMPORAL_*` variables over a profile of a
 * configuration file. The namespace of the profile counts too.
 */
import { existsSync } from 'node:fs';
import type { Client, Connection, ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnection } from '@temporalio/worker';
import { CodedError, messageOf } from '../errors.ts';
import type { Encryption } from './key-provider.ts';
import { dataConverterOf } from './payload-codec.ts';
import { EnvironmentReader } from '../process/environment-reader.ts';
import { currentOf, type Fresh } from '../process/secret-file.ts';
import { isWebServer } from './answers.ts';
import { handshakeProblem } from './handshake.ts';

/** ms until a server that does not answer counts as unreachable. */
const CONNECT_TIMEOUT = 10_000;

const API_KEY = 'TEMPORAL_API_KEY';
/** Temporal's own secrets, each of which `<name>_FILE` gives, too. Certificates and keys have paths there already. */
const SECRETS = [API_KEY, 'TEMPORAL_TLS_CLIENT_KEY_DATA', 'TEMPORAL_GRPC_META_AUTHORIZATION', 'TEMPORAL_CODEC_AUTH'];
/** ms between two looks at a key that the native connection was given as a text. */
const LOOK_AT_KEY = 2_000;

export interface TemporalOptions {
  /** `host:port`, or undefined when none is configured. */
  readonly address: string | undefined;
  readonly namespace: string;
  readonly connection: ClientConnectConfig['connectionOptions'];
  /** The key as it is now, where it comes from a file. */
  readonly apiKey?: () => string;
}

export interface TemporalClient {
  readonly address: string;
  readonly namespace: string;
  readonly connection: Connection;
  readonly client: Client;
}

/** What the environment and the profile file say. Throws CodedError CONFIG for what cannot be read. */
export function temporalConnectionOptions(env: NodeJS.ProcessEnv): TemporalOptions {
  const file = env['TEMPORAL_CONFIG_FILE'];
  if (file !== undefined && file !== '' && !existsSync(file)) {
    throw new CodedError('CONFIG', `TEMPORAL_CONFIG_FILE="${file}": expected a file that exists`);
  }
  const secrets = secretsOf(env);
  // An empty variable is an unset one here, as for all others.
  const set = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '' && !isFileOfSecret(entry[0]),
  );
  for (const [name, value] of secrets) set.push([name, currentOf(value)]);
  let config: ClientConnectConfig;
  try {
    config = loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(set) });
  } catch (error) {
    throw new CodedError('CONFIG', `Temporal configuration (TEMPORAL_*, profile file): ${withoutSource(error)}`, {
      cause: error,
    });
  }
  const apiKey = secrets.get(API_KEY);
  return {
    address: config.connectionOptions.address,
    namespace: config.namespace ?? 'default',
    connection: config.connectionOptions,
    ...(typeof apiKey === 'function' ? { apiKey } : {}),
  };
}

function isFileOfSecret(name: string): boolean {
  return SECRETS.some((secret) => name === `${secret}_FILE`);
}

function secretsOf(env: NodeJS.ProcessEnv): Map<string, Fresh> {
  const read = new EnvironmentReader(env);
  const found = new Map<string, Fresh>();
  for (const name of SECRETS) {
    const value = read.freshSecret(name);
    if (value !== undefined) found.set(name, value);
  }
  read.throwProblems();
  return found;
}

/** The error of a TOML file goes on with the lines around the place, which may hold a key. */
function withoutSource(error: unknown): string {
  const [first = ''] = messageOf(error).split('\n');
  const { line } = error as { line?: unknown };
  return typeof line === 'number' ? `${first} (line ${line})` : first;
}

/** For the bridge and the commands; `identity`: the SDK's own when absent. Throws CodedError CONFIG or UNREACHABLE. */
export async function connectTemporal(
  env: NodeJS.ProcessEnv,
  encryption: Encryption,
  identity?: string,
): Promise<TemporalClient> {
  const { address, namespace, connection: connectionOptions, apiKey } = withAddress(temporalConnectionOptions(env));
  await encryption.ready?.();
  // Takes half a second to load, and the configuration is read without it.
  const { Client, Connection } = await import('@temporalio/client');
  let connection: Connection;
  try {
    connection = await Connection.connect({
      ...(connectionOptions as ConnectionOptions),
      ...(apiKey === undefined ? {} : { apiKey }),
      connectTimeout: CONNECT_TIMEOUT,
    });
  } catch (error) {
    throw await unreachable(address, connectionOptions, error);
  }
  const dataConverter = dataConverterOf(encryption);
  const client = new Client({ connection, namespace, dataConverter, ...(identity !== undefined && { identity }) });
  return { address, namespace, connection, client };
}

/** For the worker, whose connection is the native one. Throws CodedError CONFIG or UNREACHABLE. */
export async function connectTemporalNative(
  env: NodeJS.ProcessEnv,
): Promise<{ readonly address: string; readonly namespace: string; readonly connection: NativeConnection }> {
  const { address, namespace, connection: connectionOptions, apiKey } = withAddress(temporalConnectionOptions(env));
  // Loads a native library of some 50 MB that only the worker needs.
  const { NativeConnection } = await import('@temporalio/worker');
  try {
    const connection = await withTimeout(
      NativeConnection.connect({ ...connectionOptions, ...compression(address) }),
      CONNECT_TIMEOUT,
    );
    if (apiKey !== undefined) followKey(connection, apiKey);
    return { address, namespace, connection };
  } catch (error) {
    throw await unreachable(address, connectionOptions, error);
  }
}

/** The native connection asks nobody for its key: it is told. */
function followKey(connection: NativeConnection, apiKey: () => string): void {
  let known = apiKey();
  const looks = setInterval(() => {
    const key = apiKey();
    if (key === known) return;
    // It fails only when the connection is closed.
    connection.setApiKey(key).then(
      () => (known = key),
      () => clearInterval(looks),
    );
  }, LOOK_AT_KEY);
  looks.unref();
}

/** The SDK compresses all that it sends with gzip: worth it on a network, and only work within a machine. `address`: `host:port`. */
export function compression(address: string): { readonly grpcCompression?: { readonly codec: 'none' } } {
  return isLoopback(address) ? { grpcCompression: { codec: 'none' } } : {};
}

/** `address`: `host:port`. */
export function isLoopback(address: string): boolean {
  return isLoopbackHost(address.slice(0, address.lastIndexOf(':')));
}

export function isLoopbackHost(host: string): boolean {
  return ['localhost', '::1', '[::1]'].includes(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

function withAddress(options: TemporalOptions): TemporalOptions & { readonly address: string } {
  const { address } = options;
  if (address === undefined) {
    throw new CodedError(
      'CONFIG',
      'TEMPORAL_ADDRESS is not set: expected host:port of a Temporal server, or a profile that has one',
    );
  }
  return { ...options, address };
}

async function unreachable(
  address: string,
  { tls }: TemporalOptions['connection'],
  cause: unknown,
): Promise<CodedError> {
  const reason = (await isWebServer(address))
    ? "a web server answers there, and no Temporal frontend: check host and port (the web UI's are others)"
    : ((await handshakeProblem(address, tls)) ?? reasonOf(cause));
  return new CodedError('UNREACHABLE', `Temporal at "${address}" (TEMPORAL_ADDRESS) cannot be used: ${reason}`, {
    cause,
  });
}

/** The SDK's own words, shortened: it keeps what happened in `details`, `cause` or the middle of a long message. */
function reasonOf(error: unknown): string {
  const { details, cause } = error as { details?: unknown; cause?: unknown };
  if (typeof details === 'string' && details !== '') return details;
  if (cause instanceof Error) return reasonOf(cause);
  const message = messageOf(error);
  if (message.includes('before the deadline')) return `no answer within ${CONNECT_TIMEOUT / 1000} s`;
  return /message: "([^"]+)"/.exec(message)?.[1] ?? message;
}

/** ms for the answer that gRPC itself gives when its time is over. */
const GRACE = 500;

/**
 * Requests that end after `ms` in any case. The deadline that gRPC takes is a time of day, and looked at again whenever a request is
 * repeated: a clock that is set back meanwhile would put it off for as long. Rejects with what the request rejects with, or CodedError UNREACHABLE.
 */
export async function within<T>(
  ms: number,
  requests: Pick<Connection, 'withDeadline'>,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await withTimeout(requests.withDeadline(Date.now() + ms, run), ms + GRACE);
  } catch (error) {
    throw error instanceof NoAnswer
      ? new CodedError('UNREACHABLE', `Temporal gave ${error.message}`, { cause: error })
      : error;
  }
}

class NoAnswer extends Error {}

function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(`no answer within ${ms / 1000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
