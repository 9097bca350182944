/**
 * How many signals are under way, and how fast failed ones are repeated, for all triples of a bridge. A failure that
 * concerns all halves the places and makes everybody wait a little, longer with each one in a row; every signal that goes
 * through gives a place back. So an outage is met with one attempt a second, and its end is noticed at once. Repeated
 * signals have half of the places at most: workflows whose signals fail for ever leave the rest to the others.
 */
import type { Clock } from '../clock.ts';

export const MAX_SIGNALS_IN_FLIGHT = 64;
/** ms */
const FIRST_PAUSE = 10;
const MAX_PAUSE = 1_000;

export type PlaceKind = 'first' | 'repeated';

export class SignalPlaces {
  readonly #clock: Pick<Clock, 'elapsed' | 'sleep'>;
  readonly #onFree: () => void;
  #limit = MAX_SIGNALS_IN_FLIGHT;
  readonly #taken = { first: 0, repeated: 0 };
  #pause = 0;
  #notBefore = -Infinity;
  readonly #queue = new Set<() => void>();
  #turning = false;
  /** Signals that went through. */
  successes = 0;
  /** ms; when the first of the failures in a row happened that concern all. */
  failingSince: number | undefined;

  /** `onFree`: a place may be had again. */
  constructor(clock: Pick<Clock, 'elapsed' | 'sleep'>, onFree: () => void) {
    this.#clock = clock;
    this.#onFree = onFree;
  }

  /** A place for a signal that is sent for the first time, if there is one now. */
  take(): boolean {
    if (!this.#open) return false;
    this.#taken.first += 1;
    return true;
  }

  /** Resolves with a place for a signal that is repeated, in the order of the calls; with false when ended before. */
  wait(ended: AbortSignal): Promise<boolean> {
    if (ended.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const go = (): void => {
        ended.removeEventListener('abort', give);
        this.#taken.repeated += 1;
        resolve(true);
      };
      const give = (): void => {
        this.#queue.delete(go);
        resolve(false);
      };
      ended.addEventListener('abort', give, { once: true });
      this.#queue.add(go);
      this.#turn();
    });
  }

  free(kind: PlaceKind): void {
    this.#taken[kind] -= 1;
    this.#turn();
    this.#onFree();
  }

  succeeded(): void {
    this.successes += 1;
    this.#pause = 0;
    this.#notBefore = -Infinity;
    this.failingSince = undefined;
    this.#limit = Math.min(MAX_SIGNALS_IN_FLIGHT, this.#limit + 1);
  }

  /** Nothing is under way any more: whether signals go through is not known. */
  idle(): void {
    this.failingSince = undefined;
  }

  /** A signal failed, and not for a reason of its own. */
  failed(): void {
    const now = this.#clock.elapsed();
    this.failingSince ??= now;
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
    this.#pause = Math.min(MAX_PAUSE, Math.max(FIRST_PAUSE, 2 * this.#pause));
    this.#notBefore = now + this.#pause;
  }

  get #open(): boolean {
    return this.#taken.first + this.#taken.repeated < this.#limit && this.#clock.elapsed() >= this.#notBefore;
  }

  /** Hands out places as long as there are some, and again when the pause is over. */
  #turn(): void {
    for (const go of this.#queue) {
      if (!this.#open || this.#taken.repeated >= Math.max(1, this.#limit / 2)) break;
      this.#queue.delete(go);
      go();
    }
    const rest = this.#notBefore - this.#clock.elapsed();
    if (rest <= 0 || this.#turning) return;
    this.#turning = true;
    void this.#clock.sleep(rest).then(() => {
      this.#turning = false;
      this.#turn();
      this.#onFree();
    });
  }
}
