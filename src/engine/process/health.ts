/**
 * `/metrics` (Prometheus text), `/healthz` (liveness: 503 means restart me) and `/readyz` (readiness, each part by
 * name). Answers carry no data of records.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { CodedError, messageOf } from '../errors.ts';

/** Why a part is not well, in a few words, or null when it is. Must not throw or block. */
type Check = () => string | null;

export interface HealthOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** What sets the port, for people. */
  readonly portSetting: string;
  /** Take a free port when `port` is in use, instead of failing: for a port that nobody chose. */
  readonly anyPortIfTaken?: boolean;
  /** Interface to listen on; all when absent. */
  readonly host?: string;
  readonly registry: Registry;
  /** Of others in this process: more of the same text, whose names are not those of the registry. */
  readonly moreMetrics?: () => Promise<string>;
  /** The parts that must be ready, by name. */
  readonly ready: Readonly<Record<string, Check>>;
  /** Parts that are named beside them: without these it does its work all the same, and is ready. */
  readonly beside?: Readonly<Record<string, Check>>;
  /** Liveness means progress, not a running process. Alive when absent. */
  readonly live?: Check;
}

export interface HealthServer {
  readonly port: number;
  /** `port` is not the one that was asked for, which is taken. */
  readonly another: boolean;
  /** Never throws. */
  close(): Promise<void>;
}

/** Throws CodedError CONFIG when the port cannot be listened on. */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(`${messageOf(error)}\n`);
    });
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, ...(options.host === undefined ? {} : { host: options.host }) }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  let another = false;
  try {
    await listen(options.port);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE' || options.anyPortIfTaken !== true) throw portError(options, error);
    await listen(0);
    another = true;
  }
  return {
    port: (server.address() as AddressInfo).port,
    another,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: HealthOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?')[0];
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  switch (path) {
    case '/metrics': {
      const [own, more = ''] = await Promise.all([options.registry.metrics(), options.moreMetrics?.()]);
      response.writeHead(200, { 'content-type': options.registry.contentType }).end(own + more);
      return;
    }
    case '/healthz': {
      const problem = options.live?.() ?? null;
      sendJson(response, problem === null ? 200 : 503, {
        live: problem === null,
        ...(problem === null ? {} : { problem }),
      });
      return;
    }
    case '/readyz': {
      const parts = partsOf(options.ready);
      const ready = Object.values(parts).every((part) => part.ready);
      sendJson(response, ready ? 200 : 503, { ready, parts: { ...parts, ...partsOf(options.beside ?? {}) } });
      return;
    }
    default:
      sendJson(response, 404, { paths: ['/metrics', '/healthz', '/readyz'] });
  }
}

function partsOf(checks: Readonly<Record<string, Check>>): Record<string, { ready: boolean; problem?: string }> {
  return Object.fromEntries(
    Object.entries(checks).map(([name, check]) => {
      const problem = check();
      return [name, problem === null ? { ready: true } : { ready: false, problem }];
    }),
  );
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(`${JSON.stringify(body)}\n`);
}

function portError({ port, portSetting }: HealthOptions, cause: unknown): CodedError {
  const why =
    codeOf(cause) === 'EADDRINUSE'
      ? 'the port is in use'
      : codeOf(cause) === 'EACCES'
        ? 'this user may not listen on that port'
        : messageOf(cause);
  return new CodedError('CONFIG', `${portSetting}=${port}: ${why}; expected a free port, or 0 to take any`, {
    cause,
  });
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}
