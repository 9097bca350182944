/**
 * A worker that is paused for longer than a workflow task has, again and again, while the workflow of a busy user publishes: its tasks are
 * given up, and go on in memory or begin again. Found: histories that could not be replayed, and a run that continued without signals.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { PROGRAM } from '../support/product.ts';
import { sized } from '../support/size.ts';
import { startSystem } from '../support/system.ts';

const EVENTS = sized(8_000, 12_000);
/** Of a producer's request, and ms between two. */
const CHUNK = 250;
const GAP = 500;
/** ms; a task has 10 s. */
const PAUSES = sized([10_300, 12_000], [10_300, 14_000, 9_000]);

test(
  'a worker that is paused for longer than a task while it publishes: output exact, and what was recorded replays',
  { timeout: 600_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 1 });
    const [worker] = await Promise.all([system.start('worker'), system.start('bridge')]);
    t.after(() => worker.running && process.kill(worker.pid, 'SIGCONT'));
    const records = [
      ...generateTraffic(
        trafficOptions({
          users: 1,
          events: EVENTS,
          seed: 5,
          start: Date.now() - 10 * 86_400_000,
          span: EVENTS * 25,
          disorder: 15_000,
          duplicates: 0.05,
          pending: 0.005,
          old: 0.005,
        }),
      ),
    ];
    const produced = (async () => {
      for (let at = 0; at < records.length; at += CHUNK) {
        await system.produce(records.slice(at, at + CHUNK));
        await wait(GAP);
      }
    })();
    for (const ms of PAUSES) {
      await wait(3_500);
      process.kill(worker.pid, 'SIGSTOP');
      await wait(ms);
      process.kill(worker.pid, 'SIGCONT');
    }
    await produced;
    const expected = await system.expected();
    await system.matches(expected, 300_000);
    const { userId } = expected.outputs[0]!;
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, 'replay', '--user', userId], {
      env: { ...process.env, ...system.env },
      maxBuffer: 10_000_000,
    });
    assert.match(stdout, /this code does what was recorded/);
  },
);
