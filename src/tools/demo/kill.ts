/** Kills the worker in the middle of its work; it is started again by what keeps it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { KeptProcess } from '../../dev/product.ts';
import type { Live } from './live.ts';
import type { Screen } from './screen.ts';

/** Resolves when the next worker has put something out, with what happened in words. Errors: the signal's reason. */
export async function killWorker(
  worker: KeptProcess,
  live: Live,
  screen: Screen,
  signal: AbortSignal,
): Promise<string> {
  const { pid } = worker.current;
  const at = performance.now();
  const seconds = (): string => `${((performance.now() - at) / 1_000).toFixed(1)} s`;
  screen.log(`Killing the worker (process ${pid}) with SIGKILL, in the middle of its work ...`);
  worker.current.kill();
  await until(() => worker.current.pid !== pid, signal);
  const { enriched } = live;
  screen.log(`A new worker is up (process ${worker.current.pid}), ${seconds()} after the kill.`);
  await until(() => live.enriched > enriched, signal);
  screen.log(`Enriched money comes out again, ${seconds()} after the kill.`);
  return `the worker was killed with SIGKILL in the middle and the next one went on ${seconds()} later: nothing was lost, nothing was done twice`;
}

async function until(check: () => boolean, signal: AbortSignal): Promise<void> {
  while (!check()) await pause(50, undefined, { signal });
}
