/**
 * When does it work again? When of every partition an output is visible whose event was written after the fault's end:
 * it has gone the whole way, through that partition's bridge, Temporal, that shard's worker and Kafka. Pure; told the time.
 */
export class Progress {
  readonly #partitions: number;
  /** By output partition: event time of the newest output, when it was seen, the longest time without any. */
  readonly #newest: number[];
  readonly #seenAt: number[];
  readonly #longest: number[];
  readonly #watched = new Set<{ readonly since: number; readonly stalls: number[] }>();
  #outputs = 0;
  #lastAt: number;
  #longestOfAll = 0;

  constructor(partitions: number, now: number) {
    this.#partitions = partitions;
    this.#newest = Array<number>(partitions).fill(-Infinity);
    this.#seenAt = Array<number>(partitions).fill(now);
    this.#longest = Array<number>(partitions).fill(0);
    this.#lastAt = now;
  }

  /** `eventTime`: of the money, epoch ms. */
  onOutput(partition: number, eventTime: number, now: number): void {
    this.#outputs += 1;
    this.#newest[partition] = Math.max(this.#newest[partition] ?? -Infinity, eventTime);
    this.#longest[partition] = Math.max(this.#longest[partition] ?? 0, now - (this.#seenAt[partition] ?? now));
    for (const { since, stalls } of this.#watched) {
      stalls[partition] = Math.max(stalls[partition] ?? 0, now - Math.max(since, this.#seenAt[partition] ?? now));
    }
    this.#seenAt[partition] = now;
    this.#longestOfAll = Math.max(this.#longestOfAll, now - this.#lastAt);
    this.#lastAt = now;
  }

  /** From now on: the longest time in which nothing came out of each partition, asked for later. */
  watch(now: number): (later: number) => number[] {
    const watched = { since: now, stalls: Array<number>(this.#partitions).fill(0) };
    this.#watched.add(watched);
    return (later) => {
      this.#watched.delete(watched);
      return watched.stalls.map((stall, partition) =>
        Math.max(stall, later - Math.max(watched.since, this.#seenAt[partition] ?? later)),
      );
    };
  }

  get outputs(): number {
    return this.#outputs;
  }

  /** When the last output was seen. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** ms in which nothing came out of any partition. */
  get longestStall(): number {
    return this.#longestOfAll;
  }

  /** ms in which nothing came out of one of the partitions, though something may have of the others. */
  get longestStallOfOne(): number {
    return Math.max(...this.#longest);
  }

  /** Partitions of which nothing that is newer than `eventTime` has come out. */
  behind(eventTime: number): number[] {
    return [...Array(this.#partitions).keys()].filter(
      (partition) => (this.#newest[partition] ?? -Infinity) <= eventTime,
    );
  }
}

/** `fraction` 0.5 is the median; of nothing it is 0. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(fraction * sorted.length) - 1)] ?? 0;
}
