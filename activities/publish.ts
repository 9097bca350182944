import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { EnrichmentError, messageOf, type ErrorCode } from '../src/errors.ts';
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
};

/** As an attempt may be repeated as often as Temporal likes: what the ledger has is not published again. */
export function createPublish({ publisher, isLocal = () => activityInfo().isLocal }: PublishDeps): Activities['publish'] {
  return async (request) => {
    try {
      await publisher.publish(request);
    } catch (error) {
      const code = error instanceof EnrichmentError ? error.code : undefined;
      const type = (code && FAILURE_TYPES[code]) ?? FAILURES.publishFailed;
      throw ApplicationFailure.create({
        type,
        message: messageOf(error),
        // A lost shard: a local activity fails the task at once, a regular one is tried again where the shard is now.
        nonRetryable: type !== FAILURES.publishFailed && (code !== 'SHARD_NOT_OWNED' || isLocal()),
        ...(error instanceof Error && { cause: error }),
      });
    }
  };
}
