/** Starts workflows with the state that was made for them: each once, so many a second, over failures of the server. */
import { WorkflowExecutionAlreadyStartedError, isGrpcServiceError, type WorkflowClient } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import type { Snapshot } from '../../../workflows/life.ts';
import { NO_WORKFLOW } from '../../engine/workflow/entity/life.ts';
import { WORKFLOW_TYPE } from '../../../workflows/messages.ts';
import { stored } from '../../engine/workflow/mark.ts';
import { STATIC_SUMMARY, workflowOf } from '../../money/bridge/temporal-signaller.ts';
import type { Clock } from '../../engine/clock.ts';
import type { Config } from '../../money/config.ts';
import { CodedError, messageOf } from '../../engine/errors.ts';
import { concurrently } from '../../engine/concurrently.ts';
import type { Logger } from '../../engine/log.ts';
import { within } from '../../engine/temporal/connection.ts';

export interface StartSettings {
  readonly config: Pick<Config, 'appId' | 'userIdHashKey'>;
  /** Partitions of the output topic. */
  readonly shards: number;
  /** Workflows a second at most. */
  readonly rate: number;
  /** Names the bootstrap; a workflow that is there already must be of the same one. */
  readonly name: string;
}

export interface StartDeps {
  readonly client: WorkflowClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Why one could not be started, which is tried again; for people. */
  readonly onRetry?: (reason: string) => void;
}

export interface Started {
  started: number;
  /** By an earlier run of this bootstrap; left as they are. */
  there: number;
}

const AT_A_TIME = 32;
/** ms; a request that takes longer is in doubt and repeated. */
const DEADLINE = 10_000;
const MAX_BACKOFF = 5_000;
/** Name in the memo of the workflows. */
const MEMO = 'bootstrap';
/** Statuses of gRPC with which the same request fails for ever. */
const FINAL_CODES = new Set([3, 7, 12, 16]);
const RESOURCE_EXHAUSTED = 8;
const RETRY = 'a workflow could not be started, and is tried again';

/**
 * Errors: CodedError CHECK_FAILED (a workflow of the user runs that is not of this bootstrap; the state is too large),
 * UNREACHABLE (refused by the server, or without the namespace); the reason of `stopping`.
 */
export async function startWorkflows(
  snapshots: AsyncIterable<Snapshot> | Iterable<Snapshot>,
  settings: StartSettings,
  { client, clock, logger, onRetry }: StartDeps,
  stopping: AbortSignal,
  sum: Started,
): Promise<void> {
  const workflow = workflowOf(settings.config, settings.shards);
  const { rate, name } = settings;
  let next = clock.elapsed();

  const start = async ({ userId, life }: Snapshot): Promise<'started' | 'there'> => {
    const { workflowId, taskQueue } = workflow(userId);
    const args = [
      stored('Start', { userId, life: { ...life, incarnation: NO_WORKFLOW, published: { applied: 0, resolved: 0 } } }),
    ];
    for (let backoff = 100; ; backoff = Math.min(2 * backoff, MAX_BACKOFF)) {
      stopping.throwIfAborted();
      try {
        await within(DEADLINE, client, () =>
          client.start(WORKFLOW_TYPE, {
            workflowId,
            taskQueue,
            args,
            memo: { [MEMO]: name },
            staticSummary: STATIC_SUMMARY,
          }),
        );
        return 'started';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) {
          if ((await startedBy(workflowId)) === name) return 'there';
          throw new CodedError(
            'CHECK_FAILED',
            `workflow "${workflowId}" runs already, and this bootstrap did not start it: stop the bridges, terminate the workflows of this app id, and run it again`,
          );
        }
        if (error instanceof NamespaceNotFoundError) {
          throw new CodedError('UNREACHABLE', `${error.message}: name another one (TEMPORAL_NAMESPACE), or create it`, {
            cause: error,
          });
        }
        const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
        if (isGrpcServiceError(cause) && isHopeless(cause)) {
          throw new CodedError('UNREACHABLE', `workflow "${workflowId}" cannot be started: ${cause.details}`, {
            cause: error,
          });
        }
        logger.warn({ error: messageOf(cause) }, RETRY);
        onRetry?.(`${RETRY}: ${messageOf(cause)}`);
        await clock.sleep(backoff, stopping);
      }
    }
  };
  const startedBy = async (workflowId: string): Promise<unknown> => {
    const { memo } = await within(DEADLINE, client, () => client.getHandle(workflowId).describe());
    return memo?.[MEMO];
  };

  const paced = async function* (): AsyncGenerator<Snapshot> {
    for await (const snapshot of snapshots) {
      stopping.throwIfAborted();
      next = Math.max(next + 1_000 / rate, clock.elapsed() - 1_000);
      if (next > clock.elapsed()) await clock.sleep(next - clock.elapsed(), stopping);
      yield snapshot;
    }
  };
  const outcomes = concurrently(paced(), AT_A_TIME, (snapshot) =>
    start(snapshot).then(
      (outcome) => ({ outcome }),
      (error: unknown) => ({ error }),
    ),
  );
  for await (const result of outcomes) {
    if ('error' in result) throw result.error;
    sum[result.outcome] += 1;
  }
}

/** "Exhausted" is a server with too much to do, which is asked again; or a message above its limit, which stays so. */
function isHopeless({ code, details }: { readonly code: unknown; readonly details: string }): boolean {
  return FINAL_CODES.has(Number(code)) || (Number(code) === RESOURCE_EXHAUSTED && /larger than max/i.test(details));
}
