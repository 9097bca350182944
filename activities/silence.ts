/**
 * Whether a service gives no usable answer at all, as the requests of this process find it. In such a time thousands may wait for
 * it, and each attempt costs Temporal's server more than it costs whoever makes it: so attempts are made by fewer, that each last
 * longer, until somebody has an answer.
 */
import type { Clock } from '../src/engine/clock.ts';

/** Requests in a row without an answer. */
const SILENT_AFTER = 50;

export class Silence {
  readonly #clock: Pick<Clock, 'sleep'>;
  #unanswered = 0;
  readonly #resting = new Set<() => void>();

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.#clock = clock;
  }

  get lasts(): boolean {
    return this.#unanswered >= SILENT_AFTER;
  }

  unanswered(): void {
    this.#unanswered += 1;
  }

  answered(): void {
    this.#unanswered = 0;
    for (const wake of this.#resting) wake();
  }

  /** Until somebody has an answer, for `ms` at most, or until `ended`. */
  async rest(ms: number, ended: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    this.#resting.add(wake);
    ended.addEventListener('abort', wake, { once: true });
    if (ended.aborted) wake();
    await this.#clock.sleep(ms, woken.signal);
    ended.removeEventListener('abort', wake);
    this.#resting.delete(wake);
  }
}
