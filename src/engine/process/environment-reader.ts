/** Reads variables one by one and collects what is wrong with them. An empty variable is an unset one. */
import { CodedError, messageOf } from '../errors.ts';
import { currentOf, SecretFile, type Fresh } from './secret-file.ts';

export const DAY = 86_400_000;
/** The longest time that a timer of Node can wait, ms. */
export const MAX_TIMER = 2_147_483_647;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: DAY };
/** Also of variables that are not ours but stand beside them, as the TLS key and the gRPC headers of Temporal's own. */
const SECRET = /PASSWORD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|USER_INFO|_KEY(_DATA)?$|_AUTH$|_GRPC_META_/i;
/** After the name of a secret: the path of a file that has it. */
const FILE = '_FILE';
const PATH = /^(\.{0,2}\/|~\/|[A-Za-z]:[\\/])/;

/** `500ms`, `20s`, `1.5h` as whole ms (rounded), or null for what is no duration. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,12}(?:\.\d{1,12})?)(ms|s|m|h|d)$/.exec(text);
  return match === null ? null : Math.round(Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0));
}

/** The shortest exact writing: `90000` is `90s`, `3600000` is `1h`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const [unit, size] = Object.entries(UNITS).findLast(([, factor]) => ms % factor === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/** A value as it may be shown. */
export function shown(name: string, value: string): string {
  // What stands for a file and is no path may be the secret itself.
  const isPath = name.endsWith(FILE) && isSecret(name.slice(0, -FILE.length)) && PATH.test(value);
  if (isPath) return JSON.stringify(value);
  if (isSecret(name) || value.includes('PRIVATE KEY')) return '"***"';
  const masked = withoutUserInfo(value);
  return JSON.stringify(masked.length > 100 ? `${masked.slice(0, 100)}…` : masked);
}

function isSecret(name: string): boolean {
  return SECRET.test(name);
}

/** What stands before an `@` in an address may be a password, also where none is allowed. */
function withoutUserInfo(address: string): string {
  return address.replace(/^([a-z][a-z+.-]*:\/\/)?[^]*@/i, '$1***@');
}

const BEGIN = '-----BEGIN';

function pemProblem(text: string): string | undefined {
  return text.includes(BEGIN) ? undefined : 'the file is not PEM';
}

export class EnvironmentReader {
  readonly #env: NodeJS.ProcessEnv;
  readonly #problems: string[] = [];
  readonly #asked = new Set<string>();
  readonly #files: SecretFile[] = [];

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** Variables that begin with `prefix` and that nobody asked for. */
  notAsked(prefix: string): string[] {
    return Object.keys(this.#env).filter((name) => name.startsWith(prefix) && !this.#asked.has(name));
  }

  /** The files that secrets and certificates were read from. */
  get files(): readonly SecretFile[] {
    return this.#files;
  }

  /** A secret is set by its file, too. */
  isSet(name: string): boolean {
    return this.#value(name) !== undefined || (isSecret(name) && this.#value(name + FILE) !== undefined);
  }

  /** `value` is what counts where the variable is not set. */
  problem(name: string, expected: string, value?: string): void {
    const text = this.#value(name) ?? value;
    this.add(
      text === undefined ? `${name}: expected ${expected}` : `${name}=${shown(name, text)}: expected ${expected}`,
    );
  }

  missing(name: string, expected: string): void {
    this.add(`${name} is not set: expected ${expected}`);
  }

  add(line: string): void {
    this.#problems.push(line.replace(/\s*\n\s*/g, ' '));
  }

  throwProblems(): void {
    if (this.#problems.length > 0) throw new CodedError('CONFIG', this.#problems.join('\n'));
  }

  text(name: string, otherwise: string, pattern?: RegExp, expected = ''): string {
    const value = this.#value(name) ?? otherwise;
    if (pattern !== undefined && !pattern.test(value)) this.problem(name, expected);
    return value;
  }

  /** A text of at least `length` characters that is never shown, from the variable or its file, as it is now. */
  secret(name: string, length: number): string | undefined {
    const value = this.freshSecret(name, length);
    return value === undefined ? undefined : currentOf(value);
  }

  /** As {@link secret}, and what a file gives is read again when it changes. */
  freshSecret(name: string, length = 1): Fresh | undefined {
    const expected =
      length > 1
        ? `a secret of at least ${length} characters, such as "openssl rand -hex 32" makes`
        : 'a secret of at least one character';
    const value = this.#value(name);
    const path = this.#value(name + FILE);
    if (value !== undefined && path !== undefined) {
      this.add(`${name} and ${name}${FILE} are both set: expected one of them`);
      return undefined;
    }
    if (path !== undefined) {
      return this.#file(name + FILE, path, 'the path of a file with the secret', (text) =>
        text.length < length ? `it has ${text.length} characters, expected ${expected}` : undefined,
      );
    }
    if (value !== undefined && value.length < length) this.problem(name, expected);
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
    const value = this.#value(name)?.toLowerCase();
    if (value === undefined) return otherwise;
    const found = allowed.find((one) => one === value);
    if (found === undefined) this.problem(name, `one of ${allowed.join(', ')}`);
    return found ?? otherwise;
  }

  boolean(name: string, otherwise: boolean): boolean {
    const value = this.#value(name)?.toLowerCase();
    if (value === undefined) return otherwise;
    if (value !== 'true' && value !== 'false') this.problem(name, 'true or false');
    return value === 'true';
  }

  integer(name: string, otherwise: number, range: { readonly min: number; readonly max: number }): number {
    const value = this.#value(name);
    if (value === undefined) return otherwise;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= range.min && number <= range.max) return number;
    this.problem(name, `a whole number from ${range.min} to ${range.max}`);
    return otherwise;
  }

  duration(name: string, otherwise: string, range: { readonly min: number; readonly max: number }): number {
    const fallback = parseDuration(otherwise) ?? 0;
    const value = this.#value(name);
    if (value === undefined) return fallback;
    const ms = parseDuration(value);
    if (ms === null) {
      this.problem(name, 'a duration such as 500ms, 20s, 5m, 1h or 1d');
      return fallback;
    }
    if (ms >= range.min && ms <= range.max) return ms;
    const least = range.min === 0 ? '0s' : formatDuration(range.min);
    this.problem(name, `a duration from ${least} to ${formatDuration(range.max)}`);
    return fallback;
  }

  /** Without a slash at the end. */
  url(name: string, options: { readonly credentials?: boolean } = {}): string | undefined {
    const value = this.#value(name);
    return value === undefined ? undefined : this.#checkedUrl(name, value, options);
  }

  /** Several, separated by commas; each without a slash at the end. */
  urls(name: string, options: { readonly credentials?: boolean } = {}): readonly string[] {
    const values = (this.#value(name) ?? '').split(',').map((url) => url.trim());
    return values.filter((url) => url !== '').map((url) => this.#checkedUrl(name, url, options));
  }

  #checkedUrl(name: string, value: string, options: { readonly credentials?: boolean }): string {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    const usable =
      url !== undefined &&
      (url.protocol === 'http:' || url.protocol === 'https:') &&
      (options.credentials === true ? decodable(url) : url.username === '' && url.password === '') &&
      url.search === '' &&
      url.hash === '';
    const without =
      options.credentials === true
        ? 'query or fragment; a user is given as http://user:password@host, percent-encoded'
        : 'user, query or fragment';
    if (!usable) this.add(`${name}: expected an address such as http://localhost:8080, without ${without}`);
    return value.replace(/\/+$/, '');
  }

  /** PEM text, given as such or as the path of a file, which is read again when it changes. A `secret` one also as a secret is. */
  pem(name: string, options: { readonly secret?: boolean } = {}): Fresh | undefined {
    if (options.secret === true && this.#value(name + FILE) !== undefined) return this.#pemOfFile(name);
    const value = this.#value(name);
    if (value === undefined) return undefined;
    // Variables often carry line ends as \n.
    if (value.includes(BEGIN)) return value.replaceAll('\\n', '\n');
    try {
      return this.#keep(new SecretFile({ variable: name, path: value, check: pemProblem }));
    } catch (error) {
      const why = options.secret === true ? 'it cannot be read as a file' : messageOf(error);
      this.problem(name, `PEM text or the path of a PEM file (${why})`);
      return undefined;
    }
  }

  #pemOfFile(name: string): Fresh | undefined {
    if (this.#value(name) !== undefined) return this.freshSecret(name);
    return this.#file(name + FILE, this.#value(name + FILE) ?? '', 'the path of a PEM file', pemProblem);
  }

  #file(
    variable: string,
    path: string,
    expected: string,
    check: (text: string) => string | undefined,
  ): Fresh | undefined {
    try {
      return this.#keep(new SecretFile({ variable, path, check }));
    } catch (error) {
      this.problem(variable, `${expected} (${messageOf(error)})`);
      return undefined;
    }
  }

  #keep(file: SecretFile): Fresh {
    this.#files.push(file);
    return file.current;
  }

  #value(name: string): string | undefined {
    this.#asked.add(name);
    if (isSecret(name)) this.#asked.add(name + FILE);
    const value = this.#env[name]?.trim();
    return value === '' ? undefined : value;
  }
}

function decodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}
