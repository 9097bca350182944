/**
 * Bytes with their UUIDs and long runs of digits packed: a state is ids for the most part, and text takes 37 bytes of one where
 * 16 are enough. Piece after piece: a head, which is the number of plain bytes times four and what follows them, those bytes,
 * and what follows:
 *
 * - 0 nothing (the end);
 * - 1 a UUID of Avro: the length 36 as a variable integer, and its text in lower case; 16 bytes;
 * - 2 digits: how many, and two of them a byte.
 *
 * Heads and numbers are unsigned variable integers, low seven bits first.
 */
const [NOTHING, UUID, DIGITS] = [0, 1, 2];
/** A string of 36 bytes begins with its length, in zigzag. */
const UUID_LENGTH = 72;
const UUID_BYTES = 36;
/** A shorter run of digits stays as it is. */
const MIN_DIGITS = 32;

const HYPHEN = 0x2d;
const ZERO = 0x30;

export function pack(bytes: Buffer): Buffer {
  // A piece is never longer than what it stands for, but for the last.
  const packed = Buffer.allocUnsafe(bytes.length + 8);
  let end = 0;
  let plainFrom = 0;
  const number = (value: number): void => {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) packed[end++] = (rest % 128) | 0x80;
    packed[end++] = rest;
  };
  const piece = (until: number, kind: number): void => {
    number((until - plainFrom) * 4 + kind);
    end += bytes.copy(packed, end, plainFrom, until);
  };
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at]!;
    if (byte === UUID_LENGTH && isUuid(bytes, at + 1)) {
      piece(at, UUID);
      for (let from = at + 1, left = 16; left > 0; left -= 1, from += 2) {
        if (bytes[from] === HYPHEN) from += 1;
        packed[end++] = (hexDigit(bytes[from]!) << 4) | hexDigit(bytes[from + 1]!);
      }
      at += 1 + UUID_BYTES;
      plainFrom = at;
      continue;
    }
    const digits = isDigit(byte) ? digitsFrom(bytes, at) : 0;
    if (digits >= MIN_DIGITS) {
      piece(at, DIGITS);
      number(digits);
      for (let index = 0; index < digits; index += 2) {
        packed[end++] = ((bytes[at + index]! - ZERO) << 4) | (index + 1 < digits ? bytes[at + index + 1]! - ZERO : 0);
      }
      plainFrom = at + digits;
    }
    at += Math.max(1, digits);
  }
  piece(bytes.length, NOTHING);
  return packed.subarray(0, end);
}

/** Throws RangeError for bytes that {@link pack} did not make, and for more than `limit` bytes. */
export function unpack(packed: Buffer, limit: number): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  let size = 0;
  const add = (piece: Buffer): void => {
    size += piece.length;
    if (size > limit) throw new RangeError(`more than ${limit} bytes`);
    pieces.push(piece);
  };
  const number = (): number => {
    let value = 0;
    for (let factor = 1; factor < 2 ** 42; factor *= 128) {
      const byte = take(1)[0]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number without an end');
  };
  const take = (count: number): Buffer => {
    if (at + count > packed.length) throw new RangeError('bytes are missing');
    at += count;
    return packed.subarray(at - count, at);
  };
  for (;;) {
    const head = number();
    add(take(Math.floor(head / 4)));
    const kind = head % 4;
    if (kind === NOTHING) break;
    if (kind === UUID) {
      const hex = take(16).toString('hex');
      add(
        Buffer.from(
          `H${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
          'latin1',
        ),
      );
    } else if (kind === DIGITS) {
      const digits = number();
      if (digits > limit) throw new RangeError(`more than ${limit} bytes`);
      add(unpackedDigits(take(Math.ceil(digits / 2)), digits));
    } else throw new RangeError('a piece of an unknown kind');
  }
  if (at !== packed.length) throw new RangeError('bytes after the end');
  return Buffer.concat(pieces);
}

function isUuid(bytes: Buffer, from: number): boolean {
  if (from + UUID_BYTES > bytes.length) return false;
  for (let at = 0; at < UUID_BYTES; at += 1) {
    const byte = bytes[from + at]!;
    const fits =
      at === 8 || at === 13 || at === 18 || at === 23
        ? byte === HYPHEN
        : isDigit(byte) || (byte >= 0x61 && byte <= 0x66);
    if (!fits) return false;
  }
  return true;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

function hexDigit(byte: number): number {
  return byte <= 0x39 ? byte - ZERO : byte - 0x61 + 10;
}

function digitsFrom(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && isDigit(bytes[at]!)) at += 1;
  return at - from;
}

function unpackedDigits(packed: Buffer, count: number): Buffer {
  const digits = Buffer.alloc(count);
  for (let index = 0; index < count; index += 1) {
    const byte = packed[index >> 1]!;
    digits[index] = ZERO + (index % 2 === 0 ? byte >> 4 : byte & 0x0f);
  }
  return digits;
}
