/**
 * A workflow in the memory of a worker: the workflow of a program on a port that records commands, as Temporal's
 * SDK does. Whoever drives it lets promises settle between two calls.
 */
import type { CallOptions, Foreign, Noticed, TemporalPort } from '../../../src/engine/workflow/entity/port.ts';
import { EVENTS_SIGNAL } from '../../../src/engine/workflow/entity/names.ts';
import { errorOf, type Command, type Job, type Marker, type Outcome, type RunHistory } from './history.ts';
import type { Program } from './program.ts';

export interface LocalCall {
  readonly seq: number;
  readonly name: string;
  readonly request: string;
  readonly options: CallOptions;
}

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
}

export class WorkflowInstance {
  readonly history: RunHistory;
  /** Tasks of the history that it has seen. */
  seen = 0;
  /** Of the task that is under way. */
  commands: Command[] = [];
  markers: Marker[] = [];
  /** Why the workflow's code threw. */
  failure: Error | undefined;
  now = 0;
  events = 0;
  bytes = 0;
  suggested = false;
  readonly local = new Map<number, LocalCall>();
  readonly queries = new Map<string, (...args: never[]) => unknown>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #timers = new Map<number, () => void>();
  readonly #conditions = new Set<{ readonly isSo: () => boolean; readonly resolve: () => void }>();
  #onEvents: (batch: unknown) => void = () => {
    throw new Error('a signal came before the workflow was ready for it');
  };
  #onForeign: (kind: Foreign, name: string) => void = () => undefined;
  #seq = 0;
  #began = false;
  readonly #program: Program;
  readonly #warn: (message: string) => void;
  readonly #count: (what: Noticed) => void;

  constructor(
    program: Program,
    history: RunHistory,
    warn: (message: string) => void,
    count: (what: Noticed) => void = () => undefined,
  ) {
    this.#program = program;
    this.history = history;
    this.#warn = warn;
    this.#count = count;
  }

  /** A workflow task begins: signals first, as the SDK does; `others` is the second half. */
  signals(jobs: readonly Job[]): void {
    if (!this.#began) {
      this.#began = true;
      this.#program
        .begin(this.#port(), JSON.parse(this.history.start))
        .catch((error: unknown) => (this.failure = error as Error));
    }
    for (const job of jobs) {
      if (job.type !== 'signal') continue;
      if (job.name === undefined || job.name === EVENTS_SIGNAL) this.#onEvents(JSON.parse(job.batch));
      else this.#onForeign('signal', job.name);
    }
  }

  others(jobs: readonly Job[]): void {
    for (const job of jobs) {
      if (job.type === 'timer') {
        const ring = this.#timers.get(job.seq);
        this.#timers.delete(job.seq);
        ring?.();
      } else if (job.type === 'activity') {
        this.#settle(job.seq, job.outcome);
      }
    }
  }

  /** What a local activity answered. */
  answered(marker: Marker): void {
    this.now = Math.max(this.now, marker.at);
    this.local.delete(marker.seq);
    this.#settle(marker.seq, marker.outcome);
  }

  /** Lets go on what waits for something that is so by now; whether there was any. */
  unblock(): boolean {
    let any = false;
    for (const condition of [...this.#conditions]) {
      if (!condition.isSo()) continue;
      this.#conditions.delete(condition);
      condition.resolve();
      any = true;
    }
    return any;
  }

  #settle(seq: number, outcome: Outcome): void {
    const waiting = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    if (waiting === undefined) return; // cancelled
    if (outcome.ok) waiting.resolve(JSON.parse(outcome.value) as never);
    else waiting.reject(errorOf(outcome));
  }

  #port(): TemporalPort {
    return {
      workflowId: this.history.workflowId,
      runId: this.history.runId,
      continued: ['life', 'withoutKey'].some((name) => name in (JSON.parse(this.history.start) as object)),
      incarnation: this.history.incarnation,
      taskQueue: this.history.taskQueue,
      now: () => this.now,
      history: () => ({
        events: this.events,
        bytes: this.bytes,
        continueAsNewSuggested: this.suggested,
        newVersion: false,
      }),
      onEvents: (handler) => void (this.#onEvents = handler),
      onForeign: (handler) => void (this.#onForeign = handler),
      patched: () => true,
      count: (what) => this.#count(what),
      // The simulated server suggests to continue at any moment, which is the same to the workflow.
      onNudge: () => undefined,
      onQuery: (name, handler) => void this.queries.set(name, handler),
      until: (isSo) => (isSo() ? Promise.resolve() : new Promise((resolve) => this.#conditions.add({ isSo, resolve }))),
      timer: (ms, ring) => {
        const seq = (this.#seq += 1);
        this.#timers.set(seq, ring);
        this.commands.push({ type: 'startTimer', seq, ms });
        return () => {
          if (this.#timers.delete(seq)) this.commands.push({ type: 'cancelTimer', seq });
        };
      },
      call: (name, request, options) => {
        const seq = (this.#seq += 1);
        const text = JSON.stringify(request);
        const result = new Promise<never>((resolve, reject) => this.#waiting.set(seq, { resolve, reject }));
        if (options.local) this.local.set(seq, { seq, name, request: text, options });
        else this.commands.push({ type: 'schedule', seq, name, request: text, options });
        return {
          result,
          cancel: () => {
            if (this.#waiting.delete(seq) && !options.local) this.commands.push({ type: 'cancelActivity', seq });
          },
        };
      },
      continueAsNew: (start) => {
        this.commands.push({ type: 'continueAsNew', start: JSON.stringify(start) });
        return new Promise<never>(() => undefined);
      },
      describe: () => undefined,
      warn: (message) => this.#warn(message),
    };
  }
}
