/**
 * Child processes that can not outlive us.
 *
 * - A child leads its own process group, so the terminal's Ctrl-C reaches only us and we stop the children in order.
 * - Beside each child, in its group, a shell waits on a pipe that only we hold open. When the pipe ends (we exited,
 *   or were killed by SIGKILL) it ends the group: SIGTERM, and SIGKILL after ORPHAN_GRACE_S. While that shell lives
 *   the kernel cannot give the group's id to anybody else, so it never hits a stranger.
 * - `pid` is the program itself (the shell execs it): signals sent to it reach it directly.
 */
import { spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { constants, accessSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { delimiter, join } from 'node:path';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly running: boolean;
  /** Resolves when its process group has ended and its output was read to the end. Never rejects. */
  readonly exited: Promise<Exit>;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it is gone. May be called again. */
  stop(graceMs?: number): Promise<void>;
  /** SIGKILL, at once. */
  kill(): void;
}

export interface ChildOptions {
  /** For messages. */
  readonly name: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Each line of output; without it the output is thrown away. */
  readonly onLine?: (line: string, from: 'stdout' | 'stderr') => void;
}

const STOP_GRACE_MS = 10_000;
const ORPHAN_GRACE_S = 5;

// The group is ended by the shell's own process group id ($$); `kill -0 $$` is false once the program is gone.
const GUARD = `
{
  trap '' INT TERM HUP
  read -r _ <&3
  if kill -0 $$; then
    kill -s TERM -- -$$
    i=0
    while [ $i -lt ${ORPHAN_GRACE_S * 10} ] && kill -0 $$; do sleep 0.1; i=$((i+1)); done
  fi
  kill -s KILL -- -$$
} </dev/null >/dev/null 2>&1 &
exec 3<&-
exec "$@"
`;

/** Starts a program; a program that cannot be started exits with code 126 or 127. */
export function startChild(command: string, args: readonly string[], options: ChildOptions): Child {
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', command, ...args], {
    cwd: options.cwd,
    env: options.env ?? process.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const lifeline = child.stdio[3] as Duplex;
  lifeline.on('error', () => undefined); // the other end went first: the child is gone, which `exited` tells
  lifeline.resume();
  const guardEnded = new Promise((resolve) => lifeline.once('close', resolve));

  for (const from of ['stdout', 'stderr'] as const) {
    const stream = child.stdio[from === 'stdout' ? 1 : 2] as Readable;
    if (options.onLine === undefined) stream.resume();
    else createInterface({ input: stream }).on('line', (line) => options.onLine?.(line, from));
  }

  let running = true;
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', () => {
      running = false;
      resolve({ code: 127, signal: null });
    });
    child.once('exit', () => {
      running = false;
      lifeline.end(); // the guard ends, and with it what the program left in its group
    });
    child.once('close', (code, signal) => void guardEnded.then(() => resolve({ code, signal })));
  });

  const signalChild = (signal: NodeJS.Signals): void => {
    if (running) child.kill(signal);
  };
  return {
    name: options.name,
    pid: child.pid ?? -1,
    get running() {
      return running;
    },
    exited,
    kill: () => signalChild('SIGKILL'),
    async stop(graceMs = STOP_GRACE_MS) {
      signalChild('SIGTERM');
      const timer = setTimeout(() => signalChild('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

export interface RunResult {
  /** 126 or 127: it could not be started. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Errors: the signal's reason when aborted, with the program gone before it is thrown. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly signal?: AbortSignal | undefined } = {},
): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const output = { stdout: '', stderr: '' };
  const child = startChild(command, args, {
    name: command,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    onLine: (line, from) => (output[from] += `${line}\n`),
  });
  const abort = (): void => void child.stop(2_000);
  options.signal?.addEventListener('abort', abort, { once: true });
  const { code } = await child.exited;
  options.signal?.removeEventListener('abort', abort);
  options.signal?.throwIfAborted();
  return { code, ...output };
}

/** Full path of an executable on the PATH; undefined when there is none. */
export function findProgram(name: string, path = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Whether a process has this pid, or a process group `-pid`. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
