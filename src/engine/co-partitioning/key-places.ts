/**
 * In which partition each key was met, so that one that is met in two is noticed: a key lives in one partition (semantics,
 * section 1). A table of hashes: 10 bytes per key, at most twice as many slots as keys.
 */
const FIRST_SLOTS = 1 << 12;

export class KeyPlaces {
  #slots: number;
  #count = 0;
  #hashes: Uint32Array;
  /** Partition + 1; 0 for a free slot. */
  #places: Uint32Array;
  readonly #most: number;

  /** `most`: keys that are remembered; above it, new ones take the places of others and may go unnoticed. */
  constructor(most = Infinity) {
    this.#most = most;
    this.#slots = FIRST_SLOTS;
    this.#hashes = new Uint32Array(2 * this.#slots);
    this.#places = new Uint32Array(this.#slots);
  }

  /** The partition in which this key was met before, if it is another one. */
  meet(key: string, partition: number): number | undefined {
    const [high, low] = hashOf(key);
    let at = low & (this.#slots - 1);
    for (; this.#places[at] !== 0; at = (at + 1) & (this.#slots - 1)) {
      if (this.#hashes[2 * at] !== high || this.#hashes[2 * at + 1] !== low) {
        if (this.#count < this.#most) continue;
        break;
      }
      const before = this.#places[at]! - 1;
      return before === partition ? undefined : before;
    }
    if (this.#places[at] === 0) this.#count += 1;
    this.#put(at, high, low, partition + 1);
    if (2 * this.#count > this.#slots && this.#count < this.#most) this.#grow();
    return undefined;
  }

  #put(at: number, high: number, low: number, place: number): void {
    this.#hashes[2 * at] = high;
    this.#hashes[2 * at + 1] = low;
    this.#places[at] = place;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const places = this.#places;
    this.#slots *= 2;
    this.#hashes = new Uint32Array(2 * this.#slots);
    this.#places = new Uint32Array(this.#slots);
    for (const [from, place] of places.entries()) {
      if (place === 0) continue;
      let at = hashes[2 * from + 1]! & (this.#slots - 1);
      while (this.#places[at] !== 0) at = (at + 1) & (this.#slots - 1);
      this.#put(at, hashes[2 * from]!, hashes[2 * from + 1]!, place);
    }
  }
}

/** Two numbers of 32 bits (FNV-1a, from two beginnings, mixed); keys that differ in one character only have others too. */
function hashOf(key: string): [number, number] {
  let [a, b] = [0x811c9dc5, 0x9e3779b1];
  for (let at = 0; at < key.length; at += 1) {
    const code = key.charCodeAt(at);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code ^ (b >>> 15), 0x85ebca6b);
  }
  return [mixed(a), mixed(b)];
}

function mixed(value: number): number {
  const first = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  return (first ^ (first >>> 15)) >>> 0;
}
