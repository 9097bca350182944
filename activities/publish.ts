import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { EnrichmentError, messageOf, type ErrorCode } from '../src/engine/errors.ts';
import { WorkflowReset } from '../src/engine/publish/refusals.ts';
import { FAILURES, type Activities, type PublishRequest } from './contract.ts';

export interface PublishDeps {
  readonly publisher: { publish(request: PublishRequest): Promise<void> };
  /** Whether the attempt is one of a local activity; Temporal is asked when absent. */
  readonly isLocal?: () => boolean;
}

const FAILURE_TYPES: Partial<Record<ErrorCode, string>> = {
  SHARD_NOT_OWNED: FAILURES.shardNotOwned,
  SEQUENCE_GAP: FAILURES.sequenceGap,
  STALE_INCARNATION: FAILURES.staleIncarnation,
  DIVERGENCE: FAILURES.divergence,
  WORKFLOW_RESET: FAILURES.workflowReset,
  OUTPUT_REFUSED: FAILURES.outputRefused,
};
/** A local activity fails its task at once, which then waits without a slot; a regular one is tried again by itself. */
const RETRIED: ReadonlySet<ErrorCode | undefined> = new Set<ErrorCode>(['SHARD_NOT_OWNED', 'OUTPUT_REFUSED']);

/** As an attempt may be repeated as often as Temporal likes: what the ledger has is not published again. */
export function createPublish({ publisher, isLocal = () => activityInfo().isLocal }: PublishDeps): Activities['publish'] {
  return async (request) => {
    try {
      await publisher.publish(request);
      return request.signals === undefined ? undefined : { signals: request.signals };
    } catch (error) {
      const code = error instanceof EnrichmentError ? error.code : undefined;
      const type = (code && FAILURE_TYPES[code]) ?? FAILURES.publishFailed;
      throw ApplicationFailure.create({
        type,
        message: messageOf(error),
        nonRetryable: type !== FAILURES.publishFailed && (!RETRIED.has(code) || isLocal()),
        ...(error instanceof WorkflowReset && { details: [error.last] }),
        ...(error instanceof Error && { cause: error }),
      });
    }
  };
}
