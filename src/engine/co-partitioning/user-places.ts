/**
 * In which partition each user was met, so that one that is met in two is noticed (semantics, section 1: a user lives in one
 * partition). A table of hashes: 10 bytes a user, at most twice as many slots as users.
 */
const FIRST_SLOTS = 1 << 12;

export class UserPlaces {
  private slots: number;
  private count = 0;
  private hashes: Uint32Array;
  /** Partition + 1; 0 for a free slot. */
  private places: Uint32Array;
  private readonly most: number;

  /** `most`: users that are remembered; above it, new ones take the places of others and may go unnoticed. */
  constructor(most = Infinity) {
    this.most = most;
    this.slots = FIRST_SLOTS;
    this.hashes = new Uint32Array(2 * this.slots);
    this.places = new Uint32Array(this.slots);
  }

  /** The partition in which this user was met before, if it is another one. `userId`: a UUID in lower case. */
  meet(userId: string, partition: number): number | undefined {
    const [high, low] = hashOf(userId);
    let at = low & (this.slots - 1);
    for (; this.places[at] !== 0; at = (at + 1) & (this.slots - 1)) {
      if (this.hashes[2 * at] !== high || this.hashes[2 * at + 1] !== low) {
        if (this.count < this.most) continue;
        break;
      }
      const before = this.places[at]! - 1;
      return before === partition ? undefined : before;
    }
    if (this.places[at] === 0) this.count += 1;
    this.put(at, high, low, partition + 1);
    if (2 * this.count > this.slots && this.count < this.most) this.grow();
    return undefined;
  }

  private put(at: number, high: number, low: number, place: number): void {
    this.hashes[2 * at] = high;
    this.hashes[2 * at + 1] = low;
    this.places[at] = place;
  }

  private grow(): void {
    const { hashes, places } = this;
    this.slots *= 2;
    this.hashes = new Uint32Array(2 * this.slots);
    this.places = new Uint32Array(this.slots);
    for (const [from, place] of places.entries()) {
      if (place === 0) continue;
      let at = hashes[2 * from + 1]! & (this.slots - 1);
      while (this.places[at] !== 0) at = (at + 1) & (this.slots - 1);
      this.put(at, hashes[2 * from]!, hashes[2 * from + 1]!, place);
    }
  }
}

/** Two numbers of 32 bits; ids that differ in one digit only have others too. */
function hashOf(userId: string): [number, number] {
  const word = (from: number): number => Number.parseInt(userId.slice(from, from + 4), 16);
  const [a, b, c, d] = [word(0) * 65_536 + word(4), word(9) * 65_536 + word(14), word(19) * 65_536 + word(24), word(28) * 65_536 + word(32)];
  return [mixed(a ^ Math.imul(c, 0x9e3779b1)), mixed(d ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(a, 0xc2b2ae35))];
}

function mixed(value: number): number {
  const first = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  return (first ^ (first >>> 15)) >>> 0;
}
