/**
 * LZ4 frames (lz4/doc/lz4_Frame_format.md, lz4_Block_format.md), as Kafka's clients write them. Checksums are skipped: the
 * broker has checked the batch. Throws on bytes that are not LZ4; never reads or writes outside. Not by the package lz4js:
 * that one misreads frames with block checksums and takes a cut frame for a whole one.
 */
import { copyMatch, TooLarge } from './decompressed.ts';

const MAGIC = 0x184d2204;
const UNCOMPRESSED = 0x80000000;
/** Flags of the frame descriptor. */
const VERSION_MASK = 0xc0;
const VERSION = 0x40;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const CONTENT_CHECKSUM = 0x04;
const DICTIONARY = 0x01;
/** Every match is at least this long, bytes. */
const MIN_MATCH = 4;

/** Throws {@link TooLarge} above `limit` bytes, Error when `bytes` cannot be read. */
export function decompressLz4(bytes: Buffer, limit: number): Buffer {
  const blocks: Buffer[] = [];
  let total = 0;
  for (let at = 0; at < bytes.length;) {
    const frame = readFrame(bytes, at, limit - total);
    blocks.push(frame.content);
    total += frame.content.length;
    at = frame.end;
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks, total);
}

function readFrame(bytes: Buffer, start: number, limit: number): { readonly content: Buffer; readonly end: number } {
  if (bytes.readUInt32LE(start) !== MAGIC) throw new Error('it does not begin as an LZ4 frame');
  const flags = bytes.readUInt8(start + 4);
  if ((flags & VERSION_MASK) !== VERSION) throw new Error(`an LZ4 frame of version ${flags >>> 6}`);
  if (flags & DICTIONARY) throw new Error('an LZ4 frame with a dictionary');
  const sizeCode = (bytes.readUInt8(start + 5) >>> 4) & 7;
  if (sizeCode < 4) throw new Error(`an LZ4 frame with blocks of size code ${sizeCode}`);
  const maxBlock = 2 ** (2 * sizeCode + 8);
  // The last byte of the descriptor is its checksum.
  let at = start + 6 + (flags & CONTENT_SIZE ? 8 : 0) + 1;

  // Blocks may refer to the ones before: one buffer for all of them.
  let buffer: Buffer = Buffer.allocUnsafe(0);
  let size = 0;
  for (;;) {
    const head = bytes.readUInt32LE(at);
    at += 4;
    if (head === 0) break;
    const length = head % UNCOMPRESSED;
    const block = bytes.subarray(at, at + length);
    if (block.length < length) throw new Error('it ends in the middle of a block');
    if (length > maxBlock) throw new Error(`a block of ${length} bytes, where at most ${maxBlock} are announced`);
    const room = Math.min(limit, size + maxBlock);
    if (buffer.length < room) buffer = enlarged(buffer, size, Math.max(room, 2 * size));
    const out = buffer.subarray(0, room);
    if (head >= UNCOMPRESSED) {
      if (size + length > limit) throw new TooLarge();
      size += block.copy(out, size);
    } else {
      size = decompressBlock(block, out, size, size + maxBlock > limit);
    }
    at += length + (flags & BLOCK_CHECKSUM ? 4 : 0);
  }
  at += flags & CONTENT_CHECKSUM ? 4 : 0;
  if (at > bytes.length) throw new Error('it ends in the middle');
  return { content: buffer.subarray(0, size), end: at };
}

/** `limited`: the end of `out` is the limit, and not what the frame announces. */
function decompressBlock(block: Buffer, out: Buffer, from: number, limited: boolean): number {
  let size = from;
  let at = 0;
  const lengthOf = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (;;) {
      const byte = block.readUInt8(at++);
      length += byte;
      if (byte < 255) return length;
    }
  };
  const fits = (count: number): void => {
    if (size + count <= out.length) return;
    throw limited ? new TooLarge() : new Error('a block is longer than announced');
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = lengthOf(token >>> 4);
    if (literals > block.length - at) throw new Error(`a literal of ${literals} bytes does not fit`);
    fits(literals);
    block.copy(out, size, at, at + literals);
    at += literals;
    size += literals;
    if (at === block.length) return size; // the last sequence has no match
    const offset = block.readUInt16LE(at);
    at += 2;
    const count = lengthOf(token & 15) + MIN_MATCH;
    fits(count);
    size = copyMatch(out, size, offset, count);
  }
  throw new Error('a block ends in the middle');
}

function enlarged(buffer: Buffer, size: number, length: number): Buffer {
  const larger = Buffer.allocUnsafe(length);
  buffer.copy(larger, 0, 0, size);
  return larger;
}
