/**
 * One address for the metrics of all processes of the product on this machine: GET /metrics fetches theirs and answers
 * them together, told apart by the label `process`.
 */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodedError, messageOf } from '../engine/errors.ts';
import { LOOPBACK } from './ports.ts';

export interface MetricsGateway {
  /** URL of the metrics. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface GatewayOptions {
  /** Where each process serves now, by its name: base URLs. */
  readonly sources: () => Readonly<Record<string, string>>;
  readonly port: number;
  /** Take a free port when `port` is in use. */
  readonly anyPortIfTaken: boolean;
}

const FETCH_TIMEOUT_MS = 2_000;

/** Errors: CONFIG when the port is in use and no other may be taken. */
export async function startMetricsGateway(options: GatewayOptions): Promise<MetricsGateway> {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    void collect(options.sources()).then((text) =>
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
    );
  });
  await listen(server, options.port).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE' && options.anyPortIfTaken) return listen(server, 0);
    throw new CodedError(
      'CONFIG',
      `ENRICHMENT_METRICS_PORT=${options.port} cannot be used: ${error.message}. Choose another port, or 0.`,
      {
        cause: error,
      },
    );
  });
  return {
    url: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}/metrics`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A process that does not answer is named in a comment. */
async function collect(sources: Readonly<Record<string, string>>): Promise<string> {
  const comments: string[] = [];
  const texts: Record<string, string> = {};
  const fetchOne = async ([name, url]: [string, string]): Promise<void> => {
    try {
      const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
      texts[name] = await answer.text();
    } catch (error) {
      comments.push(`# ${name} does not answer: ${messageOf(error)}\n`);
    }
  };
  await Promise.all(Object.entries(sources).map(fetchOne));
  return comments.join('') + mergeMetrics(texts);
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?( .*)$/;
const COMMENT = /^# (?:HELP|TYPE) ([\w:]+)/;

/** Prometheus texts, by process, as one: each family once, its samples with a label `process` in front. */
export function mergeMetrics(texts: Readonly<Record<string, string>>): string {
  const families = new Map<string, { comments: string[]; samples: string[] }>();
  for (const [process, text] of Object.entries(texts)) {
    const fresh = new Set<string>();
    let family = '';
    for (const line of text.split('\n')) {
      const comment = COMMENT.exec(line);
      const sample = SAMPLE.exec(line);
      if (comment) family = comment[1] ?? '';
      else if (!sample) continue;
      else if (!sample[1]?.startsWith(family) || family === '') family = sample[1] ?? '';
      if (!families.has(family)) {
        families.set(family, { comments: [], samples: [] });
        fresh.add(family);
      }
      const entry = families.get(family);
      if (comment && fresh.has(family)) entry?.comments.push(line);
      if (sample && !comment) {
        entry?.samples.push(`${sample[1]}{process="${process}"${sample[2] ? `,${sample[2]}` : ''}}${sample[3]}`);
      }
    }
  }
  return [...families.values()]
    .flatMap(({ comments, samples }) => [...comments, ...samples])
    .map((line) => `${line}\n`)
    .join('');
}
