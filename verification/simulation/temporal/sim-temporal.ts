/**
 * Temporal as far as this product sees it: durable histories, workflow tasks that time out, are lost and are repeated
 * with more in them, sticky workers, local activities inside a task (SimShardWorker), regular ones with retries, timers,
 * continue-as-new that is refused while something new is there. What is on its disk survives {@link SimServer.stop}.
 */
import type { Noticed } from '../../../src/engine/workflow/entity/port.ts';
import type { SimProcess } from '../kernel/process.ts';
import { SimServer } from '../kernel/network.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { Run, type Activity } from './execution.ts';
import {
  backoffOf,
  mayRetry,
  timeout,
  type Command,
  type Done,
  type Failed,
  type Job,
  type TaskAttempt,
} from './history.ts';
import { InvalidArgument, plainBytes, type TemporalLimits } from './limits.ts';
import type { Program, SimActivities } from './program.ts';
import { cutOff } from './reset.ts';
import { SimShardWorker, type ServerLink, type Slots, type TaskCompletion } from './shard-worker.ts';

/** ms */
const TASK_TIMEOUT = 10_000;
const STICKY_TIMEOUT = 3_000;

export interface SimTemporalOptions {
  readonly scheduler: Scheduler;
  readonly program: Program;
  /** Chance that a task that was given to a worker never reaches it. */
  lostTasks: number;
  /** Chance that a worker forgets a workflow after a task. */
  readonly eviction: number;
  readonly slots: Slots;
  readonly limits: TemporalLimits;
  /** Signals of a run after which the server suggests continue-as-new: between the two. */
  readonly suggestAfter: readonly [number, number];
  /** A workflow counts something, perhaps once more in a replay. */
  readonly onNoticed?: (workflowId: string, what: Noticed) => void;
}

export class SimTemporal {
  readonly server: SimServer;
  readonly options: SimTemporalOptions;
  /** By workflow id: the current run. */
  readonly runs = new Map<string, Run>();
  readonly closed: Run[] = [];
  readonly counts = {
    signals: 0,
    tasks: 0,
    tasksRepeatedWithMore: 0,
    taskTimeouts: 0,
    continuedAsNew: 0,
    continueAsNewWithSignals: 0,
    heartbeats: 0,
    replays: 0,
    waitedForSlot: 0,
    resets: 0,
    terminations: 0,
  };
  /** Bytes, and events of the longest history. */
  readonly largest = { largestSignal: 0, largestCarried: 0, longestHistory: 0, largestHistory: 0 };
  readonly #scheduler: Scheduler;
  readonly #workers = new Map<string, SimShardWorker[]>();
  /** By task queue: what waits for a slot. */
  readonly #queues = new Map<string, (() => void)[]>();
  /** What becomes due while the server is down. */
  #due: (() => void)[] = [];
  #ids = 0;

  constructor(options: SimTemporalOptions) {
    this.options = options;
    this.#scheduler = options.scheduler;
    this.server = new SimServer(options.scheduler, 'temporal');
  }

  stop(): void {
    this.server.stop();
  }

  start(): void {
    this.server.start();
    const due = this.#due;
    this.#due = [];
    for (const run of due) run();
    for (const run of this.runs.values()) this.#dispatchAll(run);
  }

  /** At the server. */
  signalWithStart(workflowId: string, taskQueue: string, start: string, batch: string): Run {
    const bytes = this.options.program.bytesOf('EventBatch', batch);
    this.#largest('largestSignal', bytes);
    const { limits } = this.options;
    if (bytes > limits.payload) throw new InvalidArgument(`Blob data size exceeds limit: ${bytes} bytes`);
    const run = this.runs.get(workflowId) ?? this.#begin(workflowId, taskQueue, start);
    if (run.signals >= limits.signals) throw new InvalidArgument('exceeded workflow execution limit for signal events');
    run.signals += 1;
    run.grow(bytes);
    this.counts.signals += 1;
    this.#happened(run, { type: 'signal', batch });
    this.#checkHistory(run);
    return run;
  }

  /** Somebody who is not the product signals a workflow that runs. */
  signalFromOutside(workflowId: string, name: string, payload: string): void {
    const run = this.runs.get(workflowId);
    if (run === undefined || !this.server.up || run.signals >= this.options.limits.signals) return;
    run.signals += 1;
    run.grow(payload.length);
    this.#happened(run, { type: 'signal', name, batch: payload });
  }

  /** Somebody terminates a workflow: the next signal starts another. False when there is none. */
  terminate(workflowId: string): boolean {
    const run = this.runs.get(workflowId);
    if (run === undefined || !this.server.up) return false;
    this.#close(run);
    this.runs.delete(workflowId);
    this.counts.terminations += 1;
    this.#scheduler.trace.add('temporal', () => `${workflowId} is terminated`);
    return true;
  }

  /** The runs that continued each other as new up to the current one, the latest first. */
  chainOf(workflowId: string): readonly Run[] {
    const chain: Run[] = [];
    for (let run = this.runs.get(workflowId); run !== undefined; run = run.before) chain.push(run);
    return chain;
  }

  /** Somebody resets a workflow to the `kept`th task of the run `back` runs ago; the signals since are given to the new run. */
  reset(workflowId: string, back: number, kept: number): void {
    const chain = this.chainOf(workflowId)
      .slice(0, back + 1)
      .reverse();
    const base = chain[0]!;
    const { tasks, jobs, activities, timers } = cutOff(chain, kept);
    this.#close(chain.at(-1)!);
    const { incarnation, start, taskQueue, before } = base;
    const run = this.#newRun({ workflowId, runId: this.#newId('run'), incarnation, start, taskQueue, before });
    for (const task of tasks) run.complete(task);
    run.jobs = [...jobs];
    for (const { type, ...job } of [...tasks.flatMap((task) => task.jobs), ...jobs]) {
      if (type !== 'signal') continue;
      run.signals += 1;
      run.grow('batch' in job ? job.batch.length : 0);
    }
    this.runs.set(workflowId, run);
    this.counts.resets += 1;
    this.#scheduler.trace.add(
      'temporal',
      () => `${workflowId} is reset to task ${kept} of the run ${back} runs ago, with ${jobs.length} jobs`,
    );
    const { now } = this.#scheduler;
    for (const { seq, at } of timers) this.#execute(run, { type: 'startTimer', seq, ms: Math.max(0, at - now) });
    for (const activity of activities) this.#execute(run, activity);
    run.task = { attempt: 1, started: undefined };
    this.#dispatch(run);
  }

  #close(run: Run): void {
    run.close();
    this.closed.push(run);
  }

  /** The server would terminate it, and its state would be lost: a promise is broken. */
  #checkHistory({ workflowId, events, bytes }: Run): void {
    this.#largest('longestHistory', events);
    this.#largest('largestHistory', bytes);
    const { historyEvents, historyBytes } = this.options.limits;
    if (events <= historyEvents && bytes <= historyBytes) return;
    this.#scheduler.fail(
      new Error(
        `${workflowId}: a history of ${events} events and ${bytes} bytes is beyond the server's limits: terminated`,
      ),
    );
  }

  /** The server would fail the workflow that asks for it. */
  #checkPayload({ workflowId }: Run, what: string, bytes: number): void {
    if (bytes <= this.options.limits.payload) return;
    this.#scheduler.fail(
      new Error(
        `${workflowId}: ${what} of ${bytes} bytes is beyond the server's limit of a payload: the workflow fails`,
      ),
    );
  }

  #largest(count: 'largestSignal' | 'largestCarried' | 'longestHistory' | 'largestHistory', value: number): void {
    this.largest[count] = Math.max(this.largest[count], value);
  }

  /** A worker begins to poll. `activities`: see {@link SimShardWorker}. */
  startWorker(
    process: SimProcess,
    taskQueue: string,
    activities: { readonly local: SimActivities; readonly regular: SimActivities },
    slots = this.options.slots,
  ): SimShardWorker {
    const deregister = (gone: SimShardWorker): void => {
      this.#workers.set(
        taskQueue,
        this.#workersOf(taskQueue).filter((other) => other !== gone),
      );
    };
    const { eviction, program } = this.options;
    const worker = new SimShardWorker({
      scheduler: this.#scheduler,
      process,
      taskQueue,
      program,
      activities,
      eviction,
      slots,
      link: this.#linkOf(process),
      deregister,
      onNoticed: (workflowId, what) => this.options.onNoticed?.(workflowId, what),
      onFree: () => this.#dispatchQueue(taskQueue),
    });
    process.onDeath(() => deregister(worker));
    this.#workers.set(taskQueue, [...this.#workersOf(taskQueue), worker]);
    for (const run of this.runs.values()) this.#dispatchAll(run);
    return worker;
  }

  /** What waited for a slot, the longest first. */
  #dispatchQueue(taskQueue: string): void {
    const waiting = this.#queues.get(taskQueue);
    if (waiting === undefined) return;
    this.#queues.delete(taskQueue);
    for (const dispatch of waiting) dispatch();
  }

  #enqueue(taskQueue: string, dispatch: () => void): void {
    const waiting = this.#queues.get(taskQueue) ?? [];
    this.#queues.set(taskQueue, waiting);
    waiting.push(dispatch);
    this.counts.waitedForSlot += 1;
  }

  #dispatchAll(run: Run): void {
    this.#dispatch(run);
    for (const activity of run.activities.values()) this.#dispatchActivity(run, activity);
  }

  #workersOf(taskQueue: string): SimShardWorker[] {
    return this.#workers.get(taskQueue) ?? [];
  }

  #begin(workflowId: string, taskQueue: string, start: string): Run {
    const runId = this.#newId('run');
    const run = this.#newRun({
      workflowId,
      runId,
      incarnation: { startedAt: this.#scheduler.now, runId },
      start,
      taskQueue,
      before: undefined,
    });
    this.runs.set(workflowId, run);
    return run;
  }

  #newRun(options: Omit<ConstructorParameters<typeof Run>[0], 'suggestAfter'>): Run {
    const [from, to] = this.options.suggestAfter;
    return new Run({ ...options, suggestAfter: from + this.#scheduler.random.below(to - from + 1) });
  }

  #happened(run: Run, job: Job): void {
    run.jobs.push(job);
    run.task ??= { attempt: 1, started: undefined };
    this.#dispatch(run);
  }

  /** Gives the open task to a worker, if it waits for one. */
  #dispatch(run: Run): void {
    const { task } = run;
    if (task === undefined || task.started !== undefined || !this.server.up || this.runs.get(run.workflowId) !== run) {
      return;
    }
    const worker = this.#choose(run);
    if (worker === undefined) return;
    if (!worker.hasSlot('tasks')) return this.#enqueue(run.taskQueue, () => this.#dispatch(run));
    worker.take('tasks');
    const { events, bytes } = run;
    const attempt: TaskAttempt = {
      history: {
        workflowId: run.workflowId,
        runId: run.runId,
        incarnation: run.incarnation,
        start: run.start,
        taskQueue: run.taskQueue,
        tasks: [...run.tasks],
      },
      attempt: task.attempt,
      startedAt: this.#scheduler.now,
      events,
      bytes,
      suggested: run.signals >= run.suggestAfter,
      jobs: [...run.jobs],
    };
    const deadline = this.#later(TASK_TIMEOUT, () => this.#taskFailed(attempt, 'timed out'));
    task.started = { startedAt: attempt.startedAt, jobs: attempt.jobs.length, deadline, worker };
    run.sticky = worker;
    this.counts.tasks += 1;
    if (!worker.has(run.runId) && run.tasks.length > 0) this.counts.replays += 1;
    this.#deliver(worker, 'tasks', () => worker.onTask(attempt));
  }

  /** The one that has it in memory, unless that one did not answer the last time. */
  #choose(run: Run): SimShardWorker | undefined {
    const workers = this.#workersOf(run.taskQueue);
    if (run.sticky !== undefined && workers.includes(run.sticky)) return run.sticky;
    return this.#pick(workers, 'tasks');
  }

  /** One with a free slot, if there is one. */
  #pick(workers: readonly SimShardWorker[], kind: 'tasks' | 'activities'): SimShardWorker | undefined {
    const free = workers.filter((worker) => worker.hasSlot(kind));
    const candidates = free.length === 0 ? workers : free;
    return candidates.length === 0 ? undefined : this.#scheduler.random.pick(candidates);
  }

  #deliver(worker: SimShardWorker, kind: 'tasks' | 'activities', run: () => void): void {
    const { random } = this.#scheduler;
    const lost = random.chance(this.options.lostTasks) || !this.server.reaches(worker.process);
    this.#scheduler.after(
      1 + Math.floor(this.#scheduler.skewed() * 20),
      worker.process,
      lost ? () => worker.free(kind) : run,
    );
  }

  /** The run whose task this attempt still is; another's answer does not count. */
  #runOf({ history, attempt, startedAt }: TaskAttempt): Run | undefined {
    const run = this.runs.get(history.workflowId);
    const isOpen =
      run?.runId === history.runId && run.task?.started?.startedAt === startedAt && run.task.attempt === attempt;
    return isOpen && run.tasks.length === history.tasks.length ? run : undefined;
  }

  #taskFailed(attempt: TaskAttempt, why: string): void {
    const run = this.#runOf(attempt);
    if (run === undefined) return;
    const task = run.task!;
    task.started!.deadline.cancel();
    task.started = undefined;
    task.attempt += 1;
    run.sticky = undefined;
    if (why === 'timed out') this.counts.taskTimeouts += 1;
    if (run.jobs.length > attempt.jobs.length) this.counts.tasksRepeatedWithMore += 1;
    this.#scheduler.trace.add(
      'temporal',
      () => `${run.workflowId}: task ${run.tasks.length + 1}, attempt ${attempt.attempt} ${why}`,
    );
    const wait = why === 'timed out' ? STICKY_TIMEOUT : Math.min(10_000, 100 * 2 ** task.attempt);
    this.#later(wait, () => this.#dispatch(run));
  }

  #completeTask(
    attempt: TaskAttempt,
    { commands, markers, heartbeat }: TaskCompletion,
  ): 'done' | 'unknown task' | 'unhandled command' {
    const run = this.#runOf(attempt);
    if (run === undefined) return 'unknown task';
    const { jobs: covered, deadline, worker } = run.task!.started!;
    const last = commands.find((command) => command.type === 'continueAsNew');
    const fresh = run.jobs.slice(covered);
    if (last !== undefined && fresh.some(({ type }) => type === 'signal')) this.counts.continueAsNewWithSignals += 1;
    if (last !== undefined && fresh.length > 0) {
      this.#taskFailed(attempt, 'continued as new with something new in between');
      return 'unhandled command';
    }
    deadline.cancel();
    const isOneWithNext = heartbeat && commands.length === 0 && markers.length === 0 && fresh.length === 0;
    run.complete({
      isOneWithNext,
      startedAt: attempt.startedAt,
      events: attempt.events,
      bytes: attempt.bytes,
      suggested: attempt.suggested,
      jobs: run.jobs.slice(0, covered),
      commands,
      markers,
    });
    run.jobs = fresh;
    run.task = fresh.length > 0 || heartbeat ? { attempt: 1, started: undefined } : undefined;
    run.sticky = worker;
    if (heartbeat) this.counts.heartbeats += 1;
    for (const command of commands) this.#execute(run, command);
    this.#checkHistory(run);
    this.#dispatch(run);
    return 'done';
  }

  #execute(run: Run, command: Command): void {
    switch (command.type) {
      case 'startTimer': {
        const { seq, ms } = command;
        const fire = (): void => {
          if (run.timers.delete(seq)) this.#happened(run, { type: 'timer', seq });
        };
        run.timers.set(seq, this.#later(ms, fire));
        return;
      }
      case 'cancelTimer':
        run.timers.get(command.seq)?.cancel();
        run.timers.delete(command.seq);
        return;
      case 'schedule': {
        const { seq, name, request, options } = command;
        const { now } = this.#scheduler;
        const activity: Activity = {
          seq,
          name,
          request,
          options,
          attempt: 1,
          scheduledAt: now,
          limit: undefined,
          lastFailure: undefined,
          token: undefined,
          deadline: undefined,
        };
        const { scheduleToCloseTimeout } = options;
        if (scheduleToCloseTimeout !== undefined) {
          const timer = this.#later(scheduleToCloseTimeout, () =>
            this.#endActivity(run, activity, timeout('schedule-to-close', activity.lastFailure)),
          );
          activity.limit = { at: now + scheduleToCloseTimeout, timer };
        }
        const bytes = plainBytes(request);
        this.#checkPayload(run, `the input of ${name}`, bytes);
        run.grow(bytes);
        run.activities.set(seq, activity);
        this.#dispatchActivity(run, activity);
        return;
      }
      case 'cancelActivity': {
        const activity = run.activities.get(command.seq);
        activity?.deadline?.cancel();
        activity?.limit?.timer.cancel();
        run.activities.delete(command.seq);
        return;
      }
      case 'continueAsNew': {
        const { workflowId, incarnation, taskQueue } = run;
        const bytes = this.options.program.bytesOf('Start', command.start);
        this.#largest('largestCarried', bytes);
        this.#checkPayload(run, 'continue-as-new', bytes);
        this.#close(run);
        this.counts.continuedAsNew += 1;
        this.#scheduler.trace.add('temporal', () => `${workflowId}: continues as new after ${run.tasks.length} tasks`);
        const next = this.#newRun({
          workflowId,
          runId: this.#newId('run'),
          incarnation,
          start: command.start,
          taskQueue,
          before: run,
        });
        next.grow(bytes);
        this.runs.set(workflowId, next);
        next.task = { attempt: 1, started: undefined };
        this.#dispatch(next);
        return;
      }
      default:
        command satisfies never;
    }
  }

  #dispatchActivity(run: Run, activity: Activity): void {
    if (activity.token !== undefined || !this.server.up || run.activities.get(activity.seq) !== activity) return;
    const taskQueue = activity.options.taskQueue ?? run.taskQueue;
    const workers = this.#workersOf(taskQueue);
    const worker = this.#pick(workers, 'activities');
    if (worker === undefined) return;
    if (!worker.hasSlot('activities')) return this.#enqueue(taskQueue, () => this.#dispatchActivity(run, activity));
    worker.take('activities');
    const token = this.#newId('activity');
    activity.token = token;
    activity.deadline = this.#later(activity.options.startToCloseTimeout, () =>
      this.#activityEnded(run, activity, token, timeout('start-to-close')),
    );
    this.#tokens.set(token, { run, activity });
    this.#listen(run, activity, token, worker);
    const attempt = {
      number: activity.attempt,
      scheduledAt: activity.scheduledAt,
      limit: Math.min(activity.options.startToCloseTimeout, (activity.limit?.at ?? Infinity) - activity.scheduledAt),
    };
    this.#deliver(worker, 'activities', () => worker.onActivity(token, activity.name, activity.request, attempt));
  }

  /** Signs of life are not sent: when the time for one is over, the server looks whether one could have come. */
  #listen(run: Run, activity: Activity, token: string, worker: SimShardWorker): void {
    const { heartbeatTimeout } = activity.options;
    if (heartbeatTimeout === undefined) return;
    this.#later(heartbeatTimeout, () => {
      if (activity.token !== token) return;
      if (worker.isBusyWith(token) && this.server.reaches(worker.process)) this.#listen(run, activity, token, worker);
      else this.#activityEnded(run, activity, token, timeout('heartbeat'));
    });
  }

  readonly #tokens = new Map<string, { readonly run: Run; readonly activity: Activity }>();

  #activityEnded(run: Run, activity: Activity, token: string, outcome: Done | Failed): void {
    this.#tokens.delete(token);
    if (activity.token !== token || run.activities.get(activity.seq) !== activity) return;
    activity.deadline?.cancel();
    activity.token = undefined;
    if (outcome.ok || !mayRetry(activity.options, activity.attempt, outcome)) {
      return this.#endActivity(run, activity, outcome);
    }
    const wait = outcome.nextRetryDelay ?? backoffOf(activity.options, activity.attempt);
    // No time is left for another attempt: the server ends it at once.
    if (activity.limit !== undefined && this.#scheduler.now + wait > activity.limit.at) {
      return this.#endActivity(run, activity, outcome);
    }
    activity.attempt += 1;
    activity.scheduledAt = this.#scheduler.now + wait;
    activity.lastFailure = outcome;
    // Not dispatched before that: a token that nobody has.
    activity.token = this.#newId('waiting');
    activity.deadline = this.#later(wait, () => {
      activity.token = undefined;
      this.#dispatchActivity(run, activity);
    });
  }

  #endActivity(run: Run, activity: Activity, outcome: Done | Failed): void {
    if (run.activities.get(activity.seq) !== activity) return;
    activity.deadline?.cancel();
    activity.limit?.timer.cancel();
    run.activities.delete(activity.seq);
    this.#happened(run, { type: 'activity', seq: activity.seq, outcome });
  }

  /** What a worker in this process says to the server. */
  #linkOf(process: SimProcess): ServerLink {
    const unanswered = (why: string): Error => new Error(why);
    return {
      completeTask: (task, completion) =>
        this.server.request(process, 'completing a task', () => this.#completeTask(task, completion), unanswered),
      failTask: (task, error) =>
        this.server.request(process, 'failing a task', () => this.#taskFailed(task, error.message), unanswered),
      completeActivity: (token, outcome) =>
        this.server.request(
          process,
          'completing an activity',
          () => {
            const known = this.#tokens.get(token);
            if (known !== undefined) this.#activityEnded(known.run, known.activity, token, outcome);
          },
          unanswered,
        ),
    };
  }

  /** At the server, as soon as it is up then. */
  #later(ms: number, run: () => void) {
    return this.#scheduler.after(ms, null, () => {
      if (this.server.up) run();
      else this.#due.push(run);
    });
  }

  #newId(what: string): string {
    this.#ids += 1;
    return `${what}-${this.#ids}`;
  }
}
