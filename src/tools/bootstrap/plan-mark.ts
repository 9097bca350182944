/**
 * What a bootstrap has begun: metadata of offsets committed for a group of its own, before the first workflow is started.
 * Whoever goes on goes on to the same ends: a workflow that was started has the state there and no other.
 */
import type { LogNames } from '../../engine/ordering/log-identity.ts';
import { isOffsets, metadataFields, metadataText } from '../../engine/ordering/offset-metadata.ts';
import { INPUTS, type Offsets } from '../../money/domain/events.ts';

/** The input whose committed offset carries the mark. */
export const MARKED = INPUTS.indexOf('money');

export interface BootstrapPlan {
  /** What decides the state, as text; another one is another bootstrap. */
  readonly identity: string;
  readonly starts: Offsets;
  readonly ends: Offsets;
  /** Ids of the input topics; absent in marks before 0.3. */
  readonly logs?: LogNames;
  /** Epoch ms. */
  readonly begunAt: number;
}

export function encodeMark(mark: BootstrapPlan): string {
  return metadataText(mark);
}

/** Undefined for metadata that is no mark. */
export function decodeMark(text: string): BootstrapPlan | undefined {
  const mark = metadataFields(text);
  if (mark === undefined) return undefined;
  const usable =
    typeof mark['identity'] === 'string' &&
    typeof mark['begunAt'] === 'number' &&
    isOffsets(mark['starts'], INPUTS.length) &&
    isOffsets(mark['ends'], INPUTS.length);
  return usable ? (mark as unknown as BootstrapPlan) : undefined;
}
