import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { CodedError, messageOf, type ErrorCode } from '../errors.ts';
import { PUBLISH_FAILURES } from '../workflow/publish-failure-types.ts';
import type { Publisher } from './publisher.ts';
import { WorkflowReset } from './refusals.ts';
import type { Identified, PublishAnswer, PublishRequest } from '../workflow/publish-request.ts';

export interface PublishDeps<R extends Identified> {
  readonly publisher: Publisher<R>;
  /** Whether the attempt is one of a local activity; Temporal is asked when absent. */
  readonly isLocal?: () => boolean;
}

const FAILURE_TYPES: Partial<Record<ErrorCode, string>> = {
  SHARD_NOT_OWNED: PUBLISH_FAILURES.shardNotOwned,
  SEQUENCE_GAP: PUBLISH_FAILURES.sequenceGap,
  STALE_INCARNATION: PUBLISH_FAILURES.staleIncarnation,
  DIVERGENCE: PUBLISH_FAILURES.divergence,
  WORKFLOW_RESET: PUBLISH_FAILURES.workflowReset,
  OUTPUT_REFUSED: PUBLISH_FAILURES.outputRefused,
};
/** What only a person mends. */
const FOR_A_PERSON: readonly ErrorCode[] = ['SEQUENCE_GAP', 'STALE_INCARNATION', 'DIVERGENCE'];
/** ms to the next attempt of that. */
const UNTIL_MENDED = 60_000;
/**
 * A local activity fails its task at once, which then waits without a slot and asks again. A regular one is tried again by itself:
 * its failure would be in the history, for every replay to come, also when a person has mended what it was about.
 */
const RETRIED: readonly ErrorCode[] = ['SHARD_NOT_OWNED', 'OUTPUT_REFUSED', ...FOR_A_PERSON];

/** The publish activity. As an attempt may be repeated as often as Temporal likes: what the ledger has is not published again. */
export function publishActivity<R extends Identified>({
  publisher,
  isLocal = () => activityInfo().isLocal,
}: PublishDeps<R>): (request: PublishRequest<R>) => Promise<PublishAnswer> {
  return async (request) => {
    try {
      const at = await publisher.publish(request);
      const { signals } = request;
      return { ...(signals !== undefined && { signals }), ...(typeof at === 'number' && { at }) };
    } catch (error) {
      const code = error instanceof CodedError ? error.code : undefined;
      const type = (code && FAILURE_TYPES[code]) ?? PUBLISH_FAILURES.publishFailed;
      throw ApplicationFailure.create({
        type,
        message: messageOf(error),
        nonRetryable: type !== PUBLISH_FAILURES.publishFailed && (!isAmong(RETRIED, code) || isLocal()),
        ...(isAmong(FOR_A_PERSON, code) && { nextRetryDelay: UNTIL_MENDED }),
        ...(error instanceof WorkflowReset && { details: [error.last] }),
        ...(error instanceof Error && { cause: error }),
      });
    }
  };
}

function isAmong(codes: readonly ErrorCode[], code: ErrorCode | undefined): boolean {
  return code !== undefined && codes.includes(code);
}
