/**
 * Whether memory grows, measured right after a collection. Resident memory: the largest of the warm-up against all later ones.
 * Where who is tested shares the process with who sends large things, what is alive (heap, and buffers that are released late):
 * the least of the first third against the least of the last third, for what leaks never comes back.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** bytes */
const MAX_GROWTH = 50_000_000;

export class Memory {
  /** bytes of resident memory beyond the warm-up, at most. */
  growth = 0;
  #settled = 0;
  readonly #alive: number[] = [];
  readonly #collect: () => void;
  readonly #judged: 'growth' | 'live';

  constructor(judged: 'growth' | 'live' = 'growth') {
    this.#judged = judged;
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as () => void;
  }

  measure(warmingUp: boolean): void {
    this.#collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    this.#alive.push(heapUsed + external);
    if (warmingUp) this.#settled = Math.max(this.#settled, rss);
    else this.growth = Math.max(this.growth, rss - this.#settled);
  }

  /** bytes that are alive in the end beyond those of the beginning. */
  get live(): number {
    const third = Math.floor(this.#alive.length / 3);
    return third === 0
      ? 0
      : Math.max(0, Math.min(...this.#alive.slice(-third)) - Math.min(...this.#alive.slice(0, third)));
  }

  /** Undefined when it does not grow. */
  get problem(): string | undefined {
    return this[this.#judged] > MAX_GROWTH
      ? `memory grew: resident by ${this.growth} bytes after the warm-up, alive by ${this.live}`
      : undefined;
  }
}
