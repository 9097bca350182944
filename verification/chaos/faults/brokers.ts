/**
 * What happens to one of several brokers, and what its operator does: leaders that move, restarts in turn, too few
 * replicas in sync, coordinators elsewhere, a partition that nobody leads.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { bridgeGroupOf, shardGroupOf } from '../../../src/engine/naming.ts';
import { topicsOf } from '../apps/app.ts';
import { coordinatorPartition, INTERNAL, lineUp, OFFSETS, TRANSACTIONS } from '../cluster.ts';
import type { Partition } from '../cluster.ts';
import type { World } from '../world.ts';
import { endOf, holdsWithin } from './fault.ts';
import type { Fault } from './fault.ts';

const IN_SYNC_IN = 60_000;
/** ms in which a broker that stops is out of the replicas in sync, and a leader is found or missed. */
const NOTICED_IN = 20_000;

/** Whether every replica of everything is in sync; then leaders are made what they were at the beginning. */
export async function settled(world: World): Promise<boolean> {
  const rows = await world.cluster.partitions([...topicsOf(world.app), ...INTERNAL]);
  const whole = rows.every(({ replicas, inSync, leader }) => inSync.length === replicas.length && leader >= 0);
  if (whole) await lineUp(world.cluster, topicsOf(world.app), world.brokers.length);
  return whole;
}

/**
 * Partitions that lose something with a broker: a leader of theirs in one of the topics, or the coordinator of their
 * bridge's or their worker's transactions; all of them, where it is the coordinator of the groups.
 */
export async function dependingOn(world: World, broker: number): Promise<number[]> {
  const { appId } = world.app;
  const rows = await world.cluster.partitions([...topicsOf(world.app), ...INTERNAL]);
  const led = new Set(
    rows.filter(({ leader, topic }) => leader === broker && !isInternal(topic)).map(({ partition }) => partition),
  );
  const coordinates = (topic: string, id: string): boolean => {
    const own = rows.filter((row) => row.topic === topic);
    return own[coordinatorIndex(own, id)]?.leader === broker;
  };
  const all = [...Array(world.partitions).keys()];
  if ([bridgeGroupOf(appId), shardGroupOf(appId)].some((group) => coordinates(OFFSETS, group))) return all;
  return all.filter(
    (partition) =>
      led.has(partition) ||
      ['bridge', 'shard'].some((role) => coordinates(TRANSACTIONS, `${appId}-${role}-${partition}`)),
  );
}

/** A broker that still catches up after an earlier fault cannot lead yet: it is asked until it does. */
const moveLeader: Fault = async (world, { form }) => {
  const topics = [...topicsOf(world.app), ...INTERNAL];
  const topic = topics[form % topics.length]!;
  const one = form % world.partitions;
  const look = async (): Promise<Partition[]> =>
    (await world.cluster.partitions([topic])).filter(({ partition }) => isInternal(topic) || partition === one);
  const rows = await look();
  const moved = (now: readonly Partition[]): Partition[] =>
    rows.filter(({ partition, leader }) => now.some((row) => row.partition === partition && row.leader !== leader));
  let left: Partition[] = [];
  await holdsWithin(NOTICED_IN, async () => {
    await world.cluster.place(rows.map((row) => ({ ...row, replicas: withLast(row.replicas, row.leader) })));
    left = moved(await look());
    return left.length > 0;
  });
  return {
    ...endOf(world),
    hit: left.length > 0,
    ...(isInternal(topic) ? {} : { own: [one] }),
    note:
      left.map(({ partition, leader }) => `${topic}-${partition} left broker ${leader + 1}`).join(', ') ||
      `no leader of ${topic} moved`,
  };
};

const rollingRestartBrokers: Fault = async (world) => {
  let whole = true;
  for (const broker of world.brokers) {
    await broker.terminate();
    await broker.start();
    whole = (await holdsWithin(IN_SYNC_IN, () => settled(world), 500)) && whole;
  }
  return {
    ...endOf(world),
    hit: true,
    note: `each broker stopped by SIGTERM and started again${whole ? ', all replicas in sync before the next' : ', not always in sync in time'}`,
  };
};

/**
 * With two of three nodes away there is no controller either, and nothing is decided at all: that is one of the forms.
 * In the others three replicas are asked for of some topics, and one broker stops.
 */
const isrBelowMinimum: Fault = async (world, { form, lasts }) => {
  const { topics } = world.app;
  const forms = [
    [topics.output, topics.ledger],
    [topics.deadLetter],
    topics.inputs,
    [TRANSACTIONS],
    [OFFSETS],
    undefined,
  ];
  const chosen = forms[form % forms.length];
  const first = Math.floor(form / forms.length) % world.brokers.length;
  if (chosen === undefined) {
    const gone = world.brokers.filter((_, index) => index !== first);
    await Promise.all(gone.map((broker) => broker.kill()));
    await sleep(lasts);
    await Promise.all(gone.map((broker) => broker.start()));
    return { ...endOf(world), hit: true, note: `all brokers but ${first + 1} killed for ${lasts} ms` };
  }
  const broker = world.brokers[first]!;
  for (const topic of chosen) await world.cluster.setting(topic, 'min.insync.replicas', '3');
  await broker.terminate();
  const below = async (): Promise<boolean> =>
    (await world.cluster.partitions(chosen)).every(({ inSync }) => inSync.length < 3);
  const hit = await holdsWithin(NOTICED_IN, below);
  await sleep(lasts);
  await broker.start();
  for (const topic of chosen) {
    await world.cluster.setting(topic, 'min.insync.replicas', isInternal(topic) ? undefined : '2');
  }
  return {
    ...endOf(world),
    hit,
    note: `${chosen.join(', ')}: two replicas in sync of three that must be, for ${lasts} ms and the start of broker ${first + 1}`,
  };
};

const coordinatorMoves: Fault = async (world, { form, lasts, role }) => {
  const { appId } = world.app;
  const group = form % 2 === 0;
  const topic = group ? OFFSETS : TRANSACTIONS;
  const id = group
    ? role === 'bridge'
      ? bridgeGroupOf(appId)
      : shardGroupOf(appId)
    : `${appId}-${role === 'bridge' ? 'bridge' : 'shard'}-${form % world.partitions}`;
  const find = async (): Promise<number> => {
    const rows = await world.cluster.partitions([topic]);
    return rows[coordinatorIndex(rows, id)]?.leader ?? -1;
  };
  const before = await find();
  const broker = world.brokers[before];
  const killed = Math.floor(form / 2) % 2 === 0;
  await (killed ? broker?.kill() : broker?.terminate());
  const moved = await holdsWithin(NOTICED_IN, async () => ![before, -1].includes(await find()));
  await sleep(lasts / 2);
  await broker?.start();
  return {
    ...endOf(world),
    hit: moved,
    note: `broker ${before + 1}, the coordinator of ${id}, ${killed ? 'killed' : 'stopped'}${moved ? `; then it was ${(await find()) + 1}` : '; no other took over'}`,
  };
};

/** It has one replica only for a while, and the broker of that stops; all else that it leads goes on elsewhere. */
const partitionWithoutLeader: Fault = async (world, { form, lasts }) => {
  const topics = topicsOf(world.app);
  const topic = topics[form % topics.length]!;
  const one = Math.floor(form / topics.length) % world.partitions;
  const find = async (): Promise<Partition> =>
    (await world.cluster.partitions([topic])).find(({ partition }) => partition === one)!;
  const { replicas } = await find();
  const only = replicas[0]!;
  await world.cluster.place([{ topic, partition: one, replicas: [only] }]);
  await holdsWithin(NOTICED_IN, async () => (await find()).replicas.length === 1);
  const broker = world.brokers[only]!;
  await broker.terminate();
  const hit = await holdsWithin(NOTICED_IN, async () => (await find()).leader === -1);
  await sleep(2 * lasts);
  await broker.start();
  await world.cluster.place([{ topic, partition: one, replicas }]);
  await holdsWithin(IN_SYNC_IN, async () => (await find()).inSync.length === replicas.length);
  return {
    ...endOf(world),
    hit,
    own: [one],
    note: `${topic}-${one} ${hit ? 'had no leader' : 'kept its leader'} for ${2 * lasts} ms and the start of broker ${only + 1}`,
  };
};

function withLast(replicas: readonly number[], last: number): number[] {
  return [...replicas.filter((one) => one !== last), ...replicas.filter((one) => one === last)];
}

function isInternal(topic: string): boolean {
  return topic.startsWith('__');
}

function coordinatorIndex(rows: readonly Partition[], id: string): number {
  const wanted = coordinatorPartition(id, rows.length);
  return rows.findIndex(({ partition }) => partition === wanted);
}

export const brokerFaults = {
  'move-leader': moveLeader,
  'rolling-restart-brokers': rollingRestartBrokers,
  'isr-below-minimum': isrBelowMinimum,
  'coordinator-moves': coordinatorMoves,
  'partition-without-leader': partitionWithoutLeader,
} satisfies Record<string, Fault>;
