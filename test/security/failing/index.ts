/** A workflow that meets each kind of failure once: of an activity that is tried again, of one that is not, of a task, its own. */
import { ApplicationFailure, condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';
import { WORDS } from './words.ts';

export interface FailingActivities {
  /** Fails until somebody lets it succeed. */
  retried(): Promise<void>;
  refused(): Promise<void>;
}

/** Lets the task of the workflow succeed. */
export const mend = defineSignal('mend');

export async function failing(): Promise<void> {
  let mended = false;
  setHandler(mend, () => void (mended = true));
  const { retried, refused } = proxyActivities<FailingActivities>({
    startToCloseTimeout: '1m',
    retry: { initialInterval: '200ms', backoffCoefficient: 1 },
  });
  await retried();
  await refused().catch(() => undefined);
  if (!mended) throw new Error(WORDS.task);
  await condition(() => mended);
  throw ApplicationFailure.nonRetryable(WORDS.workflow);
}
