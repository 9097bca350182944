/**
 * How far a triple of a backfill is: metadata of the offset committed for its money topic, in the transactions that write
 * its outputs. It pins what the result depends on (the ends of the logs, the rules, the window), so that an interrupted
 * run goes on as it began, and says how many records of the triple the output topic holds.
 */
import type { LogNames } from '../../engine/ordering/log-identity.ts';
import { isOffsets, metadataFields, metadataText } from '../../engine/ordering/offset-metadata.ts';
import { INPUTS, type Offsets } from '../../money/domain/events.ts';

/** The input whose committed offset carries the mark. */
export const MARKED = INPUTS.indexOf('money');

export interface BackfillProgress {
  /** What decides the content, as text; another one is another backfill. */
  readonly identity: string;
  readonly starts: Offsets;
  readonly ends: Offsets;
  /** Ids of the input topics; absent in marks before 0.3. */
  readonly logs?: LogNames;
  readonly done: boolean;
  /** Offsets read, of the sum of `ends - starts`. */
  readonly read: number;
  /** Records of this triple in the output topic. */
  readonly written: number;
  readonly deadLetters: number;
  readonly duplicates: number;
  readonly late: number;
  readonly lookedUp: number;
  readonly incomplete: number;
  /** Lookups that wait for an answer. */
  readonly open: number;
}

const NUMBERS = ['read', 'written', 'deadLetters', 'duplicates', 'late', 'lookedUp', 'incomplete', 'open'] as const;

export function encodeMark(mark: BackfillProgress): string {
  return metadataText(mark);
}

/** Undefined for metadata that is no mark. */
export function decodeMark(text: string): BackfillProgress | undefined {
  const mark = metadataFields(text);
  if (mark === undefined) return undefined;
  const usable =
    typeof mark['identity'] === 'string' &&
    typeof mark['done'] === 'boolean' &&
    isOffsets(mark['starts'], INPUTS.length) &&
    isOffsets(mark['ends'], INPUTS.length) &&
    NUMBERS.every((name) => typeof mark[name] === 'number');
  return usable ? (mark as unknown as BackfillProgress) : undefined;
}

export function lengthOf({ starts, ends }: Pick<BackfillProgress, 'starts' | 'ends'>): number {
  return ends.reduce((sum, end, input) => sum + end - starts[input]!, 0);
}
