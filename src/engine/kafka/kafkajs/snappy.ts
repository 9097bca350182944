/**
 * Snappy blocks (google/snappy, format_description.txt), bare or in the framing of snappy-java (xerial), which Kafka's own
 * clients write: a header of 16 bytes, then blocks behind their length. Throws on bytes that are not Snappy; never reads or
 * writes outside, always ends. Not by the package snappyjs: that one loops for ever on a literal of negative length.
 */
import { copyMatch, TooLarge } from './decompressed.ts';

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** bytes: the magic, and two versions of int32 */
const XERIAL_HEADER = 16;

/** Throws {@link TooLarge} above `limit` bytes, Error when `bytes` cannot be read. */
export function decompressSnappy(bytes: Buffer, limit: number): Buffer {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return decompressBlock(bytes, limit);
  if (bytes.length < XERIAL_HEADER) throw new Error('it ends in the middle');
  const blocks: Buffer[] = [];
  let total = 0;
  for (let at = XERIAL_HEADER; at < bytes.length;) {
    const start = at + 4;
    const end = start + bytes.readInt32BE(at);
    if (end < start || end > bytes.length) {
      throw new Error(`a block of ${end - start} bytes at ${at} does not fit into ${bytes.length} bytes`);
    }
    const block = decompressBlock(bytes.subarray(start, end), limit - total);
    blocks.push(block);
    total += block.length;
    at = end;
  }
  return Buffer.concat(blocks, total);
}

function decompressBlock(bytes: Buffer, limit: number): Buffer {
  let at = 0;
  /** Little-endian, the last byte below 128. */
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = byteAt(bytes, at++);
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
    if (shift >= 28) throw new Error('the length of a block is not a number of 32 bits');
  }
  if (length > limit) throw new TooLarge();
  const out = Buffer.allocUnsafe(length);
  let size = 0;
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let count = tag >>> 2;
      if (count >= 60) {
        const wide = count - 59;
        if (at + wide > bytes.length) throw new Error('a literal has no length');
        count = bytes.readUIntLE(at, wide);
        at += wide;
      }
      count += 1;
      if (count > bytes.length - at || count > length - size) {
        throw new Error(`a literal of ${count} bytes does not fit`);
      }
      bytes.copy(out, size, at, at + count);
      at += count;
      size += count;
    } else {
      const wide = kind === 3 ? 4 : kind;
      if (at + wide > bytes.length) throw new Error('a copy has no offset');
      const count = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
      const offset = bytes.readUIntLE(at, wide) + (kind === 1 ? (tag >>> 5) << 8 : 0);
      at += wide;
      size = copyMatch(out, size, offset, count);
    }
  }
  if (size !== length) throw new Error(`a block has ${size} bytes, not ${length} as it says`);
  return out;
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new Error('it ends in the middle');
  return byte;
}
