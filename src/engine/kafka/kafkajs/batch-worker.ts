/**
 * In the place of kafkajs' worker, which hands one fetched batch after the other to the consumer. The original takes itself for busy for
 * a moment after it has found its queue empty; what another broker's answer puts there in that moment nobody ever takes, and the fetching
 * from that broker waits for it without end.
 */
interface Item<B> {
  readonly batch: B;
  resolve(): void;
  reject(error: unknown): void;
}

export interface BatchWorker<B> {
  /** Takes batches until `next` has none. One that runs goes on, and takes what has come meanwhile. */
  run(queue: { readonly next: () => Item<B> | undefined }): Promise<void>;
}

interface BatchWorkerOptions<B> {
  readonly handler: (batch: B, of: { readonly workerId: number }) => Promise<void>;
  readonly workerId: number;
}

export function batchWorker<B>({ handler, workerId }: BatchWorkerOptions<B>): BatchWorker<B> {
  let busy = false;
  return {
    async run({ next }) {
      if (busy) return;
      busy = true;
      for (let item = next(); item !== undefined; item = next()) {
        try {
          await handler(item.batch, { workerId });
          item.resolve();
        } catch (error) {
          item.reject(error);
        }
      }
      // Without an await since the queue was empty.
      busy = false;
    },
  };
}
