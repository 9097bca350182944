/** Runs the program as people do. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { PROGRAM } from '../support/product.ts';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** With `env` and nothing else of this environment that the program would read. */
export function program(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = '/'): Promise<Outcome> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return outcomeOf(child);
}

/** Runs a shell line in which `"$0" "$1"` is the program; the exit code is that of the program. */
export function shell(line: string): Promise<Outcome> {
  const child = spawn('bash', ['-c', `set -o pipefail; ${line}`, process.execPath, PROGRAM], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return outcomeOf(child);
}

function outcomeOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
