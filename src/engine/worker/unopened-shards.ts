import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { ShardEvent } from '../publish/publisher.ts';

/** ms of a failure that are nobody's concern: a takeover looks the same. */
const PATIENCE = 5_000;

/** Shards that this process holds and cannot open, as while their ledger partition has no leader; the others publish. For /readyz. */
export class UnopenedShards {
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #shards = new Map<number, { readonly since: number; readonly why: string }>();

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  observe(event: ShardEvent): void {
    if (event.type === 'reopening') {
      const since = this.#shards.get(event.shard)?.since ?? this.#clock.elapsed();
      this.#shards.set(event.shard, { since, why: messageOf(event.error) });
    } else if (event.type === 'opened' || event.type === 'lost' || event.type === 'closed') {
      this.#shards.delete(event.shard);
    }
  }

  /** For people; null when there are none. */
  get problem(): string | null {
    const now = this.#clock.elapsed();
    const failing = [...this.#shards].filter(([, { since }]) => now - since >= PATIENCE);
    const [first] = failing;
    if (first === undefined) return null;
    const [shard, { since, why }] = first;
    const others = failing.length === 1 ? '' : ` (and ${failing.length - 1} others)`;
    return `shard ${shard}${others} cannot be opened for ${Math.floor((now - since) / 1_000)} s: ${why}; it is tried again, the other shards go on`;
  }
}
