/** A workflow of a test: emits numbers, a run of three at a time. */
import { continueAsNew, sleep } from '@temporalio/workflow';
import { Outbox, type OutboxState } from '../../../src/engine/workflow/outbox.ts';

export interface Numbered {
  readonly n: number;
}

/** `together`: all of a run are emitted before they are flushed. */
export async function emitting(
  count: number,
  together: boolean,
  next = 1,
  carried?: OutboxState<Numbered>,
): Promise<number> {
  const outbox = new Outbox<Numbered>({ appId: 'outbox', shards: 1, key: 'k', carried });
  for (let n = next; n <= count; n += 1) {
    if (n === next + 3) {
      // What is not flushed is carried.
      outbox.emit({ n: -n });
      return continueAsNew<typeof emitting>(count, together, n, outbox.carried);
    }
    outbox.emit({ n });
    if (!together) await outbox.flush();
    await sleep(1);
  }
  await Promise.all([outbox.flush(), outbox.flush()]);
  return outbox.carried.published;
}
