/** What a workflow makes of a publish that failed. */
import { PUBLISH_FAILURES } from './publish-failure-types.ts';

/** What no repetition by the same process mends. */
export const FINAL: readonly string[] = [
  PUBLISH_FAILURES.shardNotOwned,
  PUBLISH_FAILURES.sequenceGap,
  PUBLISH_FAILURES.staleIncarnation,
  PUBLISH_FAILURES.divergence,
  PUBLISH_FAILURES.workflowReset,
];

/** The failure of {@link FINAL} among the causes; undefined when it is none of them. */
export function finalFailureOf(
  error: unknown,
): { readonly type?: unknown; readonly details?: readonly unknown[] } | undefined {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    if (FINAL.includes((one as { type?: unknown }).type as string)) {
      return one as { type?: unknown; details?: unknown[] };
    }
  }
  return undefined;
}

/** The last sequence number of the stream in the ledger, where the workflow was reset and is to go on after it. */
export function lastBeforeReset(error: unknown): number | undefined {
  const failure = finalFailureOf(error);
  const last = failure?.type === PUBLISH_FAILURES.workflowReset ? failure.details?.[0] : undefined;
  return typeof last === 'number' ? last : undefined;
}

/**
 * Fails the workflow task, never the workflow: the server gives the task to whoever owns the shard now. The SDK fails a
 * workflow, and with it loses its state, for every failure type of Temporal's own that leaves it (also a local
 * activity's, which comes bare and not as an ActivityFailure), and the task for any other error.
 */
export function taskFailure(what: string, error: unknown): Error {
  return new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}
