/**
 * `npm run chaos -- --minutes M --seed S`: real faults on real processes, judged by the independent model. Exit code 0
 * only if the outcome is right and every recovery was in time; 1 if not; 2 for a wrong command line.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../src/engine/errors.ts';
import { chaos } from './chaos.ts';
import { optionsOf, USAGE } from './options.ts';
import type { ChaosOptions } from './options.ts';

function parsed(): ChaosOptions | undefined {
  try {
    return optionsOf(process.argv.slice(2));
  } catch (error) {
    console.error(`${messageOf(error)}\n${USAGE}`);
    return undefined;
  }
}

async function main(): Promise<void> {
  const options = parsed();
  if (options === undefined) {
    process.exitCode = 2;
    return;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  }
  const out = options.out ?? (await mkdtemp(join(tmpdir(), 'chaos-run-')));
  const say = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
  try {
    const { ok, report } = await chaos({ ...options, out, say, signal: stop.signal });
    console.log(`\n${report}`);
    process.exitCode = ok ? 0 : 1;
  } catch (error) {
    console.error(stop.signal.aborted ? messageOf(error) : error);
    // A reader may still wait for a broker that is gone; it ends with this process.
    process.exit(1);
  }
}

await main();
