/**
 * A session service that can be slow, fail and lie. When it answers, it is a pure function of the session id and says
 * what the session event says, so that there is one right output whenever a lookup is made.
 */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Country; null: there is no such session (404). */
export type Countries = (sessionId: string) => string | null;

export type Behaviour = 'right' | 'slow' | (typeof FAILURES)[number] | (typeof LIES)[number];

export const FAILURES = ['status-500', 'status-503', 'status-429', 'reset'] as const;
/** None of them is an answer. Whoever believes one gets the country XX, or none at all. */
export const LIES = [
  'not-json',
  'html',
  'wrong-type',
  'null',
  'list',
  'empty',
  'huge',
  'redirect',
  'cut-short',
  'drip',
  'not-utf-8',
  'no-content',
  'endless-headers',
] as const;

export interface ChaoticSessionService {
  readonly port: number;
  /** Requests that were treated badly so far. */
  readonly mistreated: number;
  /** Sessions that were treated badly and have not got their answer yet. */
  readonly unanswered: number;
  set(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

const SESSION_PATH = /^\/sessions\/([^/?]+)$/;
const WRONG = '{"clientCountryCode":"XX"}';
/** ms: longer than the product waits. */
const SLOW = 2_500;
const HUGE = 3_000_000;

export async function startChaoticSessionService(countries: Countries): Promise<ChaoticSessionService> {
  let behaviour: Behaviour = 'right';
  let mistreated = 0;
  const unanswered = new Set<string>();

  const server = createServer((request, response) => {
    request.resume();
    response.on('error', () => undefined); // the client may leave a bad answer at any moment
    const path = request.url ?? '';
    if (path.startsWith('/elsewhere/')) return json(response, 200, WRONG);
    const id = SESSION_PATH.exec(path)?.[1];
    if (id === undefined) return json(response, 400, '{}');
    const right = (): void => {
      const country = countries(decodeURIComponent(id));
      if (country === null) json(response, 404, '{"error":"not found"}');
      else json(response, 200, JSON.stringify({ clientCountryCode: country }));
    };
    if (behaviour === 'right') {
      unanswered.delete(id);
      return right();
    }
    mistreated += 1;
    unanswered.add(id);
    if (behaviour === 'slow') setTimeout(right, SLOW).unref();
    else misbehave(behaviour, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    get mistreated() {
      return mistreated;
    },
    get unanswered() {
      return unanswered.size;
    },
    set: (next) => (behaviour = next),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function json(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

function misbehave(behaviour: Exclude<Behaviour, 'right' | 'slow'>, response: ServerResponse): void {
  switch (behaviour) {
    case 'status-500':
    case 'status-503':
    case 'status-429':
      return json(response, Number(behaviour.slice(-3)), WRONG);
    case 'reset':
      return void response.socket?.resetAndDestroy();
    case 'not-json':
      return json(response, 200, '{"clientCountryCode":"XX"');
    case 'html':
      return void response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<html><body>Please log in: XX</body></html>');
    case 'wrong-type':
      return json(response, 200, '{"clientCountryCode":{"code":"XX"}}');
    case 'null':
      return json(response, 200, 'null');
    case 'list':
      return json(response, 200, `[${WRONG}]`);
    case 'empty':
      return json(response, 200, '');
    case 'huge':
      return json(response, 200, `{"clientCountryCode":"XX","more":"${'x'.repeat(HUGE)}"}`);
    case 'redirect':
      return void response.writeHead(302, { location: '/elsewhere/' }).end();
    case 'cut-short':
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': String(WRONG.length + 10) })
        .write(WRONG);
      return void setTimeout(() => response.destroy(), 20).unref();
    case 'drip': {
      response.writeHead(200, { 'content-type': 'application/json' });
      let sent = 0;
      const timer = setInterval(() => {
        if (response.destroyed || sent === WRONG.length) {
          clearInterval(timer);
          response.end();
        } else response.write(WRONG[sent++]);
      }, 200).unref();
      return;
    }
    case 'not-utf-8':
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(Buffer.from('{"clientCountryCode":"X\xff"}', 'latin1'));
    case 'no-content':
      return void response.writeHead(204).end();
    case 'endless-headers':
      return void response.socket?.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n${WRONG}`);
    default:
      behaviour satisfies never;
  }
}
