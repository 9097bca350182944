import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import { join } from 'node:path';
import { openDataFolder } from '../../src/dev/data-folder.ts';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { startTemporalServer } from '../../src/dev/temporal-server.ts';
import type { ProductProcess } from '../../src/dev/product.ts';
import { eventually } from '../support/eventually.ts';
import { sharedCluster } from '../support/cluster.ts';
import { ownBroker } from '../support/own-broker.ts';
import { startSystem } from '../support/system.ts';

const log = (line: string) => console.error(line);
/** ms; a member's session has 6 s, a workflow task 10 s, a transaction 15 s. */
const AWAY = 25_000;

function traffic(seed: number, events: number) {
  return generateTraffic(
    trafficOptions({
      users: 200,
      events,
      seed,
      start: Date.now() - 3 * 86_400_000,
      span: events * 60,
      disorder: 15_000,
      duplicates: 0.05,
      pending: 0.02,
      old: 0.01,
      malformed: 0.02,
      tooLarge: false,
    }),
  );
}

test(
  'workers and bridges that were stopped for longer than their session and go on afterwards change nothing',
  { timeout: 400_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 4 });
    await system.produce(traffic(11, 12_000));
    const expected = await system.expected();
    const [worker, bridge] = await Promise.all([system.start('worker'), system.start('bridge')]);
    await Promise.all([system.start('worker'), system.start('bridge')]);
    await system.outputsReach(expected.outputs.length / 4);
    process.kill(worker.pid, 'SIGSTOP');
    process.kill(bridge.pid, 'SIGSTOP');
    t.diagnostic(`stopped at ${system.outputs.length} of ${expected.outputs.length} outputs`);
    await pause(AWAY);
    t.diagnostic(`going on at ${system.outputs.length} of ${expected.outputs.length} outputs`);
    process.kill(worker.pid, 'SIGCONT');
    process.kill(bridge.pid, 'SIGCONT');
    await system.matches(expected, 200_000);
    await pause(8_000);
    await system.matches(expected);
  },
);

test(
  'a broker killed in the middle of transactions, and started again: the output is exact',
  { timeout: 400_000 },
  async (t) => {
    const { broker, cluster } = await ownBroker();
    const system = await startSystem(t, { partitions: 4, cluster });
    await system.produce(traffic(12, 12_000));
    const expected = await system.expected();
    const processes = await Promise.all([system.start('worker'), system.start('bridge')]);
    for (let round = 0; round < 3; round += 1) {
      await system.outputsReach(((round + 0.5) / 3) * expected.outputs.length);
      t.diagnostic(`broker killed at ${system.outputs.length} of ${expected.outputs.length} outputs`);
      if (round < 2) await broker.restart(1_000 + 3_000 * round);
      else await broker.restart(0, () => eventually('/readyz names kafka', () => allName(processes, 'kafka'), 60_000));
    }
    await system.matches(expected, 200_000);
  },
);

test(
  'a Temporal server killed in the middle of tasks, and started again from its file: the output is exact',
  { timeout: 400_000 },
  async (t) => {
    const { brokers } = await sharedCluster();
    const folder = await openDataFolder();
    const dataDir = join(folder.path, 'temporal');
    let server = await startTemporalServer({ dataDir, log });
    const port = Number(server.address.split(':')[1]);
    const release = async () => {
      await server.stop();
      await folder.release();
    };
    const system = await startSystem(t, { partitions: 2, cluster: { brokers, temporal: server.address, release } });
    await system.produce(traffic(13, 6_000));
    const expected = await system.expected();
    const processes = await Promise.all([system.start('worker'), system.start('bridge')]);
    for (let round = 0; round < 2; round += 1) {
      await system.outputsReach(((round + 0.5) / 2) * expected.outputs.length);
      t.diagnostic(`Temporal killed at ${system.outputs.length} of ${expected.outputs.length} outputs`);
      server.kill();
      await server.exited;
      if (round === 0) await pause(2_000);
      else await eventually('/readyz names temporal', () => allName(processes, 'temporal'), 60_000);
      server = await startTemporalServer({ dataDir, port, log });
    }
    await system.matches(expected, 240_000);
  },
);

/** Whether all say that this part is away, and that they are alive. */
async function allName(processes: readonly ProductProcess[], part: string): Promise<boolean> {
  const named = await Promise.all(
    processes.map(async ({ httpUrl }) => {
      const { parts } = (await (await fetch(`${httpUrl}/readyz`)).json()) as {
        parts: Record<string, { ready: boolean }>;
      };
      assert.equal((await fetch(`${httpUrl}/healthz`)).status, 200);
      return parts[part]?.ready === false;
    }),
  );
  return named.every(Boolean);
}
