import { test } from 'node:test';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { startSystem } from '../support/system.ts';

test('a few thousand events of every kind come out as the model says', { timeout: 300_000 }, async (t) => {
  const system = await startSystem(t, { partitions: 2 });
  // Before the bridge starts: what is late depends on the merged order of reading, and so needs all records to be there.
  await system.produce(
    generateTraffic(
      trafficOptions({
        users: 50,
        events: 3_000,
        seed: 1,
        start: Date.now() - 7 * 86_400_000,
        disorder: 15_000,
        duplicates: 0.05,
        old: 0.02,
        pending: 0.02,
        late: 0.02,
        expiredSessions: 0.02,
        malformed: 0.02,
        tooLarge: false,
      }),
    ),
  );
  await Promise.all([system.start('worker'), system.start('bridge')]);
  await system.matches(await system.expected());
});
