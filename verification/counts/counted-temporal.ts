/**
 * A Temporal that counts: it runs the workflows of the product in virtual time, and writes down what a server would have in
 * history and bill. A signal, a task and a publish take a fixed time each.
 */
import { EVENTS_SIGNAL } from '../../src/engine/workflow/entity/names.ts';
import type { Command, Job, Outcome } from '../simulation/temporal/history.ts';
import { failed } from '../simulation/temporal/history.ts';
import type { Program, SimActivities } from '../simulation/temporal/program.ts';
import { WorkflowInstance } from '../simulation/temporal/workflow-instance.ts';
import type { Counters, What } from './counters.ts';
import type { VirtualTime } from '../../src/tools/cost/virtual-time.ts';

/** bytes of events of history, as in those that were recorded of 0.2.0 (test/fixtures), with today's build id in tasks: it was 73 bytes longer. */
const BYTES = {
  started: 325,
  signaled: 67,
  taskScheduled: 115,
  taskStarted: 104,
  taskCompleted: 64,
  marker: 333,
  timerStarted: 36,
  timerFired: 40,
  timerCanceled: 42,
  activityScheduled: 200,
  activityStarted: 172,
  activityCompleted: 89,
  activityCanceled: 140,
  continued: 150,
} as const;
/** ms */
const TASK_MS = 5;
const PUBLISH_MS = 10;
const ACTIVITY_MS = 15;
/** Turns of the queue of promises after which nothing is left to do without something from outside. */
const TURNS = 20;

interface Workflow {
  readonly id: string;
  instance: WorkflowInstance;
  events: number;
  bytes: number;
  jobs: Job[];
  busy: boolean;
  /** Of this run, by sequence number: timers and activities that were not cancelled. */
  readonly open: Set<number>;
}

export interface CountedTemporalOptions {
  readonly time: VirtualTime;
  readonly counters: Counters;
  readonly program: Program;
  /** What workflows call; a failure is repeated as its retry policy says. */
  readonly activities: SimActivities;
  /** A workflow publishes. */
  readonly onPublish?: (workflowId: string) => void;
}

export class CountedTemporal {
  readonly #options: CountedTemporalOptions;
  readonly #workflows = new Map<string, Workflow>();

  constructor(options: CountedTemporalOptions) {
    this.#options = options;
  }

  /** `start`: the argument of a workflow that is not there yet. */
  signalWithStart(workflowId: string, start: object, batch: { readonly records: readonly unknown[] }): void {
    const text = JSON.stringify(batch);
    let workflow = this.#workflows.get(workflowId);
    if (workflow === undefined) {
      const argument = JSON.stringify(start);
      workflow = {
        id: workflowId,
        instance: this.#instance(workflowId, argument, this.#options.time.now),
        events: 0,
        bytes: 0,
        jobs: [],
        busy: false,
        open: new Set(),
      };
      this.#workflows.set(workflowId, workflow);
      this.#record(workflow, BYTES.started + this.#options.program.bytesOf('Start', argument));
    }
    this.#record(workflow, BYTES.signaled + this.#options.program.bytesOf('EventBatch', text));
    this.#count('signal actions');
    this.#count('touches');
    this.#count('events signalled', batch.records.length);
    this.#deliver(workflow, { type: 'signal', name: EVENTS_SIGNAL, batch: text });
  }

  #count(what: What, by = 1): void {
    this.#options.counters.add(what, by);
  }

  #instance(workflowId: string, start: string, startedAt: number): WorkflowInstance {
    const incarnation = { startedAt, runId: 'run' };
    return new WorkflowInstance(
      this.#options.program,
      { workflowId, runId: 'run', incarnation, start, taskQueue: 'queue', tasks: [] },
      (message) => {
        throw new Error(`a workflow warns: ${message}`);
      },
    );
  }

  #record(workflow: Workflow, ...events: readonly number[]): void {
    const bytes = events.reduce((sum, size) => sum + size, 0);
    workflow.events += events.length;
    workflow.bytes += bytes;
    this.#count('history events', events.length);
    this.#count('history bytes', bytes);
  }

  #deliver(workflow: Workflow, job: Job): void {
    workflow.jobs.push(job);
    this.#begin(workflow);
  }

  /** One task at a time; what comes meanwhile goes into the next. */
  #begin(workflow: Workflow): void {
    if (workflow.busy || workflow.jobs.length === 0) return;
    workflow.busy = true;
    const { time } = this.#options;
    time.after(TASK_MS, async () => {
      const published = await this.#task(workflow);
      time.after(published * PUBLISH_MS, () => {
        workflow.busy = false;
        this.#begin(workflow);
      });
    });
  }

  /** Returns how many local activities ran in it. */
  async #task(workflow: Workflow): Promise<number> {
    const { instance, jobs } = workflow;
    workflow.jobs = [];
    this.#record(workflow, BYTES.taskScheduled, BYTES.taskStarted, BYTES.taskCompleted);
    this.#count('tasks');
    Object.assign(instance, {
      now: this.#options.time.now,
      events: workflow.events,
      bytes: workflow.bytes,
      commands: [],
      markers: [],
    });
    instance.signals(jobs);
    let calls = await this.#settle(workflow);
    instance.others(jobs);
    calls += await this.#settle(workflow);
    if (instance.failure !== undefined) throw instance.failure;
    if (calls > 0) {
      this.#record(workflow, ...Array.from({ length: calls }, () => BYTES.marker));
      // All markers of a task are one.
      this.#count('marker actions');
    }
    for (const command of recorded(instance.commands)) this.#obey(workflow, command);
    return calls;
  }

  /** Until only something from outside can bring it on. Returns how many local activities were run. */
  async #settle({ id, instance }: Workflow): Promise<number> {
    for (let calls = 0; ; calls += 1) {
      do {
        for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve();
      } while (instance.unblock());
      const [call] = instance.local.values();
      if (call === undefined) return calls;
      this.#options.onPublish?.(id);
      this.#count('outputs', (JSON.parse(call.request) as { outputs: unknown[] }).outputs.length);
      instance.answered({ seq: call.seq, at: this.#options.time.now, outcome: { ok: true, value: 'null' } });
    }
  }

  #obey(workflow: Workflow, command: Command): void {
    const { time } = this.#options;
    switch (command.type) {
      case 'startTimer': {
        const { seq, ms } = command;
        this.#record(workflow, BYTES.timerStarted);
        this.#count('timer actions');
        this.#whenOpen(workflow, seq, (close) =>
          time.after(ms, () => {
            if (!close()) return;
            this.#record(workflow, BYTES.timerFired);
            this.#deliver(workflow, { type: 'timer', seq });
          }),
        );
        break;
      }
      case 'cancelTimer':
        this.#record(workflow, BYTES.timerCanceled);
        this.#count('timers cancelled');
        workflow.open.delete(command.seq);
        break;
      case 'schedule':
        this.#schedule(workflow, command);
        break;
      case 'cancelActivity':
        this.#record(workflow, BYTES.activityCanceled);
        workflow.open.delete(command.seq);
        break;
      case 'continueAsNew': {
        const bytes = this.#options.program.bytesOf('Start', command.start);
        this.#record(workflow, BYTES.continued + bytes);
        this.#count('continue-as-new actions');
        const { startedAt } = workflow.instance.history.incarnation;
        workflow.instance = this.#instance(workflow.id, command.start, startedAt);
        workflow.open.clear();
        workflow.events = 0;
        workflow.bytes = 0;
        this.#record(workflow, BYTES.started + bytes);
        // Its first task, in which it sets its alarms again.
        workflow.jobs.push({ type: 'timer', seq: 0 });
        break;
      }
    }
  }

  #schedule(workflow: Workflow, { seq, name, request, options }: Extract<Command, { type: 'schedule' }>): void {
    const { time, activities } = this.#options;
    const { initialInterval = 1_000, backoffCoefficient = 2, maximumInterval = 100 * initialInterval } = options.retry;
    this.#record(workflow, BYTES.activityScheduled + request.length);
    this.#count(name === 'readWatermark' ? 'watermark looks' : 'activity actions');
    this.#whenOpen(workflow, seq, (close, isOpen) => {
      const attempt = async (interval: number): Promise<void> => {
        if (!isOpen()) return;
        const outcome = await outcomeOf(activities[name]!, request);
        if (!outcome.ok) {
          this.#count(name === 'readWatermark' ? 'watermark looks' : 'activity actions');
          const next = Math.min(maximumInterval, interval * backoffCoefficient);
          return time.after(outcome.nextRetryDelay ?? interval, () => attempt(next));
        }
        close();
        this.#record(workflow, BYTES.activityStarted, BYTES.activityCompleted);
        this.#deliver(workflow, { type: 'activity', seq, outcome });
      };
      time.after(ACTIVITY_MS, () => attempt(initialInterval));
    });
  }

  /** `close` tells whether it was open, in the run that it is of. */
  #whenOpen(workflow: Workflow, seq: number, act: (close: () => boolean, isOpen: () => boolean) => void): void {
    const { instance } = workflow;
    workflow.open.add(seq);
    const isOpen = (): boolean => workflow.instance === instance && workflow.open.has(seq);
    act(() => isOpen() && workflow.open.delete(seq), isOpen);
  }
}

/** A timer that begins and is cancelled in one task is never said to the server. */
function recorded(commands: readonly Command[]): readonly Command[] {
  const cancelled = new Set(commands.flatMap((command) => (command.type === 'cancelTimer' ? [command.seq] : [])));
  const begun = new Set(commands.flatMap((command) => (command.type === 'startTimer' ? [command.seq] : [])));
  return commands.filter(
    (command) =>
      !(command.type === 'startTimer' && cancelled.has(command.seq)) &&
      !(command.type === 'cancelTimer' && begun.has(command.seq)),
  );
}

async function outcomeOf(activity: SimActivities[string], request: string): Promise<Outcome> {
  try {
    const value = await activity(JSON.parse(request) as never);
    return { ok: true, value: JSON.stringify(value ?? null) };
  } catch (error) {
    return failed(error);
  }
}
