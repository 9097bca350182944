/** Tokens that a client shows: from a file or a variable, or from an authorization server by OAuth 2.0 client credentials (RFC 6749, 4.4). */
import { CodedError, messageOf } from '../errors.ts';
import { currentOf, type Fresh } from '../process/secret-file.ts';
import type { Authorization, Fetch } from './fetch.ts';

export interface TokenSource {
  /** Errors: UNREACHABLE (again), CONFIG (the authorization server refuses the client). */
  token(): Promise<string>;
  /** The one that was given last is not given again. */
  refused(): void;
  /** Epoch ms of the one that was given last; undefined: not known. */
  readonly expiresAt: number | undefined;
  /** The same of its beginning. */
  readonly issuedAt: number | undefined;
}

export function givenToken(token: Fresh): TokenSource {
  return {
    token: async () => currentOf(token),
    refused: () => undefined,
    get expiresAt() {
      return jwtExpiry(currentOf(token));
    },
    get issuedAt() {
      return jwtTime(currentOf(token), 'iat');
    },
  };
}

export interface ClientCredentials {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: Fresh;
  readonly scope?: string;
  readonly fetch: Fetch;
  /** Epoch ms. */
  readonly now?: () => number;
}

/** The share of its life after which a token is replaced, as Kafka's clients do. */
const REPLACED_AFTER = 0.8;
/** ms of life of a token of which nothing is said. */
const UNKNOWN_LIFE = 5 * 60_000;
/** ms for the answer of the authorization server */
const TIMEOUT = 10_000;
/** bytes */
const MAX_ANSWER = 64 * 1024;

interface Held {
  readonly token: string;
  /** Epoch ms. */
  readonly askedAt: number;
  readonly replaceAt: number;
  readonly expiresAt: number;
  readonly known: boolean;
}

/** One request at a time, whoever asks. A token that still counts is used for as long as no new one can be had. */
export function clientCredentials(options: ClientCredentials): TokenSource {
  const now = options.now ?? Date.now;
  let held: Held | undefined;
  let asking: Promise<Held> | undefined;

  async function renewed(): Promise<Held> {
    asking ??= askFor(options, now).finally(() => (asking = undefined));
    return (held = await asking);
  }

  return {
    async token() {
      if (held !== undefined && now() < held.replaceAt) return held.token;
      try {
        return (await renewed()).token;
      } catch (error) {
        if (held !== undefined && now() < held.expiresAt) return held.token;
        throw error;
      }
    },
    refused() {
      held = undefined;
    },
    get expiresAt() {
      return held?.known === true ? held.expiresAt : undefined;
    },
    get issuedAt() {
      return held?.askedAt;
    },
  };
}

async function askFor(
  { tokenUrl, clientId, clientSecret, scope, fetch }: ClientCredentials,
  now: () => number,
): Promise<Held> {
  const at = `the authorization server at ${tokenUrl}`;
  const asked = now();
  let status: number;
  let text: string;
  try {
    const response = await fetch(tokenUrl, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        authorization: basic(`${encodeURIComponent(clientId)}:${encodeURIComponent(currentOf(clientSecret))}`),
      },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        ...(scope === undefined ? {} : { scope }),
      }).toString(),
      signal: AbortSignal.timeout(TIMEOUT),
    });
    status = response.status;
    text = await bodyOf(response);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
    throw new CodedError('UNREACHABLE', `${at} gives no answer: ${messageOf(error)}${cause}`, { cause: error });
  }
  const answer = jsonOf(text);
  const token = answer?.['access_token'];
  if (status === 200 && typeof token === 'string' && token !== '') {
    return heldFrom(token, answer?.['expires_in'], asked);
  }
  if (status === 400 || status === 401 || status === 403) {
    const error = answer?.['error'];
    const why = typeof error === 'string' && /^[\w .-]{1,60}$/.test(error) ? ` (${error})` : '';
    throw new CodedError('CONFIG', `${at} refuses this client with ${status}${why}: check its id, secret and scope`);
  }
  throw new CodedError('UNREACHABLE', `${at} gives no token: status ${status}`);
}

function heldFrom(token: string, expiresIn: unknown, asked: number): Held {
  const seconds = Number(expiresIn);
  const said = seconds > 0 ? asked + seconds * 1_000 : jwtExpiry(token);
  const expiresAt = said ?? asked + UNKNOWN_LIFE;
  return {
    token,
    askedAt: asked,
    expiresAt,
    known: said !== undefined,
    replaceAt: asked + (expiresAt - asked) * REPLACED_AFTER,
  };
}

/** Epoch ms of the claim `exp`, which is read and not verified; undefined: it is no JWT, or has none. */
export function jwtExpiry(token: string): number | undefined {
  return jwtTime(token, 'exp');
}

function jwtTime(token: string, claim: 'exp' | 'iat'): number | undefined {
  const [, payload, ...rest] = token.split('.');
  if (payload === undefined || rest.length !== 1) return undefined;
  const time = jsonOf(Buffer.from(payload, 'base64url').toString('utf8'))?.[claim];
  return typeof time === 'number' ? time * 1_000 : undefined;
}

export function bearer(source: TokenSource): Authorization {
  return { header: async () => `Bearer ${await source.token()}`, refused: () => source.refused() };
}

/** `pair`: name and password, with a colon between them. */
export function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

async function bodyOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_ANSWER) throw new Error(`an answer of more than ${MAX_ANSWER} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function jsonOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Judged by what is missing.
    return undefined;
  }
}
