/** What happened, for people who look into a failing run. Lines are made only when somebody wants them. */
const KEPT = 20_000;

export class Trace {
  readonly #now: () => number;
  readonly #lines: string[] = [];
  #dropped = 0;
  enabled = false;

  /** `now`: ms since the run began. */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(who: string, what: () => string): void {
    if (!this.enabled) return;
    this.#lines.push(`${(this.#now() / 1_000).toFixed(3).padStart(10)}  ${who.padEnd(12)} ${what()}`);
    if (this.#lines.length > KEPT) {
      this.#lines.splice(0, KEPT / 2);
      this.#dropped += KEPT / 2;
    }
  }

  get text(): string {
    return [...(this.#dropped > 0 ? [`(${this.#dropped} earlier lines left out)`] : []), ...this.#lines].join('\n');
  }
}
