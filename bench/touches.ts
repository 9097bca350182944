/** A round of touches: one signal of each workflow, of the product or bare, to workflows that are new, in the cache or out of it. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BareOptions, Touches } from './bare/process.ts';
import { actionsIn, Window, type Figures } from './round.ts';
import type { Servers } from './servers.ts';

export interface TouchLoad {
  readonly workflows: number;
  /** Touched before, once, in the same order. */
  readonly known: boolean;
}

/** As the product has them for rows of touches (live.ts). */
export const SHARDS = 4;
export const CACHED = 250;
/** Characters of a signal with one money event, about: 145 bytes of Avro and what is around it. */
const PAYLOAD = 700;
/** ms */
const REST = 3_000;

export async function bareRound({ workflows, known }: TouchLoad, servers: Servers): Promise<Figures> {
  const options: BareOptions = { address: servers.temporal, workers: SHARDS, maxCachedWorkflows: CACHED };
  const child = fork(fileURLToPath(new URL('bare/process.ts', import.meta.url)), [JSON.stringify(options)], {
    execArgv: ['--import', 'tsx'],
  });
  try {
    await answer(child);
    const touches: Touches = {
      workflowIds: Array.from({ length: workflows }, () => `bare/${randomUUID()}`),
      payload: PAYLOAD,
    };
    if (known) await touch(child, touches);
    await sleep(REST);
    const before = actionsIn(await servers.temporalMetrics());
    const window = new Window({ ...servers.pids, worker: child.pid! });
    await touch(child, touches);
    const figures = window.figures('touch', workflows);
    return { ...figures, 'actions a touch': (actionsIn(await servers.temporalMetrics()) - before) / workflows };
  } finally {
    if (child.exitCode === null) {
      child.send('stop');
      await Promise.race([once(child, 'exit'), sleep(20_000, undefined, { ref: false })]);
      child.kill('SIGKILL');
    }
  }
}

async function touch(child: ChildProcess, touches: Touches): Promise<void> {
  const done = answer(child);
  child.send(touches);
  await done;
}

async function answer(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit').then(([code]: unknown[]): never => {
    throw new Error(`the process of the bare touch ended with ${String(code)}`);
  });
  gone.catch(() => undefined);
  const [message] = (await Promise.race([once(child, 'message'), gone])) as [unknown];
  if (typeof message === 'object') throw new Error(`the bare touch failed: ${JSON.stringify(message)}`);
}
