/** Stands in for the session service on this machine: GET /sessions/{id} answers the same country for every session. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LOOPBACK } from './ports.ts';

export interface StandInSessionService {
  /** Base URL, without a trailing slash. */
  readonly url: string;
  /** Requests for sessions answered so far. */
  readonly requests: number;
  stop(): Promise<void>;
}

export interface StandInOptions {
  /** ISO-3166 code in every answer. */
  readonly country: string;
  /** ms before each answer */
  readonly delayMs: number;
  /** A free one when absent. */
  readonly port?: number;
}

const SESSION_PATH = /^\/sessions\/[^/?]+$/;

export async function startStandInSessionService(options: StandInOptions): Promise<StandInSessionService> {
  const body = JSON.stringify({ clientCountryCode: options.country });
  let requests = 0;
  const server = createServer((request, response) => {
    request.resume();
    const found = request.method === 'GET' && SESSION_PATH.test(request.url ?? '');
    if (!found) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}');
      return;
    }
    requests++;
    setTimeout(
      () => response.writeHead(200, { 'content-type': 'application/json' }).end(body),
      options.delayMs,
    ).unref();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, LOOPBACK, resolve);
  });
  return {
    url: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
