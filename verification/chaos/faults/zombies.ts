/**
 * A process that is stopped for longer than its session and its transactions last, is taken for dead, and goes on. It
 * counts when another has taken over everything it had before it goes on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { freezeInTransaction } from './aim.ts';
import { endOf, holdsWithin } from './fault.ts';
import type { Fault } from './fault.ts';

/** ms: above the session time-out of the groups (6 s) and the transaction time-out (15 s). */
const AT_LEAST = 17_000;
const AT_MOST = 40_000;

const zombie: Fault = async (world, { kind, slot: number, lasts }) => {
  const role = kind === 'zombie-worker' ? 'worker' : 'bridge';
  const slot = world.slot(role, number);
  const other = world.slot(role, number === 1 ? 2 : 1);
  const held = world.app.metrics.held[role];
  const had = (await slot.metric(held)) ?? 0;
  const transaction = await freezeInTransaction(world, slot);
  const stoppedAt = Date.now();
  const hasAll = async (): Promise<boolean> => (await other.metric(held)) === world.partitions;
  const takenOver = await holdsWithin(AT_MOST, hasAll, 200);
  const tookOver = Date.now() - stoppedAt;
  await sleep(Math.max(0, stoppedAt + AT_LEAST + lasts / 4 - Date.now()));
  slot.thaw();
  const hit = takenOver && had > 0;
  return {
    ...endOf(world),
    hit,
    counts: {
      'zombies resumed after a takeover': hit ? 1 : 0,
      'zombies with a transaction open when stopped': transaction === undefined ? 0 : 1,
    },
    note: `${slot.name} stopped for ${Math.round((Date.now() - stoppedAt) / 1_000)} s with ${had} of ${world.partitions}, ${transaction === undefined ? 'no transaction open' : `${transaction.transactionalId} open`}, ${takenOver ? `taken over after ${tookOver} ms` : 'not taken over'}`,
  };
};

export const zombies = { 'zombie-worker': zombie, 'zombie-bridge': zombie } satisfies Record<string, Fault>;
