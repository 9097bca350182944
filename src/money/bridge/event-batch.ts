import type { Batch } from '../../engine/bridge/signaller.ts';
import type { EventBatch } from '../domain/types.ts';

/** A batch of this application's decoder, in the form in which workflows are sent it. */
export function eventBatchOf({ logs, key, ...batch }: Batch): EventBatch {
  const [user, session, money] = logs ?? [];
  const named =
    user === undefined || session === undefined || money === undefined ? {} : { logs: { user, session, money } };
  return { ...batch, ...named, userId: key } as unknown as EventBatch;
}
