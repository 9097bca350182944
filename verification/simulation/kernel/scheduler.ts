/**
 * One thread, one clock, one source of randomness: the whole system runs as a queue of events, each of which runs to its
 * end before the next begins. The same seed gives the same run, event by event.
 */
import { Random } from '../../../src/engine/random.ts';
import type { SimProcess } from './process.ts';
import { Trace } from './trace.ts';

/** 2026-01-31T00:00:00Z: where every run begins. */
export const EPOCH = Date.UTC(2026, 0, 31);

export interface Scheduled {
  cancel(): void;
}

interface Event extends Scheduled {
  readonly at: number;
  /** Ties are broken by the order of scheduling. */
  readonly order: number;
  readonly process: SimProcess | null;
  readonly run: () => void;
  cancelled: boolean;
}

export class Scheduler {
  readonly random: Random;
  readonly trace: Trace;
  #now = EPOCH;
  #order = 0;
  #steps = 0;
  readonly #heap: Event[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.trace = new Trace(() => this.#now - EPOCH);
  }

  /** Epoch ms, simulated. */
  get now(): number {
    return this.#now;
  }

  /** Events run so far. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Runs it after `ms`. What belongs to a process runs only while that process does: never if it was killed, and not
   * before it goes on if it is paused.
   */
  after(ms: number, process: SimProcess | null, run: () => void): Scheduled {
    const event: Event = {
      at: this.#now + Math.max(0, Math.round(ms)),
      order: this.#order++,
      process,
      run,
      cancelled: false,
      cancel: () => void (event.cancelled = true),
    };
    push(this.#heap, event);
    return event;
  }

  /** Between 0 and 1, skewed to the small: most things are quick. */
  skewed(): number {
    return (this.random.uint32() / 2 ** 32) ** 4;
  }

  /** Ends the run: a promise of the product or of the simulation was broken. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Until it is so, or `ms` have passed, or nothing is left to happen; says whether it is so. Throws what broke. */
  async run(done: () => boolean, ms: number): Promise<boolean> {
    const until = this.#now + ms;
    await settled(); // what was done before the run may have more to follow
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (done()) return true;
      const next = this.#heap[0];
      if (next === undefined || next.at > until) {
        this.#now = Math.max(this.#now, Math.min(until, next?.at ?? until));
        return false;
      }
      pop(this.#heap);
      if (next.cancelled) continue;
      this.#now = next.at;
      if (next.process !== null && !next.process.accepts(next.run)) continue;
      this.#steps += 1;
      try {
        next.run();
      } catch (error) {
        this.fail(error);
      }
      await settled();
    }
  }
}

/** Everything that follows from an event without waiting is done: promises settle before the next macrotask. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(event, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
    if (!before(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
