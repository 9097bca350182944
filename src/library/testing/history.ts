/** What the Temporal of tests keeps of a workflow. Values are JSON text, so that nothing is shared in memory by accident. */

/** How an activity ended; a failure has the type of its last attempt's. */
export type Outcome = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly type: string };

/** What a workflow task brings to the workflow. */
export type Job =
  | { readonly type: 'start' }
  | { readonly type: 'signal'; readonly batch: string }
  | { readonly type: 'nudge' }
  | { readonly type: 'timer'; readonly seq: number }
  | { readonly type: 'activity'; readonly seq: number; readonly outcome: Outcome };

export interface LocalCall {
  readonly seq: number;
  readonly name: string;
  readonly request: string;
}

/** What a workflow asks for. `seq` numbers activities and timers of a run; `ms` and `timeout` in ms. */
export type Command =
  | { readonly type: 'startTimer'; readonly seq: number; readonly ms: number }
  | { readonly type: 'cancelTimer'; readonly seq: number }
  | ({ readonly type: 'schedule'; readonly timeout: number } & LocalCall)
  | { readonly type: 'cancelActivity'; readonly seq: number }
  | { readonly type: 'continueAsNew'; readonly argument: string };

/** A workflow task that was completed. */
export interface Task {
  /** Epoch ms. */
  readonly at: number;
  readonly jobs: readonly Job[];
  readonly commands: readonly Command[];
  /** What local activities answered, by `seq`. */
  readonly answered: ReadonlyMap<number, Outcome>;
}
