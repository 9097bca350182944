/**
 * How long users wait when a process ends: `node --import tsx --test bench/takeover.bench.ts`. Two bridges and two workers, steady
 * traffic of 100 users; a bridge or a worker is killed (SIGKILL) or told to stop (SIGTERM), and started anew afterwards. Told is the
 * longest time without an output in the 25 s after the signal, of the half of the output's partitions in which that was longest: those
 * of the process that ended. ROUNDS (3), ENDED (bridge, worker or both), HOW (SIGTERM, SIGKILL or both), KAFKA_SESSION_TIMEOUT (of the
 * product unless it is set).
 */
import { randomUUID } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { partitionOf } from '../src/engine/kafka/partitioner.ts';
import { eventually } from '../test/support/eventually.ts';
import { startSystem, type System } from '../test/support/system.ts';
import { money, timeEvents } from './events.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const PARTITIONS = 4;
/** ms between two money events of all users. */
const EVERY = 20;
const WAIT = 60_000;

test('takeovers', { timeout: 3_600_000 }, async (t) => {
  const system = await startSystem(t, {
    partitions: PARTITIONS,
    countOnly: true,
    env: {
      ENRICHMENT_OUT_OF_ORDERNESS: '200ms',
      ENRICHMENT_IDLE_TIMEOUT: '1s',
      KAFKA_SESSION_TIMEOUT: process.env['KAFKA_SESSION_TIMEOUT'] ?? '',
    },
  });
  const kinds = ['bridge', 'worker'] as const;
  const chosen = <T extends string>(all: readonly T[], name: string): T[] =>
    all.filter((one) => [one, undefined].includes(process.env[name] as T | undefined));
  const processes = { bridge: [], worker: [] } as Record<
    (typeof kinds)[number],
    Awaited<ReturnType<System['start']>>[]
  >;
  for (const kind of kinds) for (let n = 0; n < 2; n += 1) processes[kind].push(await system.start(kind));
  const traffic = startTraffic(t, system);
  await pause(15_000);
  for (const how of chosen(['SIGTERM', 'SIGKILL'] as const, 'HOW')) {
    for (const kind of chosen(kinds, 'ENDED')) {
      const all: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const ended = processes[kind].shift()!;
        const at = Date.now();
        process.kill(ended.pid, how);
        all.push(...(await traffic.waits(at)));
        processes[kind].push(await system.start(kind));
        await pause(15_000);
      }
      all.sort((a, b) => a - b);
      t.diagnostic(`${how} of a ${kind}: no output for ${all.map((ms) => (ms / 1_000).toFixed(1)).join(', ')} s`);
    }
  }
});

/** What comes out, by partition of the output. */
function startTraffic(t: TestContext, system: System): { waits(since: number): Promise<number[]> } {
  const users = Array.from({ length: 100 }, () => randomUUID());
  const seenAt: number[][] = Array.from({ length: PARTITIONS }, () => []);
  let seen = 0;
  const look = setInterval(() => {
    for (; seen < system.outputs.length; seen += 1) {
      const { key } = system.outputs[seen]!;
      seenAt[partitionOf(String(key), PARTITIONS)]!.push(Date.now());
    }
  }, 20);
  let stopped = false;
  const writing = (async () => {
    for (let tick = 0; !stopped; tick += 1) {
      const now = Date.now();
      const user = users[tick % users.length]!;
      await system.produce([money(user, now, {}), ...timeEvents(user, now)]);
      await pause(Math.max(0, EVERY - (Date.now() - now)));
    }
  })();
  t.after(async () => {
    stopped = true;
    clearInterval(look);
    await writing;
  });
  return {
    async waits(since) {
      // What was under way comes out yet: an interruption is the longest gap.
      const longestGap = (times: readonly number[]): number => {
        const after = [since, ...times.filter((at) => at > since)];
        return after.slice(1).reduce((longest, at, n) => Math.max(longest, at - after[n]!), 0);
      };
      await pause(25_000);
      await eventually(
        'all partitions go on',
        () => seenAt.every((times) => times.some((at) => at > Date.now() - 2_000)),
        WAIT,
      );
      return seenAt
        .map(longestGap)
        .sort((one, other) => other - one)
        .slice(0, PARTITIONS / 2);
    },
  };
}
