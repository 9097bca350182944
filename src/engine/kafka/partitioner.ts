/**
 * Kafka's default partitioner for keyed records, byte for byte as in the Java client (`Utils.murmur2`, `toPositive`):
 * which partition a key lives in, and which shard its workflow.
 */
const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;
// Also in workflows, which have no Buffer, and whose types have nothing of Node.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
const UTF8 = new TextEncoder();

/** 32-bit murmur2 of `key`, as a signed integer. */
export function murmur2(key: Uint8Array): number {
  const length = key.length;
  let h = SEED ^ length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    let k = byte(key, i) | (byte(key, i + 1) << 8) | (byte(key, i + 2) << 16) | (byte(key, i + 3) << 24);
    k = Math.imul(k, M);
    k ^= k >>> R;
    k = Math.imul(k, M);
    h = Math.imul(h, M) ^ k;
  }
  const rest = length - i;
  if (rest >= 3) h ^= byte(key, i + 2) << 16;
  if (rest >= 2) h ^= byte(key, i + 1) << 8;
  if (rest >= 1) h = Math.imul(h ^ byte(key, i), M);
  h ^= h >>> 13;
  h = Math.imul(h, M);
  h ^= h >>> 15;
  return h | 0;
}

/** The partition of a key among `partitions`. */
export function partitionOf(key: Uint8Array | string, partitions: number): number {
  return (murmur2(typeof key === 'string' ? UTF8.encode(key) : key) & 0x7fffffff) % partitions;
}

function byte(key: Uint8Array, index: number): number {
  return key[index] ?? 0;
}
