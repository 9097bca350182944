import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { stayingStopped } from '../../../../src/engine/kafka/kafkajs/fetch-manager.ts';
import type { CreateFetchManager } from '../../../../src/engine/kafka/kafkajs/fetch-manager.ts';

interface Options {
  readonly logger: unknown;
  readonly getNodeIds: () => string[];
  readonly handler: () => Promise<void>;
  readonly fetch: (nodeId: string) => Promise<unknown[]>;
}

const original = createRequire(import.meta.url)('kafkajs/src/consumer/fetchManager') as CreateFetchManager<Options>;
const quiet = { namespace: () => quiet, debug: () => undefined, info: () => undefined };
/** What no consumer does in a moment: it would never come to an end. */
const TOO_MANY = 1_000;

/** A consumer is stopped just when one of two brokers has gone. How often is fetched afterwards? */
async function fetchesAfterStop(create: CreateFetchManager<Options>): Promise<number> {
  let nodes = ['1', '2'];
  let running = true;
  let after = 0;
  let answer: () => void = () => undefined;
  const manager = create({
    logger: quiet,
    getNodeIds: () => nodes,
    handler: async () => undefined,
    async fetch(nodeId) {
      if (running) {
        if (nodeId === '1') await new Promise<void>((resolve) => (answer = resolve));
        else nodes = ['1'];
        return [];
      }
      after += 1;
      if (after > TOO_MANY) throw new Error('without an end');
      return []; // as Runner.fetch of kafkajs does
    },
  });
  const ended = manager.start().catch(() => undefined);
  await new Promise(setImmediate); // broker 2 is missed, and its fetcher waits for that of broker 1 to end
  running = false;
  const stopped = manager.stop();
  answer();
  await Promise.all([ended, stopped]);
  return after;
}

test('a consumer that is stopped while a broker goes does not turn in a circle without an end', async () => {
  assert.equal(await fetchesAfterStop(stayingStopped(original)), 0);
  assert.ok((await fetchesAfterStop(original)) > TOO_MANY, 'kafkajs itself does');
});
