/**
 * What a bootstrap has begun: metadata of offsets committed for a group of its own, before the first workflow is started.
 * Whoever goes on goes on to the same ends: a workflow that was started has the state there and no other.
 */
import type { Offsets } from '../domain/events.ts';

export interface Mark {
  /** What decides the state, as text; another one is another bootstrap. */
  readonly identity: string;
  readonly starts: Offsets;
  readonly ends: Offsets;
  /** Epoch ms. */
  readonly begunAt: number;
}

export function bootstrapGroupOf(appId: string): string {
  return `${appId}-bootstrap`;
}

export function encodeMark(mark: Mark): string {
  return JSON.stringify({ v: 1, ...mark });
}

/** Undefined for metadata that is no mark. */
export function decodeMark(text: string): Mark | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { v, ...mark } = parsed as Record<string, unknown>;
  const usable = v === 1 && typeof mark['identity'] === 'string' && typeof mark['begunAt'] === 'number' && isOffsets(mark['starts']) && isOffsets(mark['ends']);
  return usable ? (mark as unknown as Mark) : undefined;
}

function isOffsets(value: unknown): value is Offsets {
  return Array.isArray(value) && value.length === 3 && value.every(Number.isSafeInteger);
}
