/**
 * Aiming at an open transaction of one process: it is stopped for a moment, and only if its transaction is still open
 * then, it is in the middle of one. Otherwise it goes on, and is tried again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenTransaction } from '../broker-eye.ts';
import type { Slot } from '../slot.ts';
import type { World } from '../world.ts';

const TRY_FOR = 6_000;
const POLL = 4;
/** ms in which a process that runs ends its transaction, and one that is stopped does not. */
const MOMENT = 120;

/** Leaves the process stopped (SIGSTOP). The transaction that it holds open, if there was one in time. */
export async function freezeInTransaction(world: World, slot: Slot): Promise<OpenTransaction | undefined> {
  const until = Date.now() + TRY_FOR;
  const mine = (id: string): boolean =>
    id.startsWith(`${world.app.appId}-${slot.role === 'worker' ? 'shard' : 'bridge'}-`);
  while (Date.now() < until) {
    const [seen] = (await openNow(world)).filter(({ transactionalId }) => mine(transactionalId));
    if (seen === undefined) {
      await sleep(POLL);
      continue;
    }
    slot.freeze();
    await sleep(MOMENT);
    const still = await isOpen(world, seen);
    if (still) return seen;
    const others = (await openNow(world)).filter(({ transactionalId }) => mine(transactionalId));
    for (const other of others) {
      await sleep(MOMENT);
      if (await isOpen(world, other)) return other;
    }
    slot.thaw();
    await sleep(MOMENT);
  }
  slot.freeze();
  return undefined;
}

/** What the broker says, nothing while it does not answer. */
export async function openNow({ eye }: World): Promise<OpenTransaction[]> {
  try {
    return await eye.open();
  } catch {
    return []; // away or loading: nothing can be aimed at
  }
}

async function isOpen(world: World, { transactionalId, startedAt }: OpenTransaction): Promise<boolean> {
  return (await openNow(world)).some((row) => row.transactionalId === transactionalId && row.startedAt === startedAt);
}
