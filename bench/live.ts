/** A round of the product: what is in its topics while it runs comes out exactly, and what that took. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { trafficOptions } from '../src/tools/generate/options.ts';
import { generateTraffic } from '../src/tools/generate/traffic.ts';
import { startSystem, type ProducedRecord, type System } from '../test/support/system.ts';
import { money, record, timeEvents } from './events.ts';
import { readMetrics, sumOf, type Sample } from './prometheus.ts';
import { actionsIn, Window, type Figures } from './round.ts';
import type { Servers } from './servers.ts';
import type { Build } from './sides.ts';

export interface LiveLoad {
  /** Records, of all three inputs. */
  readonly events: number;
  readonly users: number;
  /** Each user had a session and a money event an hour before. */
  readonly returning: boolean;
  /** One money event of each user, in place of traffic: a touch each. */
  readonly oneEach?: boolean;
}

const PARTITIONS = 4;
const HOUR = 3_600_000;
const TIMEOUT = 1_200_000;
/** 250 workflows of each of 4 shards, at 0.2 MB each; what 0.2 had, always. */
const CACHE_OF_THE_BARE_TOUCH = { ENRICHMENT_WORKFLOW_CACHE_MB: '200' };
/** ms of event time by which what follows releases what is held. */
const BEHIND = 30_000;
/** ms for the processes to come to rest before the clock runs. */
const REST = 3_000;

export async function liveRound(build: Build, load: LiveLoad, servers: Servers, seed: number): Promise<Figures> {
  const undo: (() => unknown)[] = [];
  const t = { after: (step?: unknown) => void undo.push(step as () => unknown) };
  const log = (line: string): void => console.error(`  ${build.name} ${line}`);
  try {
    const system = await startSystem(t, {
      partitions: PARTITIONS,
      countOnly: true,
      env: { ...(load.oneEach && CACHE_OF_THE_BARE_TOUCH), ...build.env },
      cluster: { brokers: servers.brokers, temporal: servers.temporal },
    });
    const command = [process.execPath, build.program] as const;
    const [worker, bridge] = await Promise.all([
      system.start('worker', { command, log }),
      system.start('bridge', { command, log }),
    ]);
    const { records, users, outputs, from } = traffic(load, seed);
    if (load.returning) await prepare(system, users, from - HOUR);
    await sleep(REST);

    const urls = [worker, bridge].map(({ httpUrl }) => `${httpUrl}/metrics`);
    const before = await countsOf(urls, servers);
    const outputsBefore = system.outputs.length;
    const unit = load.oneEach ? 'touch' : 'event';
    const window = new Window({ ...servers.pids, worker: worker.pid, bridge: bridge.pid });
    await system.produce(records);
    await system.produce(closing(records.at(-1)!.timestamp + BEHIND, users));
    await window.until(outputsBefore + outputs, () => system.outputs.length, TIMEOUT);
    const figures = window.figures(unit, load.oneEach ? outputs : records.length);
    const after = await countsOf(urls, servers);

    await system.matches(await system.expected());
    const per = load.oneEach ? outputs : records.length / 1_000;
    const counted = Object.entries(after).map(([name, count]) => [
      `${name} ${load.oneEach ? 'a touch' : 'per 1,000 events'}`,
      (count - before[name]!) / per,
    ]);
    return { ...figures, ...(Object.fromEntries(counted) as Figures) };
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

interface Traffic {
  /** In the order of their timestamps. */
  readonly records: readonly ProducedRecord[];
  readonly users: readonly string[];
  /** That will come out. */
  readonly outputs: number;
  /** Kafka timestamp of the first record. */
  readonly from: number;
}

function traffic({ events, users, oneEach }: LiveLoad, seed: number): Traffic {
  if (oneEach) {
    const from = Date.now() - 120_000;
    const ids = Array.from({ length: users }, () => randomUUID());
    const records = ids.map((userId, n) => money(userId, from + Math.floor((n * 10_000) / users), {}));
    return { records, users: ids, outputs: records.length, from };
  }
  const options = trafficOptions({ users, events, seed, start: 0, duplicates: 0 });
  const from = Date.now() - options.span - 120_000;
  const records = [...generateTraffic({ ...options, start: from })];
  return {
    records,
    users: [...new Set(records.map(({ key }) => JSON.parse(String(key)) as string))],
    outputs: records.filter(({ value }) => String(value).includes('"moneyType"')).length,
    from: records[0]!.timestamp,
  };
}

/** A session and a money event of each user, all of them out. */
async function prepare(system: System, users: readonly string[], at: number): Promise<void> {
  await system.produce(
    users.flatMap((userId, n) => {
      const sessionId = randomUUID();
      return [
        record('session', userId, at + n, { type: 'UserSessionCreatedEvent', id: sessionId, clientCountryCode: 'UY' }),
        money(userId, at + n + 1, { userSessionId: sessionId }),
      ];
    }),
  );
  await system.produce(closing(at + users.length + BEHIND, users));
  await system.outputsReach(users.length, TIMEOUT);
}

/** One record for each input and partition that says what time it is, by users of that partition. */
function closing(timestamp: number, users: readonly string[]): ProducedRecord[] {
  // Some users of each partition are among so many.
  return users.slice(0, 20 * PARTITIONS).flatMap((userId) => timeEvents(userId, timestamp));
}

async function countsOf(urls: readonly string[], servers: Servers): Promise<Record<string, number>> {
  const own = (await Promise.all(urls.map(readMetrics))).flatMap((samples): readonly Sample[] => samples ?? []);
  return {
    touches: sumOf(own, 'money_enrichment_signals_total'),
    transactions: sumOf(own, 'money_enrichment_transactions_total', { outcome: 'committed' }),
    replays: sumOf(own, 'money_enrichment_replay_seconds_count'),
    actions: actionsIn(await servers.temporalMetrics()),
  };
}
