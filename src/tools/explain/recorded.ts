/** A run's history in the words of this product: only the events that its workflow reacts to or brings about, decoded. */
import type { Start } from '../../../workflows/life.ts';

/** What a workflow sees of its own history while it does a task. */
export interface TaskStart {
  /** Of the history. */
  readonly bytes: number;
  readonly continueAsNewSuggested: boolean;
  readonly newVersion: boolean;
}

/** What came to a workflow, and what became of its tasks. */
export type Incoming =
  | { readonly type: 'signal'; readonly batch: unknown }
  | { readonly type: 'nudge' }
  | { readonly type: 'foreign'; readonly kind: 'signal' | 'cancellation'; readonly name: string }
  | ({ readonly type: 'task-started' } & TaskStart)
  /** `goesOn`: another task is scheduled by it, as it waits for a local activity. */
  | { readonly type: 'task-completed'; readonly goesOn: boolean }
  | { readonly type: 'task-failed'; readonly message: string }
  | { readonly type: 'timer-fired'; readonly timerId: string }
  /** Written with the end of the last attempt. */
  | { readonly type: 'started'; readonly scheduled: number; readonly attempt: number; readonly lastFailure?: string }
  | { readonly type: 'completed'; readonly scheduled: number; readonly result: unknown }
  /** No attempt is made any more. */
  | { readonly type: 'ended-without'; readonly scheduled: number; readonly failure: RecordedFailure }
  | { readonly type: 'closed'; readonly how: string };

/** What a task led to; recorded right behind it. */
export type Commanded =
  | { readonly type: 'scheduled'; readonly activityId: string; readonly name: string; readonly request: unknown }
  | { readonly type: 'cancel-requested'; readonly scheduled: number }
  | { readonly type: 'timer-started'; readonly timerId: string }
  | { readonly type: 'timer-cancelled'; readonly timerId: string }
  | LocalAnswer
  | { readonly type: 'patched'; readonly change: string }
  /** Answered by the task that it came with. */
  | { readonly type: 'update'; readonly name: string }
  | { readonly type: 'continued-as-new' };

/** Of a local activity. `completedAt`: epoch ms of the workflow's clock. */
type LocalAnswer = {
  readonly type: 'answered-locally';
  readonly activityId: string;
  readonly completedAt?: number;
} & ({ readonly result: unknown } | { readonly failure: RecordedFailure });

export type RecordedEvent = {
  readonly id: number;
  /** Wall clock of the Temporal server, epoch ms. */
  readonly at: number;
} & (Incoming | Commanded);

export interface RecordedFailure {
  readonly message: string;
  /** Of the failure and its causes: types of the product's own failures, and `TimeoutFailure`. */
  readonly types: readonly string[];
  /** Of a publish after a reset: the last number of its stream. */
  readonly resetTo?: number;
}

export interface RecordedRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly taskQueue: string;
  /** When Temporal started it, epoch ms. */
  readonly startedAt: number;
  readonly firstRunId: string;
  /** It continues another run. */
  readonly continued: boolean;
  readonly start: Start;
  readonly events: readonly RecordedEvent[];
}
