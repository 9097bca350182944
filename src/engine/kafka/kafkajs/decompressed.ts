/** What the decompressors of this folder share. */

/** The result would be above the limit. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';

  constructor() {
    super('more than the limit');
  }
}

/**
 * Repeats `count` bytes that lie `offset` before `size`, the end of what is written; they may overlap themselves. Returns
 * the new end. Throws Error when they do not lie in what is written, or the result does not fit into `out`.
 */
export function copyMatch(out: Buffer, size: number, offset: number, count: number): number {
  if (offset === 0 || offset > size) throw new Error(`a copy from ${offset} bytes back, after ${size}`);
  const end = size + count;
  if (end > out.length) throw new Error(`a copy of ${count} bytes does not fit`);
  if (offset >= count) out.copyWithin(size, size - offset, size - offset + count);
  else for (let at = size; at < end; at += 1) out[at] = out[at - offset]!;
  return end;
}
