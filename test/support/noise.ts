import { createHash } from 'node:crypto';

/** Bytes that no codec makes smaller, always the same. */
export function noise(bytes: number): Buffer<ArrayBuffer> {
  const blocks = Array.from({ length: Math.ceil(bytes / 64) }, (_, n) =>
    createHash('sha512').update(String(n)).digest(),
  );
  return Buffer.from(Buffer.concat(blocks).subarray(0, bytes));
}
