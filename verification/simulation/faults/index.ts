/** What goes wrong: each kind in its place, struck as the scenario plans it and made good again, at the latest by {@link Faults.heal}. */
import { NO_FAULTS } from '../kernel/network.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { PlannedFault } from '../scenario.ts';
import type { SimSystem } from '../system.ts';
import type { Touched } from '../touched.ts';
import { GROUP_RECOVERY, type CarryOut, type World } from './fault.ts';
import { KINDS } from './kinds.ts';

/** ms in which processes that were just started join their groups. */
const STARTING = 45_000;

export class Faults {
  /** How often each was carried out; one that found nothing to hit is not counted. */
  readonly hits = new Map<string, number>();
  readonly #scheduler: Scheduler;
  readonly #system: SimSystem;
  readonly #touched: Touched;
  readonly #world: World;
  /** What lasts: how it is ended. */
  readonly #lasting = new Set<() => void>();
  #healed = false;

  constructor(world: Omit<World, 'hit'>) {
    const { scheduler, scenario, system, touched } = world;
    this.#scheduler = scheduler;
    this.#system = system;
    this.#touched = touched;
    this.#world = { ...world, hit: (what) => this.#hit(what) };
    touched.begin(['everything'], STARTING)();
    // Each that is lost costs a time-out of 10 s.
    if (scenario.lostTasks > 0) this.#lasting.add(touched.begin(['everything'], GROUP_RECOVERY));
    for (const planned of scenario.faults) scheduler.after(planned.at, null, () => this.#strike(planned));
  }

  /** No more faults: everything is up, connected and quick from now on. */
  heal(): void {
    this.#healed = true;
    for (const end of [...this.#lasting]) end();
    const { kafka, temporal, sessions, running } = this.#system;
    const servers = [kafka.server, temporal.server, sessions.server];
    for (const { process } of running) {
      process.resume();
      for (const server of servers) server.join(process);
    }
    for (const server of servers) server.faults = { ...NO_FAULTS };
    if (!kafka.server.up) kafka.start();
    if (!temporal.server.up) temporal.start();
    temporal.options.lostTasks = 0;
  }

  #strike({ fault, lasts }: PlannedFault): void {
    if (this.#healed) return;
    const strike = (KINDS[fault] as CarryOut)(this.#world, lasts);
    if (strike === undefined) return;
    this.#scheduler.trace.add(
      'fault',
      () => `${fault}, ${strike.lasts ?? 0} ms: ${strike.touches.join(', ') || 'nothing'} is touched`,
    );
    this.#hit(fault);
    const over = this.#touched.begin(strike.touches, strike.recovery);
    if (strike.end === undefined) return over();
    const end = (): void => {
      if (!this.#lasting.delete(end)) return;
      strike.end!();
      this.#scheduler.trace.add('fault', () => `${fault} is over`);
      over();
    };
    this.#lasting.add(end);
    this.#scheduler.after(strike.lasts ?? 0, null, end);
  }

  #hit(what: string): void {
    this.hits.set(what, (this.hits.get(what) ?? 0) + 1);
  }
}
