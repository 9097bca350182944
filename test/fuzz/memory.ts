/** Whether memory grows: resident memory right after a collection, the largest of the warm-up against all later ones. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** bytes */
export const MAX_GROWTH = 50_000_000;

export class Memory {
  /** bytes beyond the warm-up, at most. */
  growth = 0;
  /** The same of what is alive in the heap and in buffers: tells a leak from memory that the allocator keeps. */
  live = 0;
  private settled = 0;
  private settledLive = 0;
  private readonly collect: () => void;

  constructor() {
    setFlagsFromString('--expose-gc');
    this.collect = runInNewContext('gc') as () => void;
  }

  measure(warmingUp: boolean): void {
    this.collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    const alive = heapUsed + external;
    if (warmingUp) {
      this.settled = Math.max(this.settled, rss);
      this.settledLive = Math.max(this.settledLive, alive);
    } else {
      this.growth = Math.max(this.growth, rss - this.settled);
      this.live = Math.max(this.live, alive - this.settledLive);
    }
  }

  /** Undefined when it does not grow. */
  get problem(): string | undefined {
    return this.growth > MAX_GROWTH ? `resident memory grew by ${this.growth} bytes after the warm-up, of which ${this.live} are alive` : undefined;
  }
}
