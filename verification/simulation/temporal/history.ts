/** What the simulated Temporal has on disk: payloads as text, so that nothing in memory is shared by accident. */
import type { Incarnation } from '../../../src/engine/workflow/ledger-types.ts';
import type { CallOptions } from '../../../src/engine/workflow/entity/port.ts';

export type Done = { readonly ok: true; readonly value: string };
export type Failed = {
  readonly ok: false;
  readonly type: string;
  readonly message: string;
  readonly nonRetryable: boolean;
  /** ms; before the call's own. */ readonly nextRetryDelay?: number;
  readonly details?: readonly unknown[];
  readonly cause?: Failed;
};
export type Outcome = Done | Failed;

/** What a workflow task brings to the workflow. */
export type Job =
  | { readonly type: 'signal'; readonly batch: string; /** Absent: the product's. */ readonly name?: string }
  | { readonly type: 'timer'; readonly seq: number }
  | { readonly type: 'activity'; readonly seq: number; readonly outcome: Outcome };

export type Command =
  | { readonly type: 'startTimer'; readonly seq: number; readonly ms: number }
  | { readonly type: 'cancelTimer'; readonly seq: number }
  | {
      readonly type: 'schedule';
      readonly seq: number;
      readonly name: string;
      readonly request: string;
      readonly options: CallOptions;
    }
  | { readonly type: 'cancelActivity'; readonly seq: number }
  | { readonly type: 'continueAsNew'; readonly start: string };

/** What a local activity answered. */
export interface Marker {
  readonly seq: number;
  readonly at: number;
  readonly outcome: Outcome;
}

/** A workflow task that was completed. */
export interface Task {
  readonly startedAt: number;
  readonly events: number;
  readonly bytes: number;
  readonly suggested: boolean;
  readonly jobs: readonly Job[];
  readonly commands: readonly Command[];
  readonly markers: readonly Marker[];
  /** It was completed for a heartbeat, recorded nothing, and nothing came meanwhile: a replay takes it for a part of the next one. */
  readonly isOneWithNext: boolean;
}

/** All that a worker needs to bring a workflow where it stands. */
export interface RunHistory {
  readonly workflowId: string;
  readonly runId: string;
  readonly incarnation: Incarnation;
  readonly start: string;
  readonly taskQueue: string;
  readonly tasks: readonly Task[];
}

/** One attempt at the next workflow task. */
export interface TaskAttempt {
  readonly history: RunHistory;
  readonly attempt: number;
  readonly startedAt: number;
  /** Length and size of the history when it started. */
  readonly events: number;
  readonly bytes: number;
  readonly suggested: boolean;
  readonly jobs: readonly Job[];
}

export function failed(error: unknown): Failed {
  const { type, nonRetryable, message, nextRetryDelay, details } = error as {
    type?: string | null;
    nonRetryable?: boolean | null;
    message?: string;
    nextRetryDelay?: unknown;
    details?: readonly unknown[] | null;
  };
  return {
    ok: false,
    type: type ?? 'Error',
    message: message ?? String(error),
    nonRetryable: nonRetryable === true,
    ...(typeof nextRetryDelay === 'number' && { nextRetryDelay }),
    ...(details && { details }),
  };
}

/** Of the server: no answer in time. */
export function timeout(message: string, cause?: Failed): Failed {
  return { ok: false, type: TIMEOUT, message, nonRetryable: false, ...(cause === undefined ? {} : { cause }) };
}

const TIMEOUT = 'Timeout';

/** As the SDK gives it to a workflow: a chain of causes. */
export function errorOf({ type, message, details, cause }: Failed): Error {
  const error = new Error(`${type}: ${message}`, cause === undefined ? {} : { cause: errorOf(cause) });
  if (type === TIMEOUT) error.name = 'TimeoutFailure';
  else Object.assign(error, { type, ...(details && { details }) });
  return error;
}

/** ms before attempt `attempt + 1`. */
export function backoffOf({ retry }: CallOptions, attempt: number): number {
  const { initialInterval = 1_000, backoffCoefficient = 2, maximumInterval = 100 * initialInterval } = retry;
  return Math.min(maximumInterval, initialInterval * backoffCoefficient ** (attempt - 1));
}

export function mayRetry({ retry }: CallOptions, attempt: number, { type, nonRetryable }: Failed): boolean {
  return (
    !nonRetryable &&
    !(retry.nonRetryableErrorTypes ?? []).includes(type) &&
    attempt < (retry.maximumAttempts ?? Infinity)
  );
}
