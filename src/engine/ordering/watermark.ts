/**
 * The watermark of a partition triple (semantics, section 2): the least, over the inputs that are not idle, of the
 * largest event time read, minus the out-of-orderness. It never goes back. -Infinity while an input that is not idle
 * has no record yet.
 */

/** The number of an input, from 0: of records with equal Kafka timestamps the one of the lower number is read first. */
export type InputIndex = number;

/** Largest event time read of each input, epoch ms; -Infinity for none yet. */
export type MaxTs = readonly number[];

export class Watermark {
  readonly #outOfOrderness: number;
  readonly #max: number[];
  readonly #idle: boolean[];
  #value: number;

  /** `outOfOrderness` in ms; `maxTs` and `value` in epoch ms, -Infinity for none yet. */
  constructor(outOfOrderness: number, maxTs: MaxTs, value = -Infinity) {
    this.#outOfOrderness = outOfOrderness;
    this.#max = [...maxTs];
    this.#idle = maxTs.map(() => false);
    this.#value = value;
  }

  get current(): number {
    return this.#value;
  }

  get maxTs(): MaxTs {
    return [...this.#max];
  }

  /** A usable record was read; its input is not idle any more. Returns the watermark after it. */
  read(input: InputIndex, ts: number): number {
    this.#idle[input] = false;
    this.#max[input] = Math.max(this.#max[input]!, ts);
    return this.#raise();
  }

  /** This input is silent at its end. Returns the watermark after it. */
  setIdle(input: InputIndex): number {
    this.#idle[input] = true;
    return this.#raise();
  }

  /** This input has something that is not read yet: the watermark waits for it. */
  setActive(input: InputIndex): void {
    this.#idle[input] = false;
  }

  isIdle(input: InputIndex): boolean {
    return this.#idle[input]!;
  }

  get allIdle(): boolean {
    return this.#idle.every(Boolean);
  }

  /** All inputs are idle: time passes the last record held. */
  passHeld(largestTsHeld: number): number {
    this.#value = Math.max(this.#value, largestTsHeld + 1);
    return this.#value;
  }

  /**
   * The inputs that the watermark waits for: those whose progress could raise it, and those that are idle, since what
   * they bring next may be behind all others.
   */
  get holdingBack(): readonly InputIndex[] {
    const least = Math.min(...this.#max.filter((_, input) => !this.#idle[input]));
    return [...this.#max.keys()].filter((input) => this.#idle[input] || this.#max[input] === least);
  }

  #raise(): number {
    const active = this.#max.filter((_, input) => !this.#idle[input]);
    if (active.length > 0) this.#value = Math.max(this.#value, Math.min(...active) - this.#outOfOrderness);
    return this.#value;
  }
}
