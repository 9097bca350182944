/** One workflow on the simulated server: its current run, and the continue-as-new chain that it is part of. */
import type { Incarnation } from '../../../activities/contract.ts';
import type { CallOptions } from '../../../src/engine/workflow/entity/port.ts';
import type { Scheduled } from '../kernel/scheduler.ts';
import type { Failed, Job, RunHistory, Task } from './history.ts';
import { EVENT_BYTES } from './limits.ts';
import type { SimShardWorker } from './shard-worker.ts';

export interface Activity {
  readonly seq: number;
  readonly name: string;
  readonly request: string;
  readonly options: CallOptions;
  attempt: number;
  /** Epoch ms from which on this attempt could begin. */
  scheduledAt: number;
  /** The end of all attempts, where it has one. */
  limit: { readonly at: number; readonly timer: Scheduled } | undefined;
  /** Why the attempt before failed. */
  lastFailure: Failed | undefined;
  /** Of the attempt that runs; another's answer does not count. */
  token: string | undefined;
  deadline: Scheduled | undefined;
}

/** A workflow task that is to be done or being done. */
export interface OpenTask {
  attempt: number;
  /** Of the attempt that runs; undefined while it waits for a worker. */
  started:
    | {
        readonly startedAt: number;
        readonly jobs: number;
        readonly deadline: Scheduled;
        readonly worker: SimShardWorker;
      }
    | undefined;
}

export class Run implements RunHistory {
  readonly workflowId: string;
  readonly runId: string;
  readonly incarnation: Incarnation;
  readonly start: string;
  readonly taskQueue: string;
  readonly tasks: Task[] = [];
  /** What happened since the last completed task. */
  jobs: Job[] = [];
  task: OpenTask | undefined;
  readonly activities = new Map<number, Activity>();
  readonly timers = new Map<number, Scheduled>();
  sticky: SimShardWorker | undefined;
  signals = 0;
  /** That continued as new in this one; undefined for the first. */
  readonly before: Run | undefined;
  /** Events up to the last completed task, without the first. */
  #completed = 0;
  #payloads = 0;
  /** Signals after which the server suggests to continue as new. */
  readonly suggestAfter: number;

  constructor(
    options: Pick<Run, 'workflowId' | 'runId' | 'incarnation' | 'start' | 'taskQueue' | 'suggestAfter' | 'before'>,
  ) {
    this.workflowId = options.workflowId;
    this.runId = options.runId;
    this.incarnation = options.incarnation;
    this.start = options.start;
    this.taskQueue = options.taskQueue;
    this.suggestAfter = options.suggestAfter;
    this.before = options.before;
  }

  /** A task waits or is under way. */
  get busy(): boolean {
    return this.task !== undefined;
  }

  /** About as many events as Temporal would have. */
  get events(): number {
    return 1 + this.jobs.length + this.#completed;
  }

  /** Something is recorded that takes so many bytes besides an event's own. */
  grow(bytes: number): void {
    this.#payloads += bytes;
  }

  /** Size of the history, about. */
  get bytes(): number {
    return this.events * EVENT_BYTES + this.#payloads;
  }

  complete(task: Task): void {
    const { jobs, commands, markers } = task;
    this.tasks.push(task);
    this.#completed += 3 + jobs.length + commands.length + markers.length;
  }

  close(): void {
    for (const timer of this.timers.values()) timer.cancel();
    for (const { deadline, limit } of this.activities.values()) {
      deadline?.cancel();
      limit?.timer.cancel();
    }
    this.task?.started?.deadline.cancel();
    this.activities.clear();
    this.timers.clear();
  }
}
