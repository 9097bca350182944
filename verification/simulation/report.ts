/** What a run of many seeds says: progress, the first failure and how to repeat it, and what the faults hit. */
import type { SeedResult } from './run.ts';

/** ms between two lines of progress. */
const PROGRESS = 5_000;

export class Report {
  readonly #seeds: number;
  /** Of the command that repeats a seed. */
  readonly #also: string;
  readonly #began = performance.now();
  readonly #hits = new Map<string, number>();
  readonly #stop: (() => void)[] = [];
  #done = 0;
  #events = 0;
  #outputs = 0;
  #steps = 0;
  #ms = 0;
  #saidAt = this.#began;
  #failure: SeedResult | undefined;

  constructor(seeds: number, also = '') {
    this.#seeds = seeds;
    this.#also = also;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  onFailure(stop: () => void): void {
    this.#stop.push(stop);
  }

  add(result: SeedResult): void {
    if (this.failed) return;
    this.#done += 1;
    this.#events += result.events;
    this.#outputs += result.outputs;
    this.#steps += result.steps;
    this.#ms += result.ms;
    for (const [what, count] of Object.entries(result.hits)) this.#hits.set(what, (this.#hits.get(what) ?? 0) + count);
    if (result.failure !== undefined) {
      this.#failure = result;
      for (const stop of this.#stop) stop();
    } else if (performance.now() - this.#saidAt > PROGRESS) {
      this.#saidAt = performance.now();
      console.log(`${this.#done} of ${this.#seeds} seeds, ${this.#seconds} s`);
    }
  }

  print(): void {
    const failure = this.#failure;
    console.log(`\nwhat was hit:`);
    for (const [what, count] of [...this.#hits].sort(([a], [b]) => (a < b ? -1 : 1))) {
      console.log(`  ${words(what).padEnd(34)} ${count}`);
    }
    console.log(
      `\n${this.#done} seeds: ${this.#events} events, ${this.#outputs} outputs, ${this.#steps} steps, ` +
        `${Math.round(this.#ms / 3_600_000)} hours of simulated time in ${this.#seconds} s`,
    );
    if (failure === undefined) return console.log(`${this.#done} passed, 0 failed`);
    console.log(
      `\nseed ${failure.seed} failed:\n  ${failure.failure}\n\nto repeat it with its trace:\n  npm run simulate -- --seeds 1 --from ${failure.seed}${this.#also} --trace`,
    );
    console.log(`${this.#done - 1} passed, 1 failed`);
  }

  get #seconds(): number {
    return Math.round((performance.now() - this.#began) / 1_000);
  }
}

/** `killsInsideTransaction` -> `kills inside transaction` */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (sign) => ` ${sign.toLowerCase()}`);
}
