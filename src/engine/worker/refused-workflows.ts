import type { Clock } from '../clock.ts';
import type { ShardEvent } from '../publish/publisher.ts';

/** ms: a workflow whose outputs are refused tries again at least this often. */
const REMEMBERED = 15 * 60_000;

/** Workflows whose outputs the ledger refuses, as one that was made anew does: nothing of them comes out until a person acts. For /readyz. */
export class RefusedWorkflows {
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #refused = new Map<string, { readonly at: number; readonly why: string }>();

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  observe(event: ShardEvent): void {
    if (event.type !== 'refused') return;
    this.#refused.delete(event.key);
    this.#refused.set(event.key, { at: this.#clock.elapsed(), why: event.error.message });
  }

  /** For people; null when there are none. */
  get problem(): string | null {
    for (const [key, { at }] of this.#refused) {
      if (this.#clock.elapsed() - at <= REMEMBERED) break;
      this.#refused.delete(key);
    }
    const [first] = this.#refused.values();
    return first === undefined
      ? null
      : `the outputs of ${this.#refused.size} workflows are refused, and stand still until a person acts (docs/messages.md, "Log lines that need a person"). One of them: ${first.why}`;
  }
}
