/**
 * The session service over HTTP: `GET /sessions/{id}` -> 200 `{"clientCountryCode": "UY"}`, or 404 in its own words. Anything else
 * (timeout, refused, 5xx, a redirect, a malformed or oversized body, the page of what stands before it) is no answer.
 */
import type { Fetch } from '../src/engine/http/fetch.ts';
import { isShortText } from '../src/money/codec/short-text.ts';
import type { LookupOutcome } from './contract.ts';

/** What is known of a session elsewhere. */
export interface SessionService {
  /** Rejects when there is no usable answer, or `ended` is aborted; it may be asked again. */
  get(sessionId: string, ended?: AbortSignal): Promise<Extract<LookupOutcome, { status: 'found' | 'not-found' }>>;
}

export interface HttpSessionServiceOptions {
  readonly sessionServiceUrl: string;
  /** ms for one answer. */
  readonly lookupTimeout: number;
  /** Where the service demands a token or certificates. */
  readonly fetch?: Fetch;
}

/** bytes; an answer has a few dozen. */
const MAX_BODY = 64 * 1024;
/** bytes of a 404 that tell whose it is. */
const TELLING = 1_024;
/** What routers say of a path that leads nowhere: of Go and Traefik, of the ingress of Kubernetes, of Kong. */
const ROUTERS = /^\s*(404 page not found|default backend - 404)|no route matched with those values/i;

export function httpSessionService({
  sessionServiceUrl,
  lookupTimeout,
  fetch: send = fetch,
}: HttpSessionServiceOptions): SessionService {
  return {
    async get(sessionId, ended) {
      const timeout = AbortSignal.timeout(lookupTimeout);
      const response = await send(urlOf(sessionServiceUrl, sessionId), {
        redirect: 'manual',
        headers: { accept: 'application/json' },
        signal: ended === undefined ? timeout : AbortSignal.any([timeout, ended]),
      });
      if (response.status === 404) {
        const { stranger } = await notFoundOf(response);
        if (stranger !== undefined) {
          throw new Error(
            `status 404 with ${stranger}, which is not the session service's: check ENRICHMENT_SESSION_SERVICE_URL and what stands before it`,
          );
        }
        return { sessionId, status: 'not-found' };
      }
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new Error(`status ${response.status}${refusalOf(response.status)}`);
      }
      return { sessionId, status: 'found', clientCountryCode: countryOf(await readBody(response)) };
    },
  };
}

/** That it is this client which the service does not take; nothing of any other status. */
export function refusalOf(status: number): string {
  return status === 401 || status === 403
    ? ', which refuses this client: check ENRICHMENT_SESSION_SERVICE_TOKEN, ENRICHMENT_SESSION_SERVICE_OAUTH_* and ENRICHMENT_SESSION_SERVICE_SSL_*'
    : '';
}

export interface NotFound {
  /** What it is that is no service's word; undefined: it is its own. */
  readonly stranger?: string;
  /** Neither empty nor JSON: it may be of something else that nobody knows. */
  readonly isText: boolean;
}

/** Whose word a 404 is. Takes the body. */
export async function notFoundOf(response: Response): Promise<NotFound> {
  const head = await headOf(response);
  if (/^\s*text\/html/i.test(response.headers.get('content-type') ?? '') || /^\s*</.test(head)) {
    return { stranger: 'an HTML page', isText: true };
  }
  if (ROUTERS.test(head)) return { stranger: "a router's text", isText: true };
  return { isText: !/^\s*([[{"]|$)/.test(head) };
}

async function headOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    size += part.length;
    if (size >= TELLING) break;
  }
  return Buffer.concat(parts)
    .subarray(0, TELLING)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
}

function countryOf(text: string): string {
  const body = parse(text);
  if (
    typeof body !== 'object' ||
    body === null ||
    !('clientCountryCode' in body) ||
    typeof body.clientCountryCode !== 'string'
  ) {
    throw new Error('status 200 without a clientCountryCode');
  }
  const { length } = body.clientCountryCode;
  if (length === 0 || !isShortText(body.clientCountryCode)) {
    throw new Error(`status 200 with a clientCountryCode of ${length} characters`);
  }
  return body.clientCountryCode.toWellFormed();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The message of the SyntaxError quotes the answer, and a failure of an activity is kept in the user's history.
    throw new Error('status 200 with a body that is not JSON');
  }
}

/** Ids are UUIDs when they come here; whatever they are, no request leaves `/sessions/`. */
function urlOf(sessionServiceUrl: string, sessionId: string): string {
  // Dots are all that encodeURIComponent leaves of what a URL gives a meaning to.
  if (/^\.{0,2}$/.test(sessionId)) throw new Error('a session id that cannot be part of a path');
  return `${sessionServiceUrl.replace(/\/+$/, '')}/sessions/${encodeURIComponent(sessionId)}`;
}

async function readBody(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_BODY) throw new Error(`an answer of more than ${MAX_BODY} bytes`);
    parts.push(part);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
}
