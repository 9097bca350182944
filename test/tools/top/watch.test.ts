import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupHandlers, KafkaPort } from '../../../src/engine/kafka/port.ts';
import { loadConfig } from '../../../src/money/config.ts';
import { watchKafka } from '../../../src/tools/top/watch.ts';

test('a member that an outage has ended joins again, until the view is closed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const joined: GroupHandlers[] = [];
  let away = false;
  const kafka = {
    partitionCounts: async (topics: readonly string[]) => topics.map(() => 1),
    joinGroup: () => ({
      async start(handlers: GroupHandlers) {
        joined.push(handlers);
        if (away) throw new Error('no broker');
      },
      stop: async () => undefined,
    }),
  } as unknown as KafkaPort;
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 10; n += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const watch = await watchKafka(kafka, loadConfig({}), () => 0);
  assert.equal(joined.length, 1);

  away = true;
  joined[0]!.onCrash(new Error('the session has timed out'));
  t.mock.timers.tick(5_000);
  await settle();
  assert.equal(joined.length, 2, 'it has tried, in vain');
  away = false;
  t.mock.timers.tick(5_000);
  await settle();
  assert.equal(joined.length, 3);
  t.mock.timers.tick(60_000);
  await settle();
  assert.equal(joined.length, 3, 'it is there');

  await watch.close();
  joined[2]!.onCrash(new Error('closed'));
  t.mock.timers.tick(60_000);
  await settle();
  assert.equal(joined.length, 3);
});
