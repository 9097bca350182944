/**
 * Called as `temporal enrichment`, the options of Temporal's command line mean here what they mean there: they become the
 * variables of Temporal's environment configuration. Its own global options come in front of the command, wherever they
 * stood (internal/temporalcli/commands.extension.go of temporalio/cli), those of the connection where they were written.
 */
import { execFileSync } from 'node:child_process';
import { devNull } from 'node:os';
import { CodedError, messageOf } from '../engine/errors.ts';
import { printable } from '../engine/printable.ts';

/** Options with a value, and the variable that says the same. */
const VARIABLES: Readonly<Record<string, string>> = {
  '--address': 'TEMPORAL_ADDRESS',
  '--namespace': 'TEMPORAL_NAMESPACE',
  '-n': 'TEMPORAL_NAMESPACE',
  '--profile': 'TEMPORAL_PROFILE',
  '--config-file': 'TEMPORAL_CONFIG_FILE',
  '--api-key': 'TEMPORAL_API_KEY',
  '--tls-ca-data': 'TEMPORAL_TLS_SERVER_CA_CERT_DATA',
  '--tls-ca-path': 'TEMPORAL_TLS_SERVER_CA_CERT_PATH',
  '--tls-cert-data': 'TEMPORAL_TLS_CLIENT_CERT_DATA',
  '--tls-cert-path': 'TEMPORAL_TLS_CLIENT_CERT_PATH',
  '--tls-key-data': 'TEMPORAL_TLS_CLIENT_KEY_DATA',
  '--tls-key-path': 'TEMPORAL_TLS_CLIENT_KEY_PATH',
  '--tls-server-name': 'TEMPORAL_TLS_SERVER_NAME',
};
const FLAGS: Readonly<Record<string, string>> = {
  '--tls': 'TEMPORAL_TLS',
  '--tls-disable-host-verification': 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION',
};
/** Of `temporal env`, as its file names them. */
const OF_ENVIRONMENT = new Set(['address', 'namespace', 'api-key', ...tlsNames()]);
/** They mean nothing here: said, and not silently dropped. With a value, and without. */
const IDLE_WITH_VALUE = new Set([
  '--client-authority',
  '--client-connect-timeout',
  '--codec-auth',
  '--codec-endpoint',
  '--codec-header',
  '--identity',
  '--log-format',
  '--time-format',
]);
const IDLE = new Set(['--no-json-shorthand-payloads']);
/** Temporal's command line itself does what they say. */
const SILENT_WITH_VALUE = new Set(['--command-timeout']);
const OTHERS = ['--color', '--env', '--env-file', '--grpc-meta', '--log-level', '--output', '-o'] as const;
const SWITCHES = ['--disable-config-env', '--disable-config-file'] as const;

/** All of them: no command here may have one of its own with the same name. */
export const TEMPORAL_OPTIONS: ReadonlySet<string> = new Set<string>([
  ...Object.keys(VARIABLES),
  ...Object.keys(FLAGS),
  ...IDLE_WITH_VALUE,
  ...IDLE,
  ...SILENT_WITH_VALUE,
  ...OTHERS,
  ...SWITCHES,
]);

function tlsNames(): string[] {
  return [...Object.keys(VARIABLES), ...Object.keys(FLAGS)]
    .filter((name) => name.startsWith('--tls'))
    .map((name) => name.slice(2));
}

interface Deps {
  readonly warn: (line: string) => void;
  /** The settings of an environment of `temporal env`, as that command gives them. */
  readonly readEnvironmentFile: (name: string, file: string | undefined) => Readonly<Record<string, string>>;
}

const DEPS: Deps = {
  warn: (line) => void process.stderr.write(`temporal enrichment: ${line}\n`),
  readEnvironmentFile,
};

/** The arguments without them; `env` is changed. Errors: CodedError CONFIG. */
export function takeTemporalOptions(args: readonly string[], env: NodeJS.ProcessEnv, deps: Deps = DEPS): string[] {
  const { taken, rest } = separate(args);
  const value = (name: string): string | undefined => taken.findLast(([each]) => each === name)?.[1];
  // First: what the command line says is not part of the environment that it turns off.
  if (value('--disable-config-env') !== undefined) {
    for (const name of [...Object.values(VARIABLES), ...Object.values(FLAGS)]) env[name] = '';
  }
  if (value('--disable-config-file') !== undefined) env['TEMPORAL_CONFIG_FILE'] = devNull;
  const named = value('--env');
  if (named !== undefined && named !== 'default') {
    for (const [name, text] of Object.entries(deps.readEnvironmentFile(named, value('--env-file')))) {
      const option = `--${name}`;
      if (OF_ENVIRONMENT.has(name)) env[(VARIABLES[option] ?? FLAGS[option])!] = text;
      else if (TEMPORAL_OPTIONS.has(option)) {
        deps.warn(`${name} of the environment "${printable(named)}" means nothing here`);
      }
    }
  }
  const added: string[] = [];
  for (const [name, text] of taken) {
    const variable = VARIABLES[name] ?? FLAGS[name];
    if (variable !== undefined) env[variable] = text;
    else if (IDLE_WITH_VALUE.has(name) || IDLE.has(name)) deps.warn(`${name} means nothing here`);
    else if (name === '--grpc-meta') setMetadata(text, env);
    else if (name === '--log-level') env['ENRICHMENT_LOG_LEVEL'] = text === 'never' ? 'silent' : text;
    else if (name === '--color') env[text === 'never' ? 'NO_COLOR' : 'FORCE_COLOR'] = text === 'auto' ? undefined : '1';
    else if (name === '--output' || name === '-o') added.push(...outputOf(name, text));
  }
  for (const name of ['NO_COLOR', 'FORCE_COLOR']) if (env[name] === undefined) delete env[name];
  return [...rest, ...added.filter((option) => !rest.includes(option))];
}

type Taken = readonly [name: string, value: string];

function separate(args: readonly string[]): { readonly taken: readonly Taken[]; readonly rest: readonly string[] } {
  const taken: Taken[] = [];
  const rest: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const argument = args[at]!;
    if (argument === '--') return { taken, rest: [...rest, ...args.slice(at)] };
    const [, name = '', inline] = /^(--?[a-z-]+)(?:=(.*))?$/s.exec(argument) ?? [];
    if (!TEMPORAL_OPTIONS.has(name)) {
      rest.push(argument);
    } else if (name in FLAGS || IDLE.has(name) || name.startsWith('--disable-config-')) {
      taken.push([name, inline ?? 'true']);
    } else {
      const value = inline ?? args[++at];
      if (value === undefined) throw new CodedError('CONFIG', `${name}: expected a value after it`);
      taken.push([name, value]);
    }
  }
  return { taken, rest };
}

function outputOf(name: string, text: string): string[] {
  if (text === 'json') return ['--json'];
  if (text === 'text') return [];
  throw new CodedError('CONFIG', `${name} "${printable(text)}": expected text or json (one document)`);
}

/** `KEY=VALUE`, a header of every request. */
function setMetadata(text: string, env: NodeJS.ProcessEnv): void {
  const [, key, value = ''] = /^([A-Za-z0-9_.-]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined) throw new CodedError('CONFIG', '--grpc-meta: expected KEY=VALUE');
  env[`TEMPORAL_GRPC_META_${key.toUpperCase().replaceAll('-', '_')}`] = value;
}

/** Temporal's own command line reads its file: it is on the PATH of whoever was run by it. */
function readEnvironmentFile(name: string, file: string | undefined): Readonly<Record<string, string>> {
  const args = ['env', 'get', '--env', name, ...(file === undefined ? [] : ['--env-file', file]), '--output', 'json'];
  let text: string;
  try {
    text = execFileSync(process.env['TEMPORAL_CLI'] || 'temporal', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new CodedError('CONFIG', `--env "${printable(name)}": ${(stderr ?? '').trim() || messageOf(error)}`, {
      cause: error,
    });
  }
  const found = JSON.parse(text) as readonly { readonly property: string; readonly value: string }[];
  return Object.fromEntries(found.map(({ property, value }) => [property, value]));
}
