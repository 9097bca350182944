/** How rounds become a claim: pairs that alternate, the median of their ratios, and an interval around it. Pure. */

/** Which of two sides goes first: A B, B A, A B, ... so that what drifts touches both alike. */
export function alternating<T>(sides: readonly T[], rounds: number): T[][] {
  return Array.from({ length: rounds }, (_, round) => (round % 2 === 0 ? [...sides] : [...sides].reverse()));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between two values where none is in that place; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN];
  return below + (above - below) * (at - Math.floor(at));
}

export interface Ratio {
  readonly median: number;
  /** The bootstrap's 90 %: 5 % of the resampled medians lie below, 5 % above. */
  readonly from: number;
  readonly to: number;
  readonly pairs: number;
}

const RESAMPLES = 2_000;

/** Of `to` to `from`, pair by pair: what a round has that the machine slowed down counts against both sides of it. */
export function ratioOf(pairs: readonly (readonly [from: number, to: number])[]): Ratio {
  const ratios = pairs.map(([from, to]) => to / from).filter((ratio) => Number.isFinite(ratio));
  const random = generator(ratios.length);
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(ratios.map(() => ratios[Math.floor(random() * ratios.length)]!)),
  );
  return {
    median: median(ratios),
    from: quantile(medians, 0.05),
    to: quantile(medians, 0.95),
    pairs: ratios.length,
  };
}

/** Mulberry32: the same interval for the same rounds. */
function generator(seed: number): () => number {
  let state = seed + 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
