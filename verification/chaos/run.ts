/** One fault after the other, each followed by its recovery, while traffic flows. */
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../src/engine/errors.ts';
import { settled } from './faults/brokers.ts';
import { FAULTS } from './faults/index.ts';
import { holdsWithin } from './faults/fault.ts';
import type { Kind, PlannedFault } from './plan.ts';
import type { World } from './world.ts';

/** ms from the end of a fault to the first progress of every partition. */
export const MUST_RECOVER_IN = 30_000;
/** ms for which a partition may stand because of a fault that is not its own. */
export const MAY_STAND = 5_000;
/** ms after which it is given up, and the next fault comes. */
const PATIENCE = 120_000;
const POLL = 20;

export interface Done {
  readonly kind: Kind | 'outage';
  readonly hit: boolean;
  readonly skipped: boolean;
  /** ms; undefined: not within the patience. */
  readonly recovery: number | undefined;
  /** ms, the longest for which a partition stood of which it was no fault; undefined: it was a fault of all. */
  readonly beside?: number | undefined;
  readonly counts: Readonly<Record<string, number>>;
}

export interface RunOptions {
  readonly plan: Iterator<PlannedFault, unknown>;
  /** Epoch ms: no fault begins afterwards. */
  readonly until: number;
  /** No more faults than these. */
  readonly most: number;
  readonly record: (what: object) => void;
  readonly say: (line: string) => void;
}

/** ms that it takes without any fault: what a recovery cannot be faster than. */
export async function baseline(world: World): Promise<number | undefined> {
  return recovered(world, { mark: world.traffic.eventTime, endedAt: Date.now() });
}

export async function runFaults(world: World, { plan, until, most, record, say }: RunOptions): Promise<Done[]> {
  const done: Done[] = [];
  for (let count = 0; count < most; count += 1) {
    await allStarted(world);
    const next = plan.next();
    if (next.done === true) break;
    const planned = next.value;
    await sleep(planned.pause);
    if (Date.now() >= until || world.traffic.exhausted) break;
    record({ event: 'begin', ...planned });
    const began = Date.now();
    const stalls = world.progress.watch(began);
    const outcome = await FAULTS[planned.kind](world, planned);
    const { hit, note, endedAt, counts = {} } = outcome;
    record({ event: 'end', index: planned.index, endedAt: new Date(endedAt).toISOString(), hit, note, counts });
    const watch = setInterval(
      () =>
        void diagnosis(world, outcome.mark).then((said) => record({ event: 'not yet', index: planned.index, ...said })),
      MUST_RECOVER_IN / 3,
    );
    const recovery = await recovered(world, outcome);
    clearInterval(watch);
    const beside =
      outcome.own === undefined
        ? undefined
        : Math.max(
            0,
            ...stalls(Date.now())
              .filter((_, partition) => !outcome.own?.includes(partition))
              .map((stall) => stall - (outcome.heldUp ?? 0)),
          );
    const slow = recovery === undefined || recovery > MUST_RECOVER_IN;
    record({ event: 'recovered', index: planned.index, recovery: recovery ?? null, own: outcome.own ?? 'all', beside });
    const took =
      recovery === undefined
        ? `NOT RECOVERED in ${PATIENCE / 1_000} s`
        : `recovered in ${(recovery / 1_000).toFixed(1)} s${slow ? ' TOO SLOW' : ''}`;
    const others =
      beside === undefined
        ? ''
        : `, others stood ${(beside / 1_000).toFixed(1)} s${beside > MAY_STAND ? ' TOO LONG' : ''}`;
    say(
      `${String(planned.index).padStart(4)} ${planned.kind.padEnd(24)} ${hit ? 'hit ' : 'miss'} ${((endedAt - began) / 1_000).toFixed(1).padStart(5)} s, ${took}${others}: ${note}`,
    );
    done.push({ kind: planned.kind, hit, skipped: note.startsWith('SKIPPED'), recovery, beside, counts });
  }
  return done;
}

/** ms from `endedAt`; undefined: not within the patience. */
export async function recovered(
  world: World,
  { mark, endedAt, also }: { mark: number; endedAt: number; also?: () => boolean },
): Promise<number | undefined> {
  const fine = await holdsWithin(PATIENCE, () => world.progress.behind(mark).length === 0 && (also?.() ?? true), POLL);
  return fine ? Date.now() - endedAt : undefined;
}

async function allStarted(world: World): Promise<void> {
  const started = await holdsWithin(PATIENCE, () =>
    [...world.slots, ...world.brokers, world.temporal].every(({ running }) => running),
  );
  if (!started) throw new Error('not everything runs again');
  if (!(await holdsWithin(PATIENCE, () => settled(world), 500))) throw new Error('not all replicas are in sync again');
}

/** What the parts say of themselves while it has not recovered. */
async function diagnosis(world: World, mark: number): Promise<object> {
  const open = await world.eye.open().catch((error: unknown) => messageOf(error));
  const waiting = await world.temporalEye.waiting().catch((error: unknown) => messageOf(error));
  const slots = await Promise.all(world.slots.map(async (slot) => [slot.name, await slot.ready()] as const));
  return { behind: world.progress.behind(mark), load: loadavg()[0], open, waiting, ...Object.fromEntries(slots) };
}
