/**
 * What a process depends on (Kafka, Temporal, a service), and whether it answers: `/readyz` names what does
 * not. Some are asked at intervals, of others it is known from their use.
 */
import { untilAborted, type Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';

/** ms without an answer that are nobody's concern. */
const PATIENCE = 5_000;
/** ms after which a failure says nothing any more: nothing was asked since. */
const FORGOTTEN = 60_000;
/** ms */
const PROBE_INTERVAL = 5_000;
const PROBE_TIMEOUT = 4_000;

export class Part {
  readonly #clock: Pick<Clock, 'elapsed'>;
  #failing: { readonly since: number; readonly last: number; readonly why: string } | undefined;

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  worked(): void {
    this.#failing = undefined;
  }

  failed(why: string): void {
    const now = this.#clock.elapsed();
    const known = this.#failing !== undefined && now - this.#failing.last <= FORGOTTEN ? this.#failing.since : now;
    this.#failing = { since: known, last: now, why };
  }

  /** Why it is not well, or null. */
  get problem(): string | null {
    if (this.#failing === undefined) return null;
    const { since, last, why } = this.#failing;
    const now = this.#clock.elapsed();
    if (now - last > FORGOTTEN || now - since < PATIENCE) return null;
    return `${why}, for ${Math.floor((now - since) / 1_000)} s`;
  }
}

/** Asks it at intervals until aborted, one question at a time. Never throws. */
export async function probe(part: Part, ask: () => Promise<unknown>, clock: Clock, ended: AbortSignal): Promise<void> {
  const end = untilAborted(ended);
  while (!ended.aborted) {
    const answered = new AbortController();
    const question = ask().then(
      () => part.worked(),
      (error: unknown) => part.failed(messageOf(error)),
    );
    // One that hangs is waited for, so that there is no pile of them.
    void sayLate(part, clock, AbortSignal.any([answered.signal, ended]));
    await Promise.race([question, end]);
    answered.abort();
    await clock.sleep(PROBE_INTERVAL, ended);
  }
}

async function sayLate(part: Part, clock: Clock, over: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(PROBE_TIMEOUT, over);
    if (over.aborted) return;
    part.failed('no answer');
  }
}
