/** Numbers in Avro's binary form. Places are offsets into the value. */

/** Thrown while a value is read, and caught by who began: not an Error, because it needs no stack. */
export class Malformed {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

export class Cursor {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** Steps over `count` bytes, which have to be there. */
  skip(count: number): void {
    if (count > this.left) throw new Malformed(`expected ${count} bytes at ${this.at}, found ${this.left}`);
    this.at += count;
  }

  /**
   * A long. Exact below 2^53; above, only its being that large is true. At most ten bytes, of which the last may carry
   * one bit: a longer one is refused, for other readers would go on reading it.
   */
  long(): number {
    const start = this.at;
    let value = 0;
    let unit = 1;
    for (let length = 1; ; length += 1) {
      const byte = this.bytes[this.at];
      if (byte === undefined) throw new Malformed(`expected a number at ${start}, found the end`);
      this.at += 1;
      if (length === 10 && byte > 1) throw new Malformed(`expected a number of 64 bits at ${start}`);
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) break;
      unit *= 128;
    }
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  int(): number {
    const start = this.at;
    const value = this.long();
    if (value < -2_147_483_648 || value > 2_147_483_647 || this.at - start > 5) {
      throw new Malformed(`expected a number of 32 bits at ${start}`);
    }
    return value;
  }

  /** Every bit of it. */
  bigLong(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes[this.at] ?? 0;
      this.at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value & 1n ? -((value + 1n) >> 1n) : value >> 1n;
  }
}
