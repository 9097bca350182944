/**
 * A workflow in the memory of a worker: the shell that every entity has, on a port that notes what it asks for, as Temporal's SDK
 * does. Whoever drives it keeps the history; the same history leads to the same commands.
 */
import type { TemporalPort } from '../../engine/workflow/entity/port.ts';
import type { Incarnation } from '../../engine/workflow/ledger-types.ts';
import type { Command, LocalCall, Outcome, Task } from './history.ts';

/** What a run of a workflow begins with. */
export interface RunStart {
  readonly workflowId: string;
  readonly runId: string;
  readonly incarnation: Incarnation;
  readonly taskQueue: string;
  /** It continues another run. */
  readonly continued: boolean;
  /** JSON of its argument. */
  readonly argument: string;
}

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
}

export class WorkflowInMemory {
  readonly #start: RunStart;
  readonly #begin: (port: TemporalPort, argument: unknown) => Promise<never>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #timers = new Map<number, () => void>();
  readonly #conditions = new Map<() => boolean, () => void>();
  readonly #queries = new Map<string, () => unknown>();
  #local: LocalCall[] = [];
  #commands: Command[] = [];
  #onEvents: ((batch: unknown) => void) | undefined;
  #onNudge: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  #now = 0;
  #events = 0;
  #asked = 0;

  constructor(start: RunStart, begin: (port: TemporalPort, argument: unknown) => Promise<never>) {
    this.#start = start;
    this.#begin = begin;
  }

  /** One workflow task: signals first, as with the SDK. Its commands; throws what the workflow's code threw. */
  async perform(
    { at, jobs }: Pick<Task, 'at' | 'jobs'>,
    callLocally: (call: LocalCall) => Outcome,
  ): Promise<Command[]> {
    this.#now = at;
    this.#commands = [];
    if (this.#onEvents === undefined) {
      this.#begin(this.#port(), JSON.parse(this.#start.argument)).catch(
        (error: unknown) => (this.#failure = { error }),
      );
    }
    for (const job of jobs) {
      if (job.type === 'signal') this.#onEvents!(JSON.parse(job.batch));
      else if (job.type === 'nudge') this.#onNudge!();
    }
    await this.#settle();
    for (const job of jobs) {
      if (job.type === 'timer') this.#ring(job.seq);
      else if (job.type === 'activity') this.#answer(job.seq, job.outcome);
    }
    await this.#settle();
    while (this.#local.length > 0) {
      for (const call of this.#local.splice(0)) this.#answer(call.seq, callLocally(call));
      await this.#settle();
    }
    this.#events += 3 + jobs.length + this.#commands.length;
    return this.#commands;
  }

  query(name: string): unknown {
    return this.#queries.get(name)?.();
  }

  /** Lets everything happen that follows from what has happened. */
  async #settle(): Promise<void> {
    do {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#failure !== undefined) throw this.#failure.error;
    } while (this.#unblock());
  }

  #unblock(): boolean {
    const due = [...this.#conditions].filter(([isSo]) => isSo());
    for (const [isSo, resolve] of due) {
      this.#conditions.delete(isSo);
      resolve();
    }
    return due.length > 0;
  }

  #ring(seq: number): void {
    const ring = this.#timers.get(seq);
    this.#timers.delete(seq);
    ring?.();
  }

  #answer(seq: number, outcome: Outcome): void {
    const waiting = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    if (waiting === undefined) return; // cancelled in this very task
    if (outcome.ok) waiting.resolve(JSON.parse(outcome.value) as never);
    else waiting.reject(failureOf(outcome.type));
  }

  #port(): TemporalPort {
    const { workflowId, runId, continued, incarnation, taskQueue } = this.#start;
    return {
      workflowId,
      runId,
      continued,
      incarnation,
      taskQueue,
      now: () => this.#now,
      history: () => ({ events: this.#events, bytes: 0, continueAsNewSuggested: false, newVersion: false }),
      onEvents: (handler) => void (this.#onEvents = handler),
      onForeign: () => undefined,
      patched: () => true,
      count: () => undefined,
      onNudge: (handler) => void (this.#onNudge = handler),
      onQuery: (name, handler) => void this.#queries.set(name, handler),
      until: (isSo) => (isSo() ? Promise.resolve() : new Promise((resolve) => this.#conditions.set(isSo, resolve))),
      timer: (ms, ring) => {
        const seq = (this.#asked += 1);
        this.#timers.set(seq, ring);
        this.#commands.push({ type: 'startTimer', seq, ms });
        return () => {
          if (this.#timers.delete(seq)) this.#commands.push({ type: 'cancelTimer', seq });
        };
      },
      call: (name, request, { local = false, scheduleToCloseTimeout }) => {
        const seq = (this.#asked += 1);
        const asked = { seq, name, request: JSON.stringify(request) };
        const result = new Promise<never>((resolve, reject) => this.#waiting.set(seq, { resolve, reject }));
        if (local) this.#local.push(asked);
        else this.#commands.push({ type: 'schedule', ...asked, timeout: scheduleToCloseTimeout ?? Infinity });
        return {
          result,
          cancel: () => {
            if (this.#waiting.delete(seq) && !local) this.#commands.push({ type: 'cancelActivity', seq });
          },
        };
      },
      continueAsNew: (start) => {
        this.#commands.push({ type: 'continueAsNew', argument: JSON.stringify(start) });
        return new Promise<never>(() => undefined);
      },
      describe: () => undefined,
      warn: () => undefined,
    };
  }
}

/** As the SDK gives a workflow the failure of an activity that was given up: with the failure of its last attempt. */
function failureOf(type: string): Error {
  const attempt = Object.assign(new Error(type), { type });
  return Object.assign(new Error('the activity timed out', { cause: attempt }), { name: 'TimeoutFailure' });
}
