/**
 * The transactions of the shards in virtual time: requests go together as src/engine/publish/commit-pace.ts says, one transaction
 * after the other. A transaction takes a fixed time.
 */
import { CommitPace } from '../../src/engine/publish/commit-pace.ts';
import type { VirtualTime } from '../../src/tools/cost/virtual-time.ts';
import type { Counters } from './counters.ts';

/** ms, of one on a broker of this machine. */
const TRANSACTION_MS = 8;

export class CountedShard {
  readonly #time: VirtualTime;
  readonly #counters: Counters;
  readonly #pace: CommitPace;
  #waiting = 0;
  #busy = false;

  constructor(time: VirtualTime, counters: Counters) {
    this.#time = time;
    this.#counters = counters;
    this.#pace = new CommitPace({ elapsed: () => time.now });
  }

  /** A workflow asks to publish. */
  came(): void {
    this.#pace.came();
    this.#waiting += 1;
    this.#begin();
  }

  #begin(): void {
    if (this.#busy || this.#waiting === 0) return;
    this.#busy = true;
    this.#time.after(this.#pace.linger(this.#waiting), () => {
      this.#counters.add('transactions');
      this.#waiting = 0;
      this.#time.after(TRANSACTION_MS, () => {
        this.#busy = false;
        this.#begin();
      });
    });
  }
}
