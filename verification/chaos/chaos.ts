/** A whole run: start everything, faults under traffic, settle, judge, report. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { unlessAborted } from '../../src/dev/together.ts';
import { createApp } from './apps/index.ts';
import type { ChaosOptions } from './options.ts';
import { outage, overload, timesTooMuch } from './outage.ts';
import type { Watched } from './outage.ts';
import { planOf, recorder } from './plan.ts';
import type { PlannedFault } from './plan.ts';
import { dragging, reportOf, slowOnes } from './report.ts';
import type { Facts } from './report.ts';
import { baseline, runFaults } from './run.ts';
import type { Done } from './run.ts';
import { settle } from './settle.ts';
import type { Settled } from './settle.ts';
import { startWorld } from './world.ts';
import type { World } from './world.ts';

const PARTITIONS = 4;
const SAMPLE_MS = 2_000;
/** There is traffic for the last recoveries as well. */
const SPARE_SECONDS = 600;
/** Of the broker's disk: few enough to be filled; or enough for ten minutes of more than can be done. */
const DISK_MEGABYTES = 1_500;
const FLOOD_MEGABYTES = 8_000;

export interface ChaosResult {
  readonly ok: boolean;
  readonly done: readonly Done[];
  readonly settled: Settled;
  readonly report: string;
}

export interface ChaosRun extends Omit<ChaosOptions, 'out'> {
  /** Folder for logs and the record of the run. */
  readonly out: string;
  /** What follows from the seed, when absent. */
  readonly plan?: Iterator<PlannedFault, unknown>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Errors: when the run itself cannot go on, or is aborted; nothing is left running then. */
export async function chaos({ say, signal, plan, ...options }: ChaosRun): Promise<ChaosResult> {
  const { seed, minutes, out } = options;
  mkdirSync(out, { recursive: true });
  const record = recorder(join(out, 'record.jsonl'));
  const unasked: string[] = [];
  record({ event: 'run', ...options });
  say(`seed ${seed}; logs and the record of the run: ${out}`);
  const world = await startWorld({
    app: await createApp[options.app]({ ...options, partitions: PARTITIONS, seconds: secondsOf(options) }),
    partitions: PARTITIONS,
    out,
    signal,
    brokers: options.brokers,
    megabytes: options.overload === undefined ? DISK_MEGABYTES : FLOOD_MEGABYTES,
    onUnasked: (what) => {
      unasked.push(what);
      record({ event: 'unasked', what });
      appendFileSync(join(out, 'unasked.log'), `${new Date().toISOString()} ${what}\n`);
    },
  });
  const memory = watchMemory(world);
  try {
    return await unlessAborted(signal, work());
  } finally {
    memory.stop();
    await world.stop();
  }

  async function work(): Promise<ChaosResult> {
    const began = Date.now();
    const normal = options.overload === undefined ? await baseline(world) : undefined;
    if (options.overload === undefined) {
      say(
        `everything runs; an event takes ${normal === undefined ? 'for ever' : `${normal} ms`} to come out without a fault`,
      );
    }
    const until = began + minutes * 60_000;
    const { done, seen } = await Promise.race([scenario(until), world.follower.failed]);
    const lasted = Date.now() - began;
    const { longestStall, longestStallOfOne } = world.progress;
    const settled = await settle(world, {
      say,
      patience: options.patience,
      givenUp: options.outage?.part === 'service',
    });
    const facts: Facts = {
      seed,
      lasted,
      baseline: normal,
      done,
      seen:
        options.overload === undefined
          ? seen
          : [...seen, timesTooMuch(settled.inputs, lasted, lasted + settled.drained)],
      longestStall,
      longestStallOfOne,
      repeated: world.traffic.repeated,
      unasked,
      processes: [...world.slots, world.visitor].map(({ name, lines }) => ({
        name,
        lines,
        memory: memory.highest.get(name) ?? 0,
      })),
    };
    const report = reportOf(facts, settled);
    record({ event: 'report', report });
    return {
      ok: settled.verdict.ok && slowOnes(done).length === 0 && dragging(done).length === 0,
      done,
      settled,
      report,
    };
  }

  async function scenario(until: number): Promise<Watched> {
    if (options.outage !== undefined) return outage(world, options.outage.part, options.outage.lasts, { record, say });
    if (options.overload !== undefined) return overload(world, options.overload, { record, say });
    return {
      done: await runFaults(world, {
        plan: plan ?? planOf(seed, options.kinds, options.pause),
        until,
        most: options.faults,
        record,
        say,
      }),
      seen: [],
    };
  }
}

function secondsOf({
  minutes,
  outage: away,
  overload: flood,
}: Pick<ChaosOptions, 'minutes' | 'outage' | 'overload'>): number {
  if (flood !== undefined) return flood / 1_000;
  return (away === undefined ? minutes * 60 : away.lasts / 1_000) + SPARE_SECONDS;
}

function watchMemory({ slots, visitor }: World) {
  const highest = new Map<string, number>();
  const timer = setInterval(() => {
    for (const slot of [...slots, visitor]) {
      highest.set(slot.name, Math.max(highest.get(slot.name) ?? 0, slot.memory()));
    }
  }, SAMPLE_MS);
  return { highest, stop: () => clearInterval(timer) };
}
