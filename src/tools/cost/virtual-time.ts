/** A clock that jumps from one thing to the next, and a queue of what is to happen. The same each time. */
import { Heap } from 'heap-js';

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void | Promise<void>;
}

export class VirtualTime {
  readonly #queue = new Heap<Due>((a, b) => a.at - b.at || a.order - b.order);
  #order = 0;
  #now: number;

  /** `start`: epoch ms. */
  constructor(start: number) {
    this.#now = start;
  }

  /** Epoch ms. */
  get now(): number {
    return this.#now;
  }

  /** `run` happens at `time`, or now if that is past; after what was asked for earlier at the same time. */
  at(time: number, run: () => void | Promise<void>): void {
    this.#queue.push({ at: Math.max(time, this.#now), order: (this.#order += 1), run });
  }

  after(ms: number, run: () => void | Promise<void>): void {
    this.at(this.#now + ms, run);
  }

  /** Lets all happen that is due up to `end`. */
  async run(end: number): Promise<void> {
    for (let due = this.#queue.peek(); due !== undefined && due.at <= end; due = this.#queue.peek()) {
      this.#queue.pop();
      this.#now = due.at;
      await due.run();
    }
  }
}
