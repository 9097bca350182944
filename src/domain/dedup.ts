/** Dedup by money id (semantics, section 3): an entry is visible while `tau <= ts + dedupTtl`; nothing refreshes it. */

export function isDuplicate(dedup: Record<string, number>, id: string, tau: number, dedupTtl: number): boolean {
  const ts = dedup[id];
  return ts !== undefined && tau <= ts + dedupTtl;
}

export function forgetDuplicates(dedup: Record<string, number>, tau: number, dedupTtl: number): void {
  for (const id in dedup) {
    if (tau > dedup[id]! + dedupTtl) delete dedup[id];
  }
}
