/** What a round measures, and what all kinds of rounds need. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CORES, peakMiB, startMeter, type Meter } from './processor.ts';
import { sumOf, type Sample } from './prometheus.ts';

/** By name; a name that is missing was not measured. Times in seconds or, where the name says so, ms. */
export type Figures = Readonly<Record<string, number>>;

const PLURAL = { event: 'events', touch: 'touches' } as const;
type Unit = keyof typeof PLURAL;

/** What was counted while a round ran. */
export class Window {
  readonly #began = performance.now();
  readonly #meter: Meter;
  readonly #pids: Readonly<Record<string, number>>;
  /** When how many had come out. */
  readonly #seen: { readonly at: number; readonly count: number }[] = [];

  /** `pids`: of the processes that do the work, by name. */
  constructor(pids: Readonly<Record<string, number>>) {
    this.#pids = pids;
    this.#meter = startMeter(pids);
  }

  /** Looks until `wanted` have come out. Throws after `timeout` ms. */
  async until(wanted: number, count: () => number, timeout: number): Promise<void> {
    for (;;) {
      const now = performance.now() - this.#began;
      const seen = count();
      if (seen !== this.#seen.at(-1)?.count) this.#seen.push({ at: now, count: seen });
      if (seen >= wanted) return;
      if (now > timeout) throw new Error(`${seen} of ${wanted} came out within ${timeout / 1_000} s`);
      await sleep(20);
    }
  }

  /** `units`: so many of what processor time is told for. */
  figures(unit: Unit, units: number): Figures {
    const seconds = (performance.now() - this.#began) / 1_000;
    const { others = 0, loader = 0, ...spent } = this.#meter.read();
    const total = Object.values(spent).reduce((sum, ms) => sum + ms, 0);
    const perUnit = Object.fromEntries(Object.entries(spent).map(([name, ms]) => [`${name}, ms/${unit}`, ms / units]));
    const peaks = Object.fromEntries(
      Object.entries(this.#pids).map(([name, pid]) => [`${name}, peak MiB`, peakMiB(pid)]),
    );
    return {
      [`cpu, ms/${unit}`]: total / units,
      ...perUnit,
      [`${PLURAL[unit]}/s`]: units / seconds,
      ...(this.#seen.length > 1 && { [`outputs/s, 10 to 90 %`]: this.#rate(), 'first output, s': this.#first() }),
      seconds,
      [`capacity of this machine, ${PLURAL[unit]}/s`]: (CORES * 1_000 * units) / total,
      ...peaks,
      'loader, cores': loader / 1_000 / seconds,
      'others, cores': others / 1_000 / seconds,
    };
  }

  #first(): number {
    return (this.#seen.find(({ count }) => count > (this.#seen[0]?.count ?? 0))?.at ?? NaN) / 1_000;
  }

  #rate(): number {
    const from = this.#seen[0]!.count;
    const all = this.#seen.at(-1)!.count - from;
    const begin = this.#seen.find(({ count }) => count - from >= all * 0.1)!;
    const end = this.#seen.find(({ count }) => count - from >= all * 0.9)!;
    return ((end.count - begin.count) * 1_000) / (end.at - begin.at);
  }
}

/** Temporal's actions: what it would bill, as the server itself counts them, without the searches and looks of people. */
export function actionsIn(samples: readonly Sample[]): number {
  return sumOf(samples, 'action', { namespace: 'default' });
}
