/**
 * Zstandard frames (RFC 8878). The package fzstd decompresses; it allocates whatever window a frame asks for, so frames are
 * taken apart and looked at here first.
 */
import { Decompress } from 'fzstd';
import { TooLarge } from './decompressed.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
/** bytes: what the Zstandard library itself reads unless told otherwise (ZSTD_WINDOWLOG_LIMIT_DEFAULT). */
const MAX_WINDOW = 2 ** 27;
/** Types of blocks. */
const REPEATED_BYTE = 1;

/** Throws {@link TooLarge} above `limit` bytes, Error when `bytes` cannot be read. */
export function decompressZstd(bytes: Buffer, limit: number): Buffer {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (let at = 0; at < bytes.length;) {
    const frame = readFrame(bytes, at);
    at = frame.end;
    if (frame.content === undefined) continue;
    if ((frame.contentSize ?? 0) > limit - total) throw new TooLarge();
    const stream = new Decompress((chunk) => {
      total += chunk.length;
      if (total > limit) throw new TooLarge();
      chunks.push(chunk);
    });
    stream.push(frame.content, true);
  }
  return Buffer.concat(chunks, total);
}

interface Frame {
  /** Absent in a skippable frame. */
  readonly content?: Buffer;
  readonly contentSize?: number;
  readonly end: number;
}

function readFrame(bytes: Buffer, start: number): Frame {
  const magic = bytes.readUInt32LE(start);
  if (magic - (magic % 16) === SKIPPABLE) return { end: start + 8 + bytes.readUInt32LE(start + 4) };
  if (magic !== MAGIC) throw new Error('it does not begin as a Zstandard frame');
  const flags = bytes.readUInt8(start + 4);
  const single = (flags & 0x20) !== 0;
  const checksum = (flags & 0x04) !== 0;
  if ((flags & 0x03) !== 0) throw new Error('a Zstandard frame with a dictionary');
  const windowAt = start + 5;
  const sizeAt = windowAt + (single ? 0 : 1);
  const sizeBytes = flags >>> 6 === 0 ? (single ? 1 : 0) : 2 ** (flags >>> 6);
  const contentSize = sizeBytes === 0 ? undefined : readSize(bytes, sizeAt, sizeBytes);
  const window = single ? contentSize! : windowOf(bytes.readUInt8(windowAt));
  if (window > MAX_WINDOW) {
    throw new Error(`a Zstandard frame with a window of ${window} bytes, expected at most ${MAX_WINDOW}`);
  }

  let at = sizeAt + sizeBytes;
  for (let last = false; !last;) {
    const head = bytes.readUIntLE(at, 3);
    last = (head & 1) === 1;
    at += 3 + (((head >>> 1) & 3) === REPEATED_BYTE ? 1 : head >>> 3);
  }
  at += checksum ? 4 : 0;
  if (at > bytes.length) throw new Error('it ends in the middle');
  return { content: bytes.subarray(start, at), ...(contentSize === undefined ? {} : { contentSize }), end: at };
}

function readSize(bytes: Buffer, at: number, width: number): number {
  if (width === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, width) + (width === 2 ? 256 : 0);
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}
