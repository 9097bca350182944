/**
 * Client and workers of the bare touch, on the stock SDK, in a process of their own. Told by its parent whom to touch; answers
 * when all have been handled.
 */
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type InjectedSinks,
} from '@temporalio/worker';
import type { TouchSinks } from './workflow.ts';

export interface BareOptions {
  /** host:port */
  readonly address: string;
  /** Workers, each with a task queue and a cache of its own: the product's shards. */
  readonly workers: number;
  readonly maxCachedWorkflows: number;
}

/** Of each touch. */
export interface Touches {
  readonly workflowIds: readonly string[];
  /** Characters, which do not compress. */
  readonly payload: number;
}

/** `signalWithStart` that nobody has answered yet: as many as a bridge has. */
const IN_FLIGHT = 64;

async function main({ address, workers, maxCachedWorkflows }: BareOptions): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('workflow.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  const connection = await NativeConnection.connect({ address });
  let handled = 0;
  let waiting: { readonly count: number; readonly resolve: () => void } | undefined;
  const sinks: InjectedSinks<TouchSinks> = {
    touches: {
      handled: {
        callDuringReplay: false,
        fn() {
          handled += 1;
          if (waiting !== undefined && handled >= waiting.count) waiting.resolve();
        },
      },
    },
  };
  const running = await Promise.all(
    Array.from({ length: workers }, (_, shard) =>
      Worker.create({ connection, taskQueue: `bare-${shard}`, workflowBundle, sinks, maxCachedWorkflows }),
    ),
  );
  const ended = running.map((worker) => worker.run());
  const client = new Client({ connection: await Connection.connect({ address }) });

  async function touch({ workflowIds, payload }: Touches): Promise<void> {
    handled = 0;
    const all = new Promise<void>((resolve) => (waiting = { count: workflowIds.length, resolve }));
    let next = 0;
    const send = async (): Promise<void> => {
      for (let at = next++; at < workflowIds.length; at = next++) {
        const workflowId = workflowIds[at]!;
        await client.workflow.signalWithStart('bare', {
          workflowId,
          taskQueue: `bare-${at % workers}`,
          signal: 'touch',
          signalArgs: [noise(payload)],
        });
      }
    };
    await Promise.all([...Array.from({ length: IN_FLIGHT }, send), all]);
  }

  process.on('message', (message: Touches | 'stop') => {
    if (message !== 'stop') {
      touch(message).then(
        () => process.send!('done'),
        (error: unknown) => process.send!({ error: String(error) }),
      );
      return;
    }
    for (const worker of running) worker.shutdown();
    void Promise.allSettled(ended).then(() => process.exit(0));
  });
  process.send!('ready');
}

function noise(length: number): string {
  let text = '';
  while (text.length < length) text += Math.random().toString(36).slice(2);
  return text.slice(0, length);
}

await main(JSON.parse(process.argv[2]!) as BareOptions);
