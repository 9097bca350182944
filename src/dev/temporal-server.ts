/** A real Temporal dev server with its UI on this machine: 127.0.0.1 only, one child process. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../engine/errors.ts';
import { LOOPBACK, accepts, freePorts } from './ports.ts';
import { findProgram, isExecutable, startChild } from './processes.ts';
import type { Child } from './processes.ts';
import { TEMPORAL_CLI, wheelProgram } from './wheels.ts';
import type { Log } from './log.ts';

export interface TemporalServer {
  /** host:port of the gRPC service; its namespace `default` exists. */
  readonly address: string;
  /** URL */
  readonly uiAddress: string;
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): void;
}

export interface TemporalServerOptions {
  /** Keeps the state in a file there; in memory when absent, which is several times faster. */
  readonly dataDir?: string;
  /** Registered at the start, besides `default`. */
  readonly namespace?: string;
  /** A free one when absent. */
  readonly port?: number;
  /** URL of the codec server that its UI asks; none when absent. */
  readonly codecServer?: string;
  /** Where it shows its own metrics, as Prometheus reads them; nowhere when absent. */
  readonly metricsPort?: number;
  readonly log: Log;
  /** Aborting it during the start leaves nothing running. */
  readonly signal?: AbortSignal | undefined;
}

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
const PORT_TRIES = 3;

/** Ready for clients when it resolves. Errors: MISSING_PROGRAM; UNREACHABLE when it does not come up. */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const program = await temporalProgram(options);
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(program, options);
    } catch (error) {
      // Somebody took a port between the choice and the bind.
      if (!(error instanceof PortTaken) || options.port !== undefined || attempt === PORT_TRIES) throw error;
    }
  }
}

/** The `temporal` to use: $TEMPORAL_CLI, one on the PATH, or the one of the wheel. */
export async function temporalProgram(
  options: { readonly log: Log; readonly signal?: AbortSignal | undefined },
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const named = env['TEMPORAL_CLI'];
  if (named) {
    if (isExecutable(named)) return named;
    throw new CodedError(
      'MISSING_PROGRAM',
      `TEMPORAL_CLI is "${named}", which is not an executable file. Correct or unset it.`,
    );
  }
  return findProgram('temporal', env['PATH']) ?? wheelProgram(TEMPORAL_CLI, options);
}

class PortTaken extends CodedError {}

async function start(
  program: string,
  { dataDir, namespace, port: wanted, metricsPort, codecServer, signal }: TemporalServerOptions,
): Promise<TemporalServer> {
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
  const [free = 0, uiPort = 0] = await freePorts(2);
  const port = wanted ?? free;
  signal?.throwIfAborted();
  const output: string[] = [];
  const child = startChild(program, arguments_({ port, uiPort, metricsPort, codecServer, namespace, dataDir }), {
    name: 'temporal',
    onLine: (line) => {
      output.push(line);
      if (output.length > 50) output.shift();
    },
  });
  try {
    await untilReady(child, [port, uiPort], output, signal);
  } catch (error) {
    await child.stop();
    if (signal?.aborted) throw error;
    const text = output.join('\n');
    const Kind = /address already in use|can't set frontend port|can't set UI port/i.test(text)
      ? PortTaken
      : CodedError;
    throw new Kind('UNREACHABLE', `The Temporal dev server (${program}) did not start: ${text.slice(-1000)}`, {
      cause: error,
    });
  }
  return {
    address: `${LOOPBACK}:${port}`,
    uiAddress: `http://${LOOPBACK}:${uiPort}`,
    pid: child.pid,
    exited: child.exited,
    stop: () => child.stop(),
    kill: child.kill,
  };
}

interface Arguments {
  readonly port: number;
  readonly uiPort: number;
  readonly metricsPort: number | undefined;
  readonly codecServer: string | undefined;
  readonly namespace: string | undefined;
  readonly dataDir: string | undefined;
}

function arguments_({ port, uiPort, metricsPort, codecServer, namespace = 'default', dataDir }: Arguments): string[] {
  const kept =
    dataDir === undefined
      ? []
      : [
          ...['--db-filename', join(dataDir, 'temporal.db')],
          ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
        ];
  return [
    ...['server', 'start-dev', '--ip', LOOPBACK, '--port', String(port), '--ui-port', String(uiPort)],
    ...(metricsPort === undefined ? [] : ['--metrics-port', String(metricsPort)]),
    ...(codecServer === undefined ? [] : ['--ui-codec-endpoint', codecServer]),
    ...['--log-level', 'error', '--ui-disable-news-fetch', '--namespace', namespace, ...kept],
  ];
}

/** The server prints its addresses when its namespace is registered. */
async function untilReady(
  child: Child,
  ports: readonly number[],
  output: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    signal?.throwIfAborted();
    if (!child.running) throw new Error('it exited');
    if (performance.now() > deadline) throw new Error(`not ready after ${START_TIMEOUT_MS} ms`);
    const announced = output.some((line) => line.includes(`:${ports[0]}`));
    if (announced && (await Promise.all(ports.map((port) => accepts(port)))).every(Boolean)) return;
    await sleep(POLL_MS, undefined, signal ? { signal } : {});
  }
}
