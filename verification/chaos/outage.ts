/** One part away for long; or more input than the machine can do. What the product says of itself meanwhile is watched. */
import { setTimeout as sleep } from 'node:timers/promises';
import { recovered } from './run.ts';
import type { Done } from './run.ts';
import type { World } from './world.ts';

export const PARTS = ['kafka', 'temporal', 'service'] as const;
export type Part = (typeof PARTS)[number];

export interface Watched {
  readonly done: readonly Done[];
  /** What was seen, for the report. */
  readonly seen: readonly string[];
}

interface Tools {
  readonly record: (what: object) => void;
  readonly say: (line: string) => void;
}

const POLL_MS = 2_000;
/** ms of good times before it. */
const BEFORE = 15_000;

export async function outage(world: World, part: Part, lasts: number, { record, say }: Tools): Promise<Watched> {
  await sleep(BEFORE);
  const before = world.slots.map(({ lines }) => lines);
  say(`${part} is away for ${lasts / 1_000} s`);
  record({ event: 'begin', kind: 'outage', part, lasts });
  const began = Date.now();
  if (part === 'kafka') await Promise.all(world.brokers.map((broker) => broker.kill()));
  else if (part === 'temporal') await world.temporal.kill();
  else world.service.set('reset');
  const health = await watchHealth(world, began + lasts, say);
  if (part === 'kafka') await Promise.all(world.brokers.map((broker) => broker.start()));
  else if (part === 'temporal') await world.temporal.start();
  else world.service.set('right');
  const logged = world.slots.map(
    ({ name, lines }, index) =>
      `${name} ${(((lines - (before[index] ?? 0)) * 60_000) / (Date.now() - began)).toFixed(1)}`,
  );
  const end = { endedAt: Date.now(), mark: world.traffic.eventTime };
  // Questions that were given up are never asked again: only progress tells.
  const recovery = await recovered(world, end);
  record({ event: 'recovered', recovery: recovery ?? null });
  return {
    done: [{ kind: 'outage', hit: true, skipped: false, recovery, counts: {} }],
    seen: [
      `outage of ${part}, ${Math.round((end.endedAt - began) / 1_000)} s`,
      `lines logged a minute: ${logged.join(', ')}`,
      ...health,
    ],
  };
}

/** Everything that /readyz and /healthz said, once, with the time from the begin of the outage. */
async function watchHealth(world: World, until: number, say: (line: string) => void): Promise<string[]> {
  const began = Date.now();
  const said = new Map<string, string>();
  while (Date.now() < until) {
    for (const slot of world.slots) {
      const state = slot.running ? await slot.ready() : 'does not run';
      // Figures in a text change all the time.
      const key = `${slot.name} ${state.replace(/\d+/g, '#')}`;
      if (said.has(key)) continue;
      const text = `after ${((Date.now() - began) / 1_000).toFixed(0)} s ${slot.name}: ${state}`;
      said.set(key, text);
      say(text);
    }
    await sleep(POLL_MS);
  }
  return [...said.values()];
}

export async function overload(world: World, lasts: number, { record, say }: Tools): Promise<Watched> {
  record({ event: 'begin', kind: 'overload', lasts });
  const began = Date.now();
  while (Date.now() < began + lasts && !world.traffic.exhausted) {
    await sleep(10_000);
    say(
      `${world.traffic.written} records written, ${await read(world)}${world.progress.outputs} outputs; ${memoryOf(world)}`,
    );
  }
  const seconds = (Date.now() - began) / 1_000;
  return {
    done: [],
    seen: [
      `overload for ${seconds.toFixed(0)} s: ${world.traffic.written} records, ${(world.traffic.written / seconds).toFixed(0)} a second`,
    ],
  };
}

/** How much more came than could be done, which is known only when all of it is done. `took`: ms from the first record. */
export function timesTooMuch(records: number, lasted: number, took: number): string {
  return `done at ${(records / (took / 1_000)).toFixed(0)} a second: ${(took / lasted).toFixed(1)} times as many came as could be done`;
}

/** Where the bridges tell it. */
async function read(world: World): Promise<string> {
  const { read: metric } = world.app.metrics;
  if (metric === undefined) return '';
  const counts = await Promise.all(
    world.slots.filter(({ role }) => role === 'bridge').map((slot) => slot.metric(metric)),
  );
  return `${counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)} read by the bridges, `;
}

function memoryOf(world: World): string {
  return world.slots.map((slot) => `${slot.name} ${Math.round(slot.memory() / 1_048_576)} MiB`).join(', ');
}
