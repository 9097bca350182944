/** SIGKILL and restart of each process; where there are transactions, in the middle of one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { FENCED_AFTER } from '../../../src/dev/kafka-settings.ts';
import { freezeInTransaction, openNow } from './aim.ts';
import { dependingOn } from './brokers.ts';
import { endOf } from './fault.ts';
import type { Fault } from './fault.ts';

const AIM_FOR = 4_000;
/** ms since the last output: Temporal was in the middle of tasks. */
const BUSY = 1_000;

const killProcess: Fault = async (world, { kind, slot: number }) => {
  const slot = world.slot(kind === 'kill-worker' ? 'worker' : 'bridge', number);
  const transaction = await freezeInTransaction(world, slot);
  await slot.kill();
  const end = endOf(world);
  void slot.start();
  const hit = transaction !== undefined;
  return {
    ...end,
    hit,
    counts: { 'kills inside an open transaction': hit ? 1 : 0 },
    note: `${slot.name} killed ${hit ? `in transaction of ${transaction.transactionalId} over ${transaction.topics.join(', ')}` : 'with no transaction open'}`,
  };
};

const killBroker: Fault = async (world, { lasts, form }) => {
  const until = Date.now() + AIM_FOR;
  let open = await openNow(world);
  while (open.length === 0 && Date.now() < until) {
    await sleep(2);
    open = await openNow(world);
  }
  const index = open[0]?.broker ?? form % world.brokers.length;
  const broker = world.brokers[index]!;
  const own = await dependingOn(world, index);
  await broker.kill();
  await sleep(lasts / 2);
  await broker.start();
  const hit = open.length > 0;
  return {
    ...endOf(world),
    hit,
    own,
    heldUp: world.brokers.length > 1 ? FENCED_AFTER : 0,
    counts: { 'kills inside an open transaction': hit ? 1 : 0 },
    note: `broker ${index + 1} killed with ${open.length} transactions open, away for ${Math.round(lasts / 2)} ms and its start`,
  };
};

const killTemporal: Fault = async (world, { lasts }) => {
  const idle = Date.now() - world.progress.lastAt;
  await world.temporal.kill();
  await sleep(lasts / 2);
  await world.temporal.start();
  return {
    ...endOf(world),
    hit: idle < BUSY,
    note: `Temporal killed ${idle} ms after an output, away for ${Math.round(lasts / 2)} ms and its start`,
  };
};

export const kills = {
  'kill-worker': killProcess,
  'kill-bridge': killProcess,
  'kill-broker': killBroker,
  'kill-temporal': killTemporal,
} satisfies Record<string, Fault>;
