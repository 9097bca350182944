import { test } from 'node:test';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { sized } from '../support/size.ts';
import { startSystem } from '../support/system.ts';

/** Kills, each in the middle of the work. */
const ROUNDS = sized(4, 6);

test('worker and bridge killed with SIGKILL again and again: the output is exact', { timeout: 600_000 }, async (t) => {
  const system = await startSystem(t, { partitions: 4 });
  await system.produce(
    generateTraffic(
      trafficOptions({
        users: 300,
        events: sized(6_000, 15_000),
        seed: 3,
        start: Date.now() - 3 * 86_400_000,
        span: sized(480_000, 1_200_000),
        disorder: 15_000,
        duplicates: 0.05,
        pending: 0.02,
        old: 0.01,
        malformed: 0.02,
        tooLarge: false,
      }),
    ),
  );
  const expected = await system.expected();
  let [worker, bridge] = await Promise.all([system.start('worker'), system.start('bridge')]);
  for (let round = 0; round < ROUNDS; round += 1) {
    await system.outputsReach(((round + 0.5) / ROUNDS) * expected.outputs.length);
    if (round % 2 === 0) {
      worker.kill();
      worker = await system.start('worker');
    } else {
      bridge.kill();
      bridge = await system.start('bridge');
    }
    t.diagnostic(`round ${round}: ${system.outputs.length} of ${expected.outputs.length} outputs`);
  }
  await system.matches(expected, 300_000);
});

test(
  'two bridges and two workers share the work; one of each is killed; the others take over',
  { timeout: 600_000 },
  async (t) => {
    // The bridges run before anything is written: the while until then is no silence.
    const system = await startSystem(t, { partitions: 4, env: { ENRICHMENT_IDLE_TIMEOUT: '20s' } });
    const [worker, bridge] = await Promise.all([
      system.start('worker'),
      system.start('bridge'),
      system.start('worker'),
      system.start('bridge'),
    ]);
    await system.produce(
      generateTraffic(
        trafficOptions({
          users: 300,
          events: sized(5_000, 10_000),
          seed: 4,
          start: Date.now() - 3 * 86_400_000,
          span: sized(600_000, 1_200_000),
          disorder: 15_000,
          duplicates: 0.05,
          pending: 0.02,
          old: 0.01,
        }),
      ),
    );
    const expected = await system.expected();
    await system.outputsReach(0.3 * expected.outputs.length);
    t.diagnostic(`${system.outputs.length} of ${expected.outputs.length} outputs before the kill`);
    worker.kill();
    bridge.kill();
    const killedAt = Date.now();
    await system.matches(expected, 300_000);
    t.diagnostic(`complete ${Date.now() - killedAt} ms after the kill`);
  },
);

test(
  'a shard that moves to a new worker in the middle of publishing fails workflow tasks, never a workflow',
  { timeout: 600_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 4 });
    await system.produce(
      generateTraffic(
        trafficOptions({
          users: 200,
          events: sized(5_000, 12_000),
          seed: 11,
          start: Date.now() - 3 * 86_400_000,
          span: sized(300_000, 720_000),
          disorder: 15_000,
          duplicates: 0.05,
          pending: 0.02,
          old: 0.01,
        }),
      ),
    );
    const expected = await system.expected();
    await Promise.all([system.start('worker'), system.start('bridge')]);
    await Promise.all([system.start('worker'), system.start('bridge')]); // takes half of the shards while they are busy
    await system.matches(expected, 300_000);
  },
);
