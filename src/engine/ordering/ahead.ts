/**
 * How far a triple has come but for a few workflows whose signals wait. Its checkpoint stands before their first record, for as long as
 * they wait, and a restart reads from there. What is behind them and of other workflows was acknowledged: it is not sent again, and
 * the watermark of those others goes on.
 */
import { createHash } from 'node:crypto';
import { isOffsets } from './offset-metadata.ts';
import type { InputOffsets } from './decoded.ts';

export interface Ahead {
  /** Everything read before this place is acknowledged, but for what is of these workflows. */
  readonly next: InputOffsets;
  /** As it was there, epoch ms. */
  readonly watermark: number;
  /** Short names of the workflows, at most {@link MAX_EXCEPT}. */
  readonly except: readonly string[];
}

/** It rides in the metadata of a committed offset, of which a broker takes 4,096 bytes by default. */
export const MAX_EXCEPT = 40;

/** Of a workflow, for metadata: two that share one are both taken for one that waits, which costs signals and nothing else. */
export function shortName(workflowId: string): string {
  return createHash('sha256').update(workflowId).digest('hex').slice(0, 16);
}

export function isAhead(value: unknown): value is Ahead {
  if (typeof value !== 'object' || value === null) return false;
  const { next, watermark, except } = value as Partial<Record<keyof Ahead, unknown>>;
  return (
    Array.isArray(next) &&
    isOffsets(next, next.length) &&
    typeof watermark === 'number' &&
    Array.isArray(except) &&
    except.every((name) => typeof name === 'string')
  );
}

export function sameAhead(a: Ahead | undefined, b: Ahead | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.watermark === b.watermark &&
    a.next.every((offset, input) => offset === b.next[input]) &&
    a.except.join() === b.except.join()
  );
}
