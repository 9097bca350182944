/**
 * The simulated SDK: a worker of one task queue in a process. It replays what it does not have in memory, and compares
 * the commands with those of history, runs local activities inside the workflow task and regular ones beside it.
 */
import type { LookupAttempt } from '../../../activities/lookup-sessions.ts';
import type { ShardWorker } from '../../../src/engine/worker/shard-worker.ts';
import type { Noticed } from '../../../src/engine/workflow/entity/port.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import {
  backoffOf,
  failed,
  mayRetry,
  timeout,
  type Command,
  type Done,
  type Failed,
  type Job,
  type Marker,
  type Outcome,
  type TaskAttempt,
} from './history.ts';
import type { Program, SimActivities } from './program.ts';
import { act, beginTask, replay, type Step } from './replay.ts';
import { WorkflowInstance, type LocalCall } from './workflow-instance.ts';

export interface TaskCompletion {
  readonly commands: readonly Command[];
  readonly markers: readonly Marker[];
  /** The task goes on in another, for a local activity that takes long. */
  readonly heartbeat: boolean;
}

/** What the worker says to the server; each may fail, and then the server decides by its time-outs. */
export interface ServerLink {
  completeTask(task: TaskAttempt, completion: TaskCompletion): Promise<'done' | 'unknown task' | 'unhandled command'>;
  failTask(task: TaskAttempt, error: Error): Promise<void>;
  completeActivity(token: string, outcome: Done | Failed): Promise<void>;
}

/** How much of each a worker does at a time. */
export interface Slots {
  readonly tasks: number;
  readonly activities: number;
  readonly localActivities: number;
}

export interface SimShardWorkerOptions {
  readonly scheduler: Scheduler;
  readonly process: SimProcess;
  readonly taskQueue: string;
  readonly program: Program;
  /** Those that the workflow calls as local ones, and the others. */
  readonly activities: { readonly local: SimActivities; readonly regular: SimActivities };
  /** Chance that a workflow is thrown out of memory after a task. */
  readonly eviction: number;
  readonly slots: Slots;
  readonly link: ServerLink;
  /** A slot is free again. */
  readonly onFree: () => void;
  /** A workflow counts something, perhaps once more in a replay. */
  readonly onNoticed: (workflowId: string, what: Noticed) => void;
  readonly deregister: (worker: SimShardWorker) => void;
}

/** Local activities of one workflow, by sequence number: how each ended, undefined while it runs. */
interface LocalCalls {
  readonly under: Map<number, Outcome | undefined>;
  wake: () => void;
}

/** Of the activity that begins; it looks before it waits for anything. */
let current: LookupAttempt | undefined;

export function currentAttempt(): LookupAttempt {
  return current!;
}

/** ms of a task after which it is continued in another, while local activities run; below its time-out of 10 s. */
const HEARTBEAT = 8_000;
/** The same on a machine that is slow: the task has timed out. */
const LATE_HEARTBEAT = 12_000;
const IS_LATE = 0.2;
/** Of tasks that began long before: the worker had to replay the workflow, and they are soon completed to wait on. */
const BEGAN_EARLY = 0.2;
const SOON = 500;
/** Of tasks that timed out while local activities run. */
const GOES_ON = 0.5;
/** ms that what runs has when the worker is told to stop. */
const FORCE = 15_000;

export class SimShardWorker implements ShardWorker {
  readonly options: SimShardWorkerOptions;
  readonly #cached = new Map<string, WorkflowInstance>();
  /** Taken slots; those of activities count from when the server gives one to this worker. */
  readonly #taken = { tasks: 0, activities: 0, localActivities: 0 };
  readonly #localQueue: (() => void)[] = [];
  /** By run: the last task that was taken. */
  readonly #underWork = new Map<string, Promise<void>>();
  /** Attempts of activities that run. */
  readonly #busyWith = new Set<string>();
  #running = 0;
  #stopping = false;

  constructor(options: SimShardWorkerOptions) {
    this.options = options;
  }

  get process(): SimProcess {
    return this.options.process;
  }

  has(runId: string): boolean {
    return this.#cached.has(runId);
  }

  async stop(): Promise<void> {
    const { deregister, process } = this.options;
    this.#stopping = true;
    deregister(this);
    for (let waited = 0; this.#running > 0 && waited < FORCE; waited += 100) await process.clock.sleep(100);
    this.#cached.clear();
  }

  hasSlot(kind: 'tasks' | 'activities'): boolean {
    return this.#taken[kind] < this.options.slots[kind];
  }

  /** Whether this attempt of an activity can give signs of life. */
  isBusyWith(token: string): boolean {
    return this.process.running && this.#busyWith.has(token);
  }

  /** At the server: it gives something to this worker. */
  take(kind: 'tasks' | 'activities'): void {
    this.#taken[kind] += 1;
  }

  free(kind: 'tasks' | 'activities'): void {
    this.#taken[kind] -= 1;
    if (!this.#stopping) this.options.onFree();
  }

  /** Called in the process. */
  onTask(task: TaskAttempt): void {
    const { runId } = task.history;
    this.#running += 1;
    // As the SDK's core has it (`buffer_wft_if_outstanding_work`): one task of a run at a time, and the answer to it is waited for.
    const before = this.#underWork.get(runId) ?? Promise.resolve();
    const work = before
      .then(() => this.#workflowTask(task))
      .finally(() => {
        if (this.#underWork.get(runId) === work) this.#underWork.delete(runId);
        this.#running -= 1;
        this.free('tasks');
      });
    this.#underWork.set(runId, work);
  }

  onActivity(
    token: string,
    name: string,
    request: string,
    under: Pick<LookupAttempt, 'number' | 'scheduledAt' | 'limit'>,
  ): void {
    const { activities, link } = this.options;
    this.#running += 1;
    this.#busyWith.add(token);
    current = { ...under, cancelled: new AbortController().signal, heartbeat: () => undefined };
    void attempt(activities.regular, name, request)
      .then((outcome) => link.completeActivity(token, outcome))
      .catch(() => undefined) // the server repeats what it was not told of
      .finally(() => {
        this.#running -= 1;
        this.#busyWith.delete(token);
        this.free('activities');
      });
  }

  async #workflowTask(task: TaskAttempt): Promise<void> {
    const { link, eviction, scheduler, process } = this.options;
    const { runId, workflowId } = task.history;
    const { instance, owed } = await this.#bringUp(task);
    this.#cached.delete(runId);
    if (this.#goneOn.delete(instance)) {
      // As src/engine/workflow/entity/lost-tasks.ts has it.
      await link.failTask(task, new Error('the workflow task before this one was given up')).catch(() => undefined);
      return;
    }
    await beginTask(instance, this.#step, { ...task, jobs: [...owed, ...task.jobs] });
    const finished = await this.#localActivities(instance, task.startedAt);
    if (instance.failure !== undefined) {
      const { failure } = instance;
      scheduler.trace.add(process.name, () => `${workflowId}: the task fails: ${failure.message}`);
      await link.failTask(task, failure).catch(() => undefined);
      return;
    }
    const { commands, markers } = instance;
    instance.commands = [];
    instance.markers = [];
    instance.seen += 1;
    // In memory before the server is told: the next task may come before the answer.
    const ended = commands.some(({ type }) => type === 'continueAsNew');
    if (!ended && (!finished || !scheduler.random.chance(eviction)) && !this.#stopping) {
      this.#cached.set(runId, instance);
    }
    const answer = await link
      .completeTask(task, { commands, markers, heartbeat: !finished })
      .catch(() => 'no answer' as const);
    if (answer === 'done') return;
    this.#cached.delete(runId);
    // As the SDK was seen to do: it goes on with what it did in the task that timed out, in the next one.
    if (answer === 'unknown task' && !finished && !this.#stopping && scheduler.random.chance(GOES_ON)) {
      instance.commands = commands;
      instance.markers = markers;
      instance.seen -= 1;
      this.#goneOn.add(instance);
      this.#cached.set(runId, instance);
    }
  }

  /** Their task was given up. */
  readonly #goneOn = new WeakSet<WorkflowInstance>();

  /** The workflow as it was after the last completed task, from memory or by replay. */
  async #bringUp({
    history,
  }: TaskAttempt): Promise<{ readonly instance: WorkflowInstance; readonly owed: readonly Job[] }> {
    const known = this.#cached.get(history.runId);
    if (known !== undefined && known.seen === history.tasks.length) return { instance: known, owed: [] };
    const { scheduler, process } = this.options;
    const instance = new WorkflowInstance(
      this.options.program,
      history,
      (message) => scheduler.trace.add(process.name, () => message),
      (what) => this.options.onNoticed(history.workflowId, what),
    );
    const { different, owed } = await replay(instance, this.#step);
    if (different !== undefined) scheduler.fail(new Error(different));
    return { instance, owed };
  }

  /** Until none is left, or the task has to be continued in another: then false. */
  async #localActivities(instance: WorkflowInstance, startedAt: number): Promise<boolean> {
    const { scheduler } = this.options;
    const answers: Marker[] = [];
    const calls = this.#callsOf(instance);
    const { random } = scheduler;
    const soon = random.chance(BEGAN_EARLY) ? random.below(SOON) : Infinity;
    const heartbeat = startedAt + Math.min(soon, random.chance(IS_LATE) ? LATE_HEARTBEAT : HEARTBEAT);
    for (;;) {
      if (instance.failure !== undefined || instance.local.size === 0) return true;
      for (const call of instance.local.values()) {
        if (calls.under.has(call.seq)) continue;
        calls.under.set(call.seq, undefined);
        void this.#local(call, instance).then((outcome) => {
          calls.under.set(call.seq, outcome);
          calls.wake();
        });
      }
      await this.#untilAny(calls, heartbeat - scheduler.now);
      if (instance.failure !== undefined) return true;
      for (const [seq, outcome] of calls.under) {
        if (outcome === undefined) continue;
        calls.under.delete(seq);
        answers.push({ seq, at: scheduler.now, outcome });
      }
      if (answers.length === 0) return false;
      for (const marker of answers.splice(0)) {
        instance.markers.push(marker);
        await act(instance, this.#step, () => instance.answered(marker));
      }
    }
  }

  readonly #calls = new WeakMap<WorkflowInstance, LocalCalls>();

  #callsOf(instance: WorkflowInstance): LocalCalls {
    const calls = this.#calls.get(instance) ?? { under: new Map<number, Outcome | undefined>(), wake: () => undefined };
    this.#calls.set(instance, calls);
    return calls;
  }

  /** Until one has ended, or `ms` have passed. */
  async #untilAny(calls: LocalCalls, ms: number): Promise<void> {
    if (ms <= 0 || [...calls.under.values()].some((outcome) => outcome !== undefined)) return;
    const ended = new AbortController();
    calls.wake = () => ended.abort();
    await this.options.process.clock.sleep(ms, ended.signal);
  }

  async #local(call: LocalCall, instance: WorkflowInstance): Promise<Outcome> {
    const { process } = this.options;
    const until = process.clock.elapsed() + (call.options.scheduleToCloseTimeout ?? Infinity);
    for (let attempts = 1; ; attempts += 1) {
      const outcome = await this.#localAttempt(call);
      if (outcome.ok || !mayRetry(call.options, attempts, outcome) || process.clock.elapsed() >= until) return outcome;
      await process.clock.sleep(backoffOf(call.options, attempts));
      if (instance.failure !== undefined) return outcome;
    }
  }

  /** In a slot of its own; one that timed out keeps it until it is really over. */
  async #localAttempt(call: LocalCall): Promise<Outcome> {
    const { activities, process, slots } = this.options;
    if (this.#taken.localActivities < slots.localActivities) this.#taken.localActivities += 1;
    else await new Promise<void>((resolve) => this.#localQueue.push(resolve));
    const over = new AbortController();
    const result = attempt(activities.local, call.name, call.request).finally(() => {
      const next = this.#localQueue.shift();
      if (next === undefined) this.#taken.localActivities -= 1;
      else next();
    });
    const late = process.clock
      .sleep(call.options.startToCloseTimeout, over.signal)
      .then((): Failed => timeout('start-to-close'));
    const outcome = await Promise.race([result, late]);
    over.abort();
    return outcome;
  }

  /** One thing in the process, and all that follows from it without waiting. */
  readonly #step: Step = (run) =>
    new Promise((resolve) =>
      this.options.scheduler.after(0, this.options.process, () => {
        run();
        resolve();
      }),
    );
}

async function attempt(activities: SimActivities, name: string, request: string): Promise<Done | Failed> {
  try {
    const value = await activities[name]!(JSON.parse(request) as never);
    return { ok: true, value: JSON.stringify(value ?? null) };
  } catch (error) {
    return failed(error);
  }
}
