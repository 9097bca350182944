/**
 * How a user's outputs are published. While Kafka takes nothing, for days perhaps, no history may grow: a local activity adds
 * events as long as it runs (a heartbeat of its task each 8 s), so after some seconds a regular one goes on, which the server
 * repeats without an event, and soon after Kafka is back.
 */
import { FAILURES, type PublishRequest } from '../activities/contract.ts';
import type { CallOptions, Engine } from './engine.ts';

/** What no repetition by the same process mends. */
const FINAL: readonly string[] = [FAILURES.shardNotOwned, FAILURES.sequenceGap, FAILURES.staleIncarnation, FAILURES.divergence];

const LOCALLY: CallOptions = {
  local: true,
  startToCloseTimeout: 20_000,
  // Three heartbeats at most.
  scheduleToCloseTimeout: 25_000,
  retry: { initialInterval: 50, maximumInterval: 2_000, nonRetryableErrorTypes: [...FINAL] },
};
const DURABLY: CallOptions = { startToCloseTimeout: 10_000, retry: { initialInterval: 200, maximumInterval: 5_000 } };

/**
 * Calls back once: when the outputs are published, or, with an error that fails the task, for what is {@link FINAL}. Not a promise:
 * recorded histories have the number of steps between an answer and what follows from it.
 */
export function publishLocally(engine: Engine, request: PublishRequest, published: () => void, fail: (error: Error) => void): void {
  engine.call('publish', request, LOCALLY).result.then(published, (error: unknown) => {
    if (isFinal(error)) fail(taskFailure(describe(request), error));
    else publishDurably(engine, request, published, fail);
  });
}

export function publishDurably(engine: Engine, request: PublishRequest, published: () => void, fail: (error: Error) => void): void {
  engine.call('publish', request, DURABLY).result.then(published, (error: unknown) => fail(taskFailure(describe(request), error)));
}

/**
 * Fails the workflow task, never the workflow: the server gives the task to whoever owns the shard now. The SDK fails a
 * workflow, and with it loses the user's state, for every failure type of Temporal's own that leaves it (also a local
 * activity's, which comes bare and not as an ActivityFailure), and the task for any other error.
 */
export function taskFailure(what: string, error: unknown): Error {
  return new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

function describe({ stream, first, outputs }: PublishRequest): string {
  return `Publishing ${outputs.length} ${stream} outputs from ${first} on`;
}

function isFinal(error: unknown): boolean {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    if (FINAL.includes((one as { type?: unknown }).type as string)) return true;
  }
  return false;
}
