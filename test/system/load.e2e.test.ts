import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { sized } from '../support/size.ts';
import { startSystem } from '../support/system.ts';

const EVENTS = sized(6_000, 20_000);

test(
  `${EVENTS} events of 500 users over 4 partitions, a tenth of them unusable, equal the model digit by digit`,
  { timeout: 600_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 4 });
    await system.produce(
      generateTraffic(
        trafficOptions({
          users: 500,
          events: EVENTS,
          seed: 2,
          start: Date.now() - 86_400_000,
          span: EVENTS * 60,
          disorder: 15_000,
          duplicates: 0.05,
          pending: 0.01,
          malformed: 0.11,
        }),
      ),
    );
    const started = Date.now();
    await Promise.all([system.start('worker'), system.start('bridge')]);
    const expected = await system.expected();
    assert.ok(expected.deadLetters.length >= EVENTS * 0.095, `${expected.deadLetters.length} unusable records`);
    await system.matches(expected, 400_000);
    t.diagnostic(`${expected.outputs.length} outputs in ${Date.now() - started} ms`);
  },
);
