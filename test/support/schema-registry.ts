/** A schema registry for tests: what the product asks of one, over HTTP, and ways to be away or to lie. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

export interface StandInRegistry {
  readonly url: string;
  /** `METHOD path` of every request, in order. */
  readonly requests: string[];
  /** Headers of the last request. */
  readonly headers: () => IncomingMessage['headers'];
  /** Under an id of its own choice; the same text has the same id. */
  add(schema: object | string, subject?: string, references?: readonly SchemaReference[]): number;
  text(id: number): string | undefined;
  subjectsOf(id: number): string[];
  /** What every request gets instead of an answer; undefined ends it. */
  disturb(answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined): void;
  stop(): Promise<void>;
}

export async function startStandInRegistry({ port = 0 }: { readonly port?: number } = {}): Promise<StandInRegistry> {
  const schemas = new Map<number, string>();
  const subjects = new Map<string, Set<number>>();
  const referencesOf = new Map<number, readonly SchemaReference[]>();
  const requests: string[] = [];
  let headers: IncomingMessage['headers'] = {};
  let disturbance: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;

  function add(schema: object | string, subject = 'test', references: readonly SchemaReference[] = []): number {
    const text = typeof schema === 'string' ? schema : JSON.stringify(schema);
    const id = [...schemas].find(([, known]) => known === text)?.[0] ?? 101 + schemas.size;
    schemas.set(id, text);
    if (references.length > 0) referencesOf.set(id, references);
    subjects.set(subject, (subjects.get(subject) ?? new Set()).add(id));
    return id;
  }

  function answer(response: ServerResponse, status: number, body: unknown): void {
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(JSON.stringify(body));
  }

  function described(id: number): object {
    const references = referencesOf.get(id);
    return { schema: schemas.get(id), ...(references === undefined ? {} : { references }) };
  }

  /** Lookup, and versions by number and `latest`. */
  function answerOfSubject(request: IncomingMessage, response: ServerResponse, path: string, body: string): boolean {
    const [, named, wanted] = /^\/subjects\/([^/]+?)(?:\/versions\/(\d+|latest)(?:\?deleted=true)?)?$/.exec(path) ?? [];
    if (named === undefined) return false;
    const subject = decodeURIComponent(named);
    const ids = [...(subjects.get(subject) ?? [])];
    if (ids.length === 0) answer(response, 404, { error_code: 40401, message: `Subject '${subject}' not found.` });
    else if (request.method === 'POST') {
      const { schema } = JSON.parse(body) as { schema: string };
      const id = ids.find((one) => schemas.get(one) === schema);
      if (id === undefined) answer(response, 404, { error_code: 40403, message: 'Schema not found' });
      else answer(response, 200, { subject, id, version: ids.indexOf(id) + 1, ...described(id) });
    } else {
      const version = wanted === 'latest' ? ids.length : Number(wanted);
      const id = ids[version - 1];
      if (id === undefined) answer(response, 404, { error_code: 40402, message: `Version ${version} not found.` });
      else answer(response, 200, { subject, id, version, ...described(id) });
    }
    return true;
  }

  function serve(request: IncomingMessage, response: ServerResponse, body: string): void {
    const path = request.url ?? '';
    if (disturbance !== undefined) return disturbance(request, response);
    const id = /^\/schemas\/ids\/(\d+)$/.exec(path)?.[1];
    if (request.method === 'GET' && id !== undefined) {
      const schema = schemas.get(Number(id));
      if (schema === undefined) return answer(response, 404, { error_code: 40403, message: 'Schema not found' });
      return answer(response, 200, described(Number(id)));
    }
    if (request.method === 'GET' && path === '/subjects') return answer(response, 200, [...subjects.keys()]);
    const subject = /^\/subjects\/([^/]+)\/versions$/.exec(path)?.[1];
    if (request.method === 'POST' && subject !== undefined) {
      const { schema } = JSON.parse(body) as { schema: string };
      return answer(response, 200, { id: add(schema, decodeURIComponent(subject)) });
    }
    if (answerOfSubject(request, response, path, body)) return;
    answer(response, 404, { error_code: 404, message: 'HTTP 404 Not Found' });
  }

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    ({ headers } = request);
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => serve(request, response, Buffer.concat(parts).toString()));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    headers: () => headers,
    add,
    text: (id) => schemas.get(id),
    subjectsOf: (id) => [...subjects].filter(([, ids]) => ids.has(id)).map(([subject]) => subject),
    disturb: (by) => (disturbance = by),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
