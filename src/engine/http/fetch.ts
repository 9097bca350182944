/**
 * Requests to services that demand something: a certificate authority of one's own, a client certificate, a token. Redirects are
 * never followed: a token goes where it was meant to go. Everything else (time, size of the answer) is the caller's.
 */
import { Agent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { CodedError } from '../errors.ts';
import { tlsMaterialNow, type TlsMaterial } from '../process/tls-material.ts';
import { tlsReason } from './tls-reason.ts';

/** As far as the global `fetch` is used here: a body is a text, and redirects are looked at by hand. */
export type Fetch = (url: string, options: RequestInit) => Promise<Response>;

/** What a request says in its header `authorization`. */
export interface Authorization {
  header(): Promise<string>;
  /** The service did not take it: what is cached is not given again. */
  refused(): void;
}

export interface Secured {
  readonly tls?: TlsMaterial;
  readonly authorization?: Authorization;
  /** Of the variables, for people, such as `SCHEMA_REGISTRY`. */
  readonly prefix: string;
}

const UNAUTHORIZED = 401;
/** Of these an answer has no body, and `Response` takes none. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

export function securedFetch({ tls, authorization, prefix }: Secured): Fetch {
  const send: Fetch = tls === undefined ? (url, options) => fetch(url, options) : httpsFetch(tls);
  return async (url, options) => {
    const headers = new Headers(options.headers);
    try {
      if (authorization !== undefined) {
        headers.set('authorization', await inTime(authorization.header(), options.signal));
      }
      const response = await send(url, { ...options, headers });
      if (response.status === UNAUTHORIZED) authorization?.refused();
      return response;
    } catch (error) {
      const reason = tlsReason(error, `${prefix}_SSL`);
      if (reason !== undefined) throw failure(new Error(reason, { cause: error }));
      throw error instanceof CodedError ? failure(error) : error;
    }
  };
}

/** As the global `fetch` has it: what happened is the cause. */
function failure(cause: Error): TypeError {
  return new TypeError('fetch failed', { cause });
}

/** The global `fetch` takes no certificates without another library. Connections are kept, and made anew when the material changes. */
function httpsFetch(tls: TlsMaterial): Fetch {
  let known = '';
  let agent = new Agent();

  function agentNow(): Agent {
    const material = tlsMaterialNow(tls);
    const now = JSON.stringify(material);
    if (now === known) return agent;
    retire(agent);
    agent = new Agent({ keepAlive: true, minVersion: 'TLSv1.2', ...material });
    known = now;
    return agent;
  }

  return async (url, { method = 'GET', headers, body, signal }) => {
    const its = agentNow();
    const sent = new Headers(headers);
    sent.set('accept-encoding', 'identity');
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        url,
        { agent: its, method, headers: Object.fromEntries(sent), ...(signal ? { signal } : {}) },
        (message) => {
          try {
            const { statusCode: status = 0 } = message;
            const stream = Readable.toWeb(message) as ReadableStream<Uint8Array>;
            resolve(
              new Response(WITHOUT_BODY.has(status) ? null : stream, { status, headers: pairsOf(message.rawHeaders) }),
            );
          } catch (error) {
            message.destroy();
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        },
      );
      request.once('error', reject);
      request.end(typeof body === 'string' ? body : undefined);
    });
  };
}

/** What is under way on it ends; nothing new begins. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

function pairsOf(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1] ?? ''] as [string, string]] : []));
}

/** An authorization server has its own time, and this request no longer than its own. */
async function inTime<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
