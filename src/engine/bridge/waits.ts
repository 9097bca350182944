/**
 * What waits in a bridge, and why, so that nothing waits in silence: a line in the log when it begins and when it ends, a
 * gauge, and a text for `/readyz`. Told the time, in ms of the monotonic clock.
 */
import type { Logger } from '../log.ts';

/**
 * Of one partition triple. `taking`: its transactional id and place; `ends`: the ends of its logs; `commit`: a commit failed
 * and it is taken anew; `log`: a log ends before the place that was read, which a person has to look at; `brake`: too much of
 * it is unusable, which a person has to look at; `batch`: a batch that cannot be read stands in the way; `workflows`: too much of it
 * waits for single workflows.
 */
export const WAIT_REASONS = ['taking', 'ends', 'commit', 'log', 'brake', 'batch', 'workflows'] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

export interface PartitionWait {
  readonly partition: number;
  readonly reason: WaitReason;
  /** For people: what is wrong, where, and what to do. */
  readonly text: string;
  readonly since: number;
}

/** ms that a wait lasts before it is a line in the log. */
const QUIET: Record<WaitReason, number> = {
  taking: 0,
  commit: 0,
  ends: 2_000,
  log: 0,
  brake: 0,
  batch: 0,
  workflows: 2_000,
};
/** ms that a wait lasts before the bridge is not ready. */
export const PATIENCE = 5_000;

export class Waits {
  readonly #logger: Logger;
  readonly #waits = new Map<string, { wait: PartitionWait; logged: boolean }>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Also while it goes on, with what is known now. */
  begin(partition: number, reason: WaitReason, text: string, now: number): void {
    const key = `${partition}/${reason}`;
    const known = this.#waits.get(key);
    this.#waits.set(key, {
      wait: { partition, reason, text, since: known?.wait.since ?? now },
      logged: known?.logged ?? false,
    });
    this.tick(now);
  }

  end(partition: number, reason: WaitReason, now: number): void {
    const key = `${partition}/${reason}`;
    const known = this.#waits.get(key);
    if (known === undefined) return;
    this.#waits.delete(key);
    if (known.logged) {
      this.#logger.info(
        { partition, reason, afterMs: Math.round(now - known.wait.since) },
        `partition ${partition} goes on`,
      );
    }
  }

  /** It is another member's now. */
  forget(partition: number): void {
    for (const [key, { wait }] of this.#waits) if (wait.partition === partition) this.#waits.delete(key);
  }

  has(partition: number, reason: WaitReason): boolean {
    return this.#waits.has(`${partition}/${reason}`);
  }

  /** To be called now and then: what has waited for long enough is logged, once. */
  tick(now: number): void {
    for (const known of this.#waits.values()) {
      const { partition, reason, text, since } = known.wait;
      if (known.logged || now - since < QUIET[reason]) continue;
      known.logged = true;
      this.#logger.warn({ partition, reason }, `partition ${partition} waits, the others go on: ${text}`);
    }
  }

  get list(): readonly PartitionWait[] {
    return [...this.#waits.values()].map(({ wait }) => wait);
  }

  /** Undefined while nothing has waited for long. */
  problem(now: number): string | undefined {
    const long = this.list.filter(({ since }) => now - since >= PATIENCE);
    const [first] = long;
    if (first === undefined) return undefined;
    const more = new Set(long.map(({ partition }) => partition)).size - 1;
    return `partition ${first.partition} waits, for ${Math.floor((now - first.since) / 1_000)} s: ${first.text}${more > 0 ? `; and ${more} more of its partitions wait` : ''}`;
  }
}
