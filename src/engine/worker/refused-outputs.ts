/** Outputs that wait because the broker refuses them, of all shards of a process: for the gauge, and for /readyz. */
import type { Clock } from '../clock.ts';
import type { ShardEvent } from '../publish/publisher.ts';

/** ms that are nobody's concern */
const PATIENCE = 5_000;

export class RefusedOutputs {
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #topic: string;
  readonly #held = new Map<number, number>();
  #since: number | undefined;

  constructor(clock: Pick<Clock, 'elapsed'>, topic: string) {
    this.#clock = clock;
    this.#topic = topic;
  }

  observe(event: ShardEvent): void {
    if (event.type === 'outputRefused' || event.type === 'outputTaken') this.#held.set(event.shard, event.held);
    else if (event.type === 'closed') this.#held.delete(event.shard);
    this.#since = this.count === 0 ? undefined : (this.#since ?? this.#clock.elapsed());
  }

  get count(): number {
    return [...this.#held.values()].reduce((sum, held) => sum + held, 0);
  }

  /** For people; null when there are none, or not for long. */
  get problem(): string | null {
    const lasted = this.#since === undefined ? 0 : this.#clock.elapsed() - this.#since;
    if (this.#since === undefined || lasted < PATIENCE) return null;
    return `${this.#topic} refuses outputs of ${this.count} workflows, for ${Math.floor(lasted / 1_000)} s: the log says why, by workflow`;
  }
}
