/** What a fault is: it is done to the world and undone, and says what it hit. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlannedFault } from '../plan.ts';
import type { World } from '../world.ts';

export interface Outcome {
  /** When it ended: from here on it must recover. Epoch ms. */
  readonly endedAt: number;
  /** Event time at its end: what is newer was written afterwards. */
  readonly mark: number;
  /** Whether it met what it was aimed at. */
  readonly hit: boolean;
  /** Partitions that it was a fault of: all when absent. The others must not stand still because of it. */
  readonly own?: readonly number[];
  /** ms in which the brokers themselves hold up every partition, whoever writes to it. */
  readonly heldUp?: number;
  /** Further things that happened, counted over the run. */
  readonly counts?: Readonly<Record<string, number>>;
  /** For people. */
  readonly note: string;
  /** What must hold besides progress before it counts as recovered. */
  readonly also?: () => boolean;
}

export type Fault = (world: World, planned: PlannedFault) => Promise<Outcome>;

/** That it ends now. */
export function endOf({ traffic }: World): Pick<Outcome, 'endedAt' | 'mark'> {
  return { endedAt: Date.now(), mark: traffic.eventTime };
}

/** Polls until it holds, for at most `ms`; whether it did. */
export async function holdsWithin(ms: number, check: () => boolean | Promise<boolean>, poll = 100): Promise<boolean> {
  const until = Date.now() + ms;
  while (Date.now() < until) {
    if (await check()) return true;
    await sleep(poll);
  }
  return check();
}
