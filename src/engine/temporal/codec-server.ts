/**
 * A codec server in the convention of Temporal's samples: POST `/decode` and `/encode`, also below the name of a namespace, with
 * `{"payloads": [{"metadata": {"encoding": "<base64>"}, "data": "<base64>"}]}`. Each decoding is a line of the log, and of an audit where there is one, without values.
 * GET `/healthz` says that it runs, to whoever asks.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { CodedError, messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { printable } from '../printable.ts';
import { NotServed, type Callers } from './codec-callers.ts';
import { payloadsIn, payloadsText } from './codec-server-body.ts';

export interface CodecServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** In the order in which they encode. */
  readonly codecs: readonly PayloadCodec[];
  /** Of which payloads may be asked. */
  readonly namespaces: readonly string[];
  /** Of web pages that may ask, as the header Origin has them. */
  readonly origins: readonly string[];
  /** Who may ask. */
  readonly callers: Callers;
  readonly logger: Logger;
  /** Who had what, besides the line of the log. What cannot be written down is not answered: 503. */
  readonly audit?: (line: object) => void;
}

interface CodecServer {
  /** URL */
  readonly url: string;
  close(): Promise<void>;
}

/** bytes: a page of a history in base64, decoded one by one. */
const MAX_BODY = 32_000_000;
/** As the other processes have it. */
const HEALTH = '/healthz';

/** Throws CodedError CONFIG when the port cannot be listened on. */
export async function startCodecServer(options: CodecServerOptions): Promise<CodecServer> {
  const { host, port, logger } = options;
  const server = createServer((request, response) => {
    const client = request.socket.remoteAddress;
    allowOrigin(options.origins, request, response);
    answer(options, request, client).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => {
        const status = error instanceof NotServed ? error.status : error instanceof CodedError ? 422 : 500;
        logger.warn({ status, client }, `codec server: ${messageOf(error)}`);
        send(response, status, JSON.stringify({ message: messageOf(error) }));
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new CodedError('CONFIG', `the codec server cannot listen on ${host}:${port}: ${messageOf(error)}`)),
    );
    server.listen({ host, port }, resolve);
  });
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shownHost}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function answer(
  options: CodecServerOptions,
  request: IncomingMessage,
  client: string | undefined,
): Promise<Answer> {
  if (request.method === 'OPTIONS') return { status: 204, body: '' };
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  if (path === HEALTH) {
    if (request.method !== 'GET' && request.method !== 'HEAD') throw new NotServed(405, `expected GET ${HEALTH}`);
    return { status: 200, body: '{"live":true}' };
  }
  const [, below, action] = /^(?:\/([^/]+))?\/(encode|decode)$/.exec(path) ?? [];
  if (action === undefined) throw new NotServed(404, 'expected POST /decode or POST /encode');
  if (request.method !== 'POST') throw new NotServed(405, `expected POST ${path}`);
  const who = await options.callers(request.headers.authorization);
  const namespace = namespaceOf(options.namespaces, request.headers['x-namespace'], below);
  const payloads = payloadsOf(await bodyOf(request));
  const done = await (action === 'decode' ? decoded(options.codecs, payloads) : encoded(options.codecs, payloads));
  const what = { namespace, payloads: payloads.length, client, ...(who !== undefined && { who }) };
  try {
    options.audit?.({ event: action, ...what });
  } catch (error) {
    throw new NotServed(503, messageOf(error));
  }
  options.logger.info({ audit: action, ...what }, `codec server: ${action}d`);
  return { status: 200, body: payloadsText(done) };
}

function allowOrigin(origins: readonly string[], { headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('vary', 'origin');
  if (headers.origin === undefined || !origins.includes(headers.origin)) return;
  response.setHeader('access-control-allow-origin', headers.origin);
  response.setHeader('access-control-allow-credentials', 'true');
  response.setHeader('access-control-allow-methods', 'POST, OPTIONS');
  response.setHeader('access-control-allow-headers', 'authorization,content-type,x-namespace');
}

function namespaceOf(
  allowed: readonly string[],
  header: string | string[] | undefined,
  below: string | undefined,
): string {
  const namespace = (typeof header === 'string' ? header : undefined) ?? below;
  if (namespace === undefined) throw new NotServed(400, 'expected the header X-Namespace');
  if (!allowed.includes(namespace) || (below !== undefined && below !== namespace)) {
    throw new NotServed(403, `namespace "${printable(namespace).slice(0, 100)}": it is not served here`);
  }
  return namespace;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const tooLarge = new NotServed(413, `expected ${MAX_BODY} bytes at most`);
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw tooLarge; // and the connection is closed
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function payloadsOf(body: string): Payload[] {
  const payloads = payloadsIn(body);
  if (typeof payloads === 'string') throw new NotServed(400, payloads);
  return payloads;
}

/** What none of the codecs knows stays as it is. */
function decoded(codecs: readonly PayloadCodec[], payloads: readonly Payload[]): Promise<Payload[]> {
  return Promise.all(
    payloads.map(async (payload) => {
      let plain = [payload];
      for (const codec of codecs.toReversed()) plain = await codec.decode(plain);
      const [own = payload] = plain;
      return isUnreadable(own) ? payload : own;
    }),
  );
}

async function encoded(codecs: readonly PayloadCodec[], payloads: Payload[]): Promise<Payload[]> {
  let done = payloads;
  for (const codec of codecs) done = await codec.encode(done);
  return done;
}

function isUnreadable({ data }: Payload): boolean {
  return Buffer.from(data ?? [])
    .subarray(0, MARK.length)
    .equals(MARK);
}

const MARK = Buffer.from('{"$unreadable":');

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, body === '' ? {} : { 'content-type': 'application/json' }).end(body);
}
