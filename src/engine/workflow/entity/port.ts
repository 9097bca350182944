/**
 * What a workflow needs of Temporal, and nothing more. `sdk-port.ts` is Temporal's SDK; a simulation can stand
 * in for it, and then runs the same code that production runs.
 */
import type { Incarnation } from '../ledger-types.ts';

/** All times in ms. */
export interface CallOptions {
  /** What it is for, in words, for Temporal's UI; one line. */
  readonly summary?: string;
  /** Within the workflow task, by the process that runs it; what it answers is in the history only when the task is. */
  readonly local?: boolean;
  /** The queue of the workers that take it; the workflow's own when absent. */
  readonly taskQueue?: string;
  /** ms of one attempt. */
  readonly startToCloseTimeout: number;
  /** ms of all attempts together. */
  readonly scheduleToCloseTimeout?: number;
  /** ms between two signs of life, of an activity that gives them. */
  readonly heartbeatTimeout?: number;
  readonly retry: {
    readonly initialInterval?: number;
    readonly backoffCoefficient?: number;
    readonly maximumInterval?: number;
    readonly maximumAttempts?: number;
    readonly nonRetryableErrorTypes?: string[];
  };
}

/** An activity under way. */
export interface Call<T> {
  /**
   * Rejects when no more attempts are made: the failure of an attempt is in the chain of causes, and a `TimeoutFailure` when a
   * time-out ended it. Settles no more once cancelled, unless it was settled then.
   */
  readonly result: Promise<T>;
  cancel(): void;
}

/** What came to a workflow and is none of what it knows. */
export type Foreign = 'signal' | 'update' | 'cancellation' | 'start';

/** What operators want to know of all workflows: counted by the worker, at least once for each time. */
export type Noticed =
  | { readonly what: 'forgotten'; readonly kind: string }
  | { readonly what: 'not-ours'; readonly kind: Foreign }
  | { readonly what: 'happened'; readonly kind: 'second-partition' | 'waits-for-room' };

export interface TemporalPort {
  readonly workflowId: string;
  readonly runId: string;
  /** This run continues another. */
  readonly continued: boolean;
  /** The name that this run and all that it continues have. */
  readonly incarnation: Incarnation;
  /** That of its workflow tasks. */
  readonly taskQueue: string;
  /** Epoch ms; the same whenever the workflow's history is replayed. */
  now(): number;
  /** The history of this run. `newVersion`: its code is pinned, and another version of it is the current one by now. */
  history(): {
    readonly events: number;
    readonly bytes: number;
    readonly continueAsNewSuggested: boolean;
    readonly newVersion: boolean;
  };
  /** Every batch, in the order in which Temporal recorded them; it may be anything. */
  onEvents(handler: (batch: unknown) => void): void;
  /** What came and nobody knows; it was dropped. `name` as the sender gave it. */
  onForeign(handler: (kind: Foreign, name: string) => void): void;
  /** True where this change of the code is in force: everywhere but where a history was recorded without it. */
  patched(change: string): boolean;
  count(noticed: Noticed, times: number): void;
  /** How much waits in this workflow now, by kind: for a gauge of the worker, told again whenever a history is replayed. */
  standing?(waiting: Readonly<Record<string, number>>): void;
  /** Somebody wants this run to be continued as new. */
  onNudge(handler: () => void): void;
  /** `description`: for Temporal's UI. */
  onQuery(name: string, handler: (...args: never[]) => unknown, description?: string): void;
  /** Resolves as soon as it is so. */
  until(condition: () => boolean): Promise<void>;
  /** Rings once, after `ms`; returns how to cancel it. `summary`: what it is for, in words, for Temporal's UI; one line. */
  timer(ms: number, ring: () => void, summary?: string): () => void;
  /** Calls an activity by its name. */
  call<T>(name: string, request: object, options: CallOptions): Call<T>;
  /** Ends this run; the next begins, on the current version of the code, with `start` and every signal that this one did not receive. */
  continueAsNew(start: object): Promise<never>;
  /** For people, in Temporal's UI. */
  describe(text: string): void;
  warn(message: string, details: Readonly<Record<string, unknown>>): void;
}
