/** The product's own processes, bridge and worker, as children on this machine: what `dev` and `demo` run. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CodedError } from '../engine/errors.ts';
import { LOOPBACK, freePorts } from './ports.ts';
import { startChild } from './processes.ts';
import type { Exit } from './processes.ts';
import type { Log } from './log.ts';

export type Role = 'worker' | 'bridge';

export interface ProductProcess {
  readonly role: Role;
  readonly pid: number;
  /** Base URL of its /metrics, /healthz and /readyz. */
  readonly httpUrl: string;
  readonly running: boolean;
  readonly exited: Promise<Exit>;
  /** SIGTERM: it drains; SIGKILL when that takes too long. */
  stop(): Promise<void>;
  /** SIGKILL, at once. */
  kill(): void;
}

export interface ProductOptions {
  /** On top of this process's environment: where the stack is. */
  readonly env: Readonly<Record<string, string>>;
  /** Told what the process writes, line by line, with its role in front. */
  readonly log: Log;
  /** Aborting it during the start leaves nothing running. */
  readonly signal?: AbortSignal | undefined;
  /** Program and arguments in front of the role; this package's own when absent. */
  readonly command?: readonly [string, ...string[]];
  /** The variable that says the port of its /metrics; this package's own when absent. */
  readonly portSetting?: string;
}

const START_TIMEOUT_MS = 90_000;
const STOP_GRACE_MS = 30_000;
/** For a process that has not begun its work: it has nothing to drain. */
const ABANDON_GRACE_MS = 5_000;
const RESTART_DELAY_MS = 1_000;
const READY = /^READY(\s|$)/;

/** Resolves when the process says READY. Errors: UNREACHABLE with its last words when it does not. */
export async function startProductProcess(role: Role, options: ProductOptions): Promise<ProductProcess> {
  const { signal, log, portSetting = 'ENRICHMENT_METRICS_PORT' } = options;
  const [port = 0] = await freePorts(1);
  signal?.throwIfAborted();
  const last: string[] = [];
  let sawReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (sawReady = resolve));
  const [program, ...args] = options.command ?? [process.execPath, ownProgram()];
  const child = startChild(program, [...args, role], {
    name: role,
    env: { ...process.env, ...options.env, [portSetting]: String(port) },
    onLine: (line, from) => {
      if (from === 'stdout' && READY.test(line)) return sawReady();
      last.push(line);
      if (last.length > 10) last.shift();
      log(`${role}: ${line}`);
    },
  });
  const gone = child.exited.then(({ code, signal: by }) => `it ended with ${by ?? `exit code ${code}`}`);
  const failure = await Promise.race([ready, gone, timeout(START_TIMEOUT_MS, ready, gone), untilAborted(signal)]);
  if (failure !== undefined) {
    await child.stop(ABANDON_GRACE_MS);
    signal?.throwIfAborted();
    throw new CodedError('UNREACHABLE', `The ${role} did not start: ${failure}. ${last.join('\n')}`.trim());
  }
  return {
    role,
    pid: child.pid,
    httpUrl: `http://${LOOPBACK}:${port}`,
    get running() {
      return child.running;
    },
    exited: child.exited,
    stop: () => child.stop(STOP_GRACE_MS),
    kill: child.kill,
  };
}

export interface KeptProcess {
  /** The one that runs now, or ran last. */
  readonly current: ProductProcess;
  /** Rejects when a restart fails. Never resolves before stop(). */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Starts it again whenever it ends by itself, under a new pid and port. Errors: those of startProductProcess. */
export async function keepProductProcess(role: Role, options: ProductOptions): Promise<KeptProcess> {
  const stopping = new AbortController();
  const signal = options.signal ? AbortSignal.any([stopping.signal, options.signal]) : stopping.signal;
  let current = await startProductProcess(role, { ...options, signal });

  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const { code, signal: by } = await current.exited;
      if (stopping.signal.aborted) return;
      options.log(`The ${role} ended with ${by ?? `exit code ${code}`}; starting it again.`);
      await sleep(RESTART_DELAY_MS, undefined, { signal });
      current = await startProductProcess(role, { ...options, signal });
    }
  };
  const watching = watch();
  const failed = new Promise<never>((_, reject) => {
    watching.catch((error: unknown) => signal.aborted || reject(error));
  });
  failed.catch(() => undefined); // whoever waits for it gets it all the same
  return {
    get current() {
      return current;
    },
    failed,
    async stop() {
      stopping.abort(new Error('stopped'));
      await current.stop();
      await watching.catch(() => undefined); // a restart that was under way has given up
      await current.stop();
    },
  };
}

/** bin/money-enrichment.js of this checkout or package. */
export function ownProgram(): string {
  const found = ['../../bin/money-enrichment.js', '../../../bin/money-enrichment.js']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  if (found === undefined) {
    throw new CodedError('MISSING_PROGRAM', 'bin/money-enrichment.js is missing. Install this package again.');
  }
  return found;
}

function timeout(ms: number, ...enough: Promise<unknown>[]): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(`it was not ready after ${ms / 1000} s`), ms);
    for (const done of enough) void done.then(() => clearTimeout(timer));
  });
}

function untilAborted(signal?: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve('it was stopped');
    else signal?.addEventListener('abort', () => resolve('it was stopped'), { once: true });
  });
}
