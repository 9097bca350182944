/**
 * Requests to services that demand something: a certificate authority of one's own, a client certificate, a token. Redirects are
 * never followed: a token goes where it was meant to go. Everything else (time, size of the answer) is the caller's.
 */
import { Agent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { tlsMaterialNow, type TlsMaterial } from '../process/tls-material.ts';
import { tlsReason } from './tls-reason.ts';

interface FetchOptions {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  readonly redirect: 'manual';
}

/** As far as the global `fetch` is used here. */
export type Fetch = (url: string, options: FetchOptions) => Promise<Response>;

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
    const headers = {
      ...options.headers,
      ...(authorization === undefined ? {} : { authorization: await authorization.header() }),
    };
    try {
      const response = await send(url, { ...options, headers });
      if (response.status === UNAUTHORIZED) authorization?.refused();
      return response;
    } catch (error) {
      const reason = tlsReason(error, `${prefix}_SSL`);
      throw reason === undefined ? error : new Error(reason, { cause: error });
    }
  };
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

  return async (url, { method = 'GET', headers = {}, body, signal }) => {
    const its = agentNow();
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        url,
        { agent: its, method, signal, headers: { ...headers, 'accept-encoding': 'identity' } },
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
      request.end(body);
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
