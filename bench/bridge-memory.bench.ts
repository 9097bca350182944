/**
 * Memory of the bridge while it reads a long way behind: `node --import tsx --test bench/bridge-memory.bench.ts`.
 * EVENTS (500,000) of USERS (500) are in the topics before it starts; its RSS is sampled every second until all came out.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import { generateTraffic } from '../src/tools/generate/traffic.ts';
import { trafficOptions } from '../src/tools/generate/options.ts';
import { startSystem } from '../test/support/system.ts';

const EVENTS = Number(process.env['EVENTS'] ?? 500_000);
const USERS = Number(process.env['USERS'] ?? 500);

test(`the bridge's memory is flat while it reads ${EVENTS} events`, { timeout: 3_000_000 }, async (t) => {
  const system = await startSystem(t, { partitions: 4, countOnly: true });
  const traffic = trafficOptions({
    users: USERS,
    events: EVENTS,
    seed: 6,
    start: Date.now() - 20 * 86_400_000,
    span: EVENTS * 20,
    disorder: 15_000,
    duplicates: 0.02,
  });
  await system.produce(generateTraffic(traffic));
  await system.start('worker');
  const started = Date.now();
  const bridge = await system.start('bridge');
  const samples: number[] = [];
  let seen = -1;
  for (let still = 0; still < 15;) {
    await pause(1_000);
    samples.push(rss(bridge.pid));
    still = system.outputs.length === seen ? still + 1 : 0;
    seen = system.outputs.length;
    if (samples.length % 20 === 0) {
      console.error(
        `${Math.round((Date.now() - started) / 1000)} s: ${seen} outputs, bridge ${samples.at(-1)} MB, worker -`,
      );
    }
    if (seen === 0) still = 0;
  }
  const seconds = (Date.now() - started) / 1000 - 15;
  // The first part of the run fills buffers and the heap; flat means: the rest stays within 20 % of its median.
  const rest = samples.slice(Math.floor(samples.length / 4)).sort((a, b) => a - b);
  const median = rest[Math.floor(rest.length / 2)]!;
  t.diagnostic(
    `${seen} outputs in ${seconds.toFixed(0)} s; bridge RSS MB: min ${rest[0]}, median ${median}, max ${rest.at(-1)}; all samples max ${Math.max(...samples)}`,
  );
  assert.ok(rest.at(-1)! <= median * 1.2, 'memory is flat');
});

function rss(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/);
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}
