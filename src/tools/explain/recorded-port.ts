/**
 * The {@link TemporalPort} of a run that is recorded: what the workflow asks for is noted, and what came of it is told by
 * whoever drives the port (replayed-run.ts). As with Temporal's SDK:
 *
 * - activities and timers are numbered in the order in which they are asked for, local activities with the others;
 * - what is cancelled in the task in which it was asked for is no command, and a cancellation is one a step later;
 * - an answer takes a few steps to who waits for it. Of two things that happen at once, the number of steps decides which is seen first.
 */
import type { Call, CallOptions, Foreign, TemporalPort } from '../../engine/workflow/entity/port.ts';
import type { Incarnation } from '../../engine/workflow/ledger-types.ts';
import { commands } from './commands.ts';
import type { RecordedFailure, RecordedRun, TaskStart } from './recorded.ts';

/** Hears of the workflow while it runs. */
export interface PortListener {
  /** It asks for an activity. */
  called(activityId: string, name: string, request: object): void;
  /** It has done all that follows from what happened, and waits, or continues as new. */
  waits(): void;
}

/** What came to a workflow from outside. */
type Message =
  | { readonly type: 'signal'; readonly batch: unknown }
  | { readonly type: 'nudge' }
  | { readonly type: 'foreign'; readonly kind: Foreign; readonly name: string };

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class RecordedPort implements TemporalPort {
  readonly workflowId: string;
  readonly runId: string;
  readonly continued: boolean;
  readonly incarnation: Incarnation;
  readonly taskQueue: string;
  readonly queries = new Map<string, (...args: never[]) => unknown>();
  /** What the next run is started with, once it is asked for. */
  carried: object | undefined;
  readonly #listener: PortListener;
  #started: TaskStart & { readonly id: number } = { id: 0, bytes: 0, continueAsNewSuggested: false, newVersion: false };
  #now = 0;
  #calls = 0;
  #timers = 0;
  readonly #waiting = new Map<string, Waiting>();
  readonly #rings = new Map<string, () => void>();
  readonly #conditions = new Map<() => boolean, () => void>();
  readonly #changes = new Set<string>();
  /** Of the task. */
  #commands: string[] = [];
  #early: Message[] = [];
  #onEvents: ((batch: unknown) => void) | undefined;
  #onNudge: (() => void) | undefined;
  #onForeign: ((kind: Foreign, name: string) => void) | undefined;

  constructor({ workflowId, runId, continued, startedAt, firstRunId, taskQueue }: RecordedRun, listener: PortListener) {
    this.workflowId = workflowId;
    this.runId = runId;
    this.continued = continued;
    this.incarnation = { startedAt, runId: firstRunId };
    this.taskQueue = taskQueue;
    this.#listener = listener;
  }

  /** A task begins; `at`: epoch ms. */
  begin(started: TaskStart & { readonly id: number; readonly at: number }): void {
    this.#started = started;
    this.raise(started.at);
    this.#commands = [];
  }

  /** The workflow's clock goes on, never back. */
  raise(now: number): void {
    this.#now = Math.max(this.#now, now);
  }

  /** Recorded with this change in force, from this task on. */
  patch(change: string): void {
    this.#changes.add(change);
  }

  deliver(message: Message): void {
    if (message.type === 'signal' && this.#onEvents !== undefined) this.#onEvents(message.batch);
    else if (message.type === 'nudge' && this.#onNudge !== undefined) this.#onNudge();
    else if (message.type === 'foreign' && this.#onForeign !== undefined) this.#onForeign(message.kind, message.name);
    else this.#early.push(message);
  }

  /** False: nobody waits for this timer. */
  fire(timerId: string): boolean {
    const ring = this.#rings.get(timerId);
    this.#rings.delete(timerId);
    ring?.();
    return ring !== undefined;
  }

  waitsFor(activityId: string): boolean {
    return this.#waiting.has(activityId);
  }

  /** Of an activity that is waited for. */
  answer(activityId: string, answer: { readonly result: unknown } | { readonly failure: RecordedFailure }): void {
    const waiting = this.#waiting.get(activityId);
    this.#waiting.delete(activityId);
    if ('failure' in answer) waiting?.reject(errorOf(answer.failure));
    else waiting?.resolve(answer.result);
  }

  /** Lets go on what waits for something that is so by now; whether there was any. */
  unblock(): boolean {
    let any = false;
    for (const [isSo, resolve] of this.#conditions) {
      if (!isSo()) continue;
      this.#conditions.delete(isSo);
      resolve();
      any = true;
    }
    return any;
  }

  /** What the workflow has asked for in this task. */
  get commands(): readonly string[] {
    return [...this.#commands, ...(this.carried === undefined ? [] : [commands.continuedAsNew])];
  }

  now(): number {
    return this.#now;
  }

  history(): ReturnType<TemporalPort['history']> {
    const { id, bytes, continueAsNewSuggested, newVersion } = this.#started;
    return { events: id, bytes, continueAsNewSuggested, newVersion };
  }

  onEvents(handler: (batch: unknown) => void): void {
    this.#onEvents = handler;
    this.#deliverEarly();
  }

  onNudge(handler: () => void): void {
    this.#onNudge = handler;
    this.#deliverEarly();
  }

  onForeign(handler: (kind: Foreign, name: string) => void): void {
    this.#onForeign = handler;
    this.#deliverEarly();
  }

  readonly patched = (change: string): boolean => this.#changes.has(change);

  onQuery(name: string, handler: (...args: never[]) => unknown): void {
    this.queries.set(name, handler);
  }

  async until(isSo: () => boolean): Promise<void> {
    this.#listener.waits();
    return isSo() ? Promise.resolve() : new Promise((resolve) => this.#conditions.set(isSo, resolve));
  }

  timer(_ms: number, ring: () => void): () => void {
    const timerId = String((this.#timers += 1));
    const fired = new Promise<void>((resolve) => this.#rings.set(timerId, resolve));
    this.#commands.push(commands.timerStarted(timerId));
    const call = cancellable(passedOn(fired));
    void call.result.then(() => call.isCancelled() || ring());
    return () => {
      call.cancel();
      queueMicrotask(() => {
        if (this.#rings.delete(timerId)) {
          this.#cancel(commands.timerStarted(timerId), commands.timerCancelled(timerId));
        }
      });
    };
  }

  call<T>(name: string, request: object, { local }: CallOptions): Call<T> {
    const activityId = String((this.#calls += 1));
    this.#listener.called(activityId, name, request);
    const answered = new Promise<T>((resolve, reject) =>
      this.#waiting.set(activityId, { resolve: resolve as (result: unknown) => void, reject }),
    );
    if (local) return cancellable(passedOn(passedOn(passedOn(answered))));
    this.#commands.push(commands.scheduled(name, activityId));
    const call = cancellable(passedOn(answered));
    return {
      result: call.result,
      cancel: () => {
        call.cancel();
        queueMicrotask(() => {
          if (this.#waiting.has(activityId)) {
            this.#cancel(commands.scheduled(name, activityId), commands.cancelRequested(activityId));
          }
        });
      },
    };
  }

  continueAsNew(start: object): Promise<never> {
    this.#listener.waits();
    this.carried = start;
    return new Promise<never>(() => undefined);
  }

  count(): void {}

  describe(): void {}

  warn(): void {}

  #deliverEarly(): void {
    for (const message of this.#early.splice(0)) this.deliver(message);
  }

  #cancel(command: string, cancellation: string): void {
    const at = this.#commands.indexOf(command);
    if (at < 0) this.#commands.push(cancellation);
    else this.#commands.splice(at, 1);
  }
}

/** As many steps as an async function takes that awaits something and returns it. */
async function passedOn<T>(answer: Promise<T>): Promise<T> {
  return await answer;
}

function cancellable<T>(answer: Promise<T>): Call<T> & { readonly isCancelled: () => boolean } {
  let cancelled = false;
  const result = new Promise<T>((resolve, reject) => {
    answer.then(resolve, (error: unknown) => {
      if (!cancelled) reject(error as Error);
    });
  });
  return { result, isCancelled: () => cancelled, cancel: () => void (cancelled = true) };
}

/** As the SDK gives it to a workflow: a chain of causes. */
function errorOf({ message, types, resetTo }: RecordedFailure): Error {
  let error = new Error(message);
  for (const type of types.toReversed()) {
    error = new Error(message, { cause: error });
    if (type === TIMEOUT) error.name = TIMEOUT;
    else Object.assign(error, { type, ...(resetTo === undefined ? {} : { details: [resetTo] }) });
  }
  return error;
}

const TIMEOUT = 'TimeoutFailure';
