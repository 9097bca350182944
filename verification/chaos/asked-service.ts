/**
 * The service that an application asks, which can be slow, fail and lie. When it answers, its answer is a pure function of the
 * question, so that there is one right output whenever it is asked.
 */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Behaviour = 'right' | 'slow' | (typeof FAILURES)[number] | (typeof LIES)[number];

export const FAILURES = ['status-500', 'status-503', 'status-429', 'reset'] as const;
/** None of them is an answer. Whoever believes one gets the answer XX, or none at all. */
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

/** What it is asked, and what is right. */
export interface AskedService {
  /** Of a question: `GET <path><id>`. */
  readonly path: string;
  /** Of the JSON that it answers. */
  readonly field: string;
  /** The field's value; null: there is none (404). */
  answer(id: string): string | null;
  /** Those of {@link LIES} that its client cannot tell from an answer. */
  readonly believed: readonly Lie[];
}

type Lie = (typeof LIES)[number];

export interface ChaoticService {
  readonly port: number;
  /** {@link LIES} without those that are believed. */
  readonly lies: readonly Lie[];
  /** Requests that were treated badly so far. */
  readonly mistreated: number;
  /** Questions that were treated badly and have not got their answer yet. */
  readonly unanswered: number;
  set(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

/** ms: longer than the product waits. */
const SLOW = 2_500;
const HUGE = 3_000_000;

export async function startChaoticService({ path, field, answer, believed }: AskedService): Promise<ChaoticService> {
  const wrong = JSON.stringify({ [field]: 'XX' });
  let behaviour: Behaviour = 'right';
  let mistreated = 0;
  const unanswered = new Set<string>();

  const server = createServer((request, response) => {
    request.resume();
    response.on('error', () => undefined); // the client may leave a bad answer at any moment
    const url = request.url ?? '';
    if (url.startsWith('/elsewhere/')) return json(response, 200, wrong);
    const id = url.startsWith(path) ? url.slice(path.length) : '';
    if (!/^[^/?]+$/.test(id)) return json(response, 400, '{}');
    const right = (): void => {
      const value = answer(decodeURIComponent(id));
      if (value === null) json(response, 404, '{"error":"not found"}');
      else json(response, 200, JSON.stringify({ [field]: value }));
    };
    if (behaviour === 'right') {
      unanswered.delete(id);
      return right();
    }
    mistreated += 1;
    unanswered.add(id);
    if (behaviour === 'slow') setTimeout(right, SLOW).unref();
    else misbehave(behaviour, response, field);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    lies: LIES.filter((lie) => !believed.includes(lie)),
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

function misbehave(behaviour: Exclude<Behaviour, 'right' | 'slow'>, response: ServerResponse, field: string): void {
  const wrong = JSON.stringify({ [field]: 'XX' });
  switch (behaviour) {
    case 'status-500':
    case 'status-503':
    case 'status-429':
      return json(response, Number(behaviour.slice(-3)), wrong);
    case 'reset':
      return void response.socket?.resetAndDestroy();
    case 'not-json':
      return json(response, 200, wrong.slice(0, -1));
    case 'html':
      return void response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<html><body>Please log in: XX</body></html>');
    case 'wrong-type':
      return json(response, 200, JSON.stringify({ [field]: { code: 'XX' } }));
    case 'null':
      return json(response, 200, 'null');
    case 'list':
      return json(response, 200, `[${wrong}]`);
    case 'empty':
      return json(response, 200, '');
    case 'huge':
      return json(response, 200, JSON.stringify({ [field]: 'XX', more: 'x'.repeat(HUGE) }));
    case 'redirect':
      return void response.writeHead(302, { location: '/elsewhere/' }).end();
    case 'cut-short':
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': String(wrong.length + 10) })
        .write(wrong);
      return void setTimeout(() => response.destroy(), 20).unref();
    case 'drip': {
      response.writeHead(200, { 'content-type': 'application/json' });
      let sent = 0;
      const timer = setInterval(() => {
        if (response.destroyed || sent === wrong.length) {
          clearInterval(timer);
          response.end();
        } else response.write(wrong[sent++]);
      }, 200).unref();
      return;
    }
    case 'not-utf-8':
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(Buffer.from(wrong.replace('XX', 'X\xff'), 'latin1'));
    case 'no-content':
      return void response.writeHead(204).end();
    case 'endless-headers':
      return void response.socket?.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n${wrong}`);
    default:
      behaviour satisfies never;
  }
}
