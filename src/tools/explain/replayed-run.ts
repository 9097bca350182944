/**
 * Runs a workflow over a recorded run: each completed task brings what is recorded to have come with it, and the answers of its
 * local activities. What the workflow asks for has to be what is recorded, as Temporal demands it of a replay. A task is gone
 * through in the order of Temporal's SDK (vm-shared.ts) and its Core (workflow_machines.rs).
 */
import type { TemporalPort } from '../../engine/workflow/entity/port.ts';
import { commands } from './commands.ts';
import type { RecordedEvent, RecordedRun } from './recorded.ts';
import { RecordedPort, type PortListener } from './recorded-port.ts';
import { tasksOf, type CommandEvent, type IncomingEvent, type RecordedTask } from './recorded-tasks.ts';

/** Hears of a run while it is replayed. */
export interface RunListener extends PortListener {
  /** A task will be gone through, with all that is recorded of it: each event, in order; at last, what is in no task. */
  recorded(event: RecordedEvent): void;
  /** What is heard from now on is of this event. */
  reached(event: RecordedEvent): void;
}

/** A task in which this code does not do what was recorded. */
export interface Departure {
  /** Of the completed task. */
  readonly event: number;
  /** Commands, in words. */
  readonly recorded: readonly string[];
  readonly now: readonly string[];
  /** What it failed with, or could not make use of. */
  readonly why?: string;
}

type LocalAnswer = Extract<RecordedEvent, { readonly type: 'answered-locally' }>;

/** Runs until it continues as new, which the port ends. */
export type Workflow = (port: TemporalPort, start: unknown) => Promise<never>;

export class ReplayedRun {
  readonly #recorded: RecordedRun;
  readonly #workflow: Workflow;
  readonly #listener: RunListener;
  readonly #port: RecordedPort;
  /** Ids of activities by their event. */
  readonly #activities = new Map<number, string>();
  #began = false;
  #trouble: string | undefined;

  constructor(recorded: RecordedRun, workflow: Workflow, listener: RunListener) {
    this.#recorded = recorded;
    this.#workflow = workflow;
    this.#listener = listener;
    this.#port = new RecordedPort(recorded, listener);
  }

  /** What the next run has to be started with; undefined: it has not continued as new. */
  get carried(): object | undefined {
    return this.#port.carried;
  }

  /** What a query is answered; undefined before the first task. */
  query(name: string): unknown {
    return this.#port.queries.get(name)?.();
  }

  /** Up to the last task that was completed, or to one where this code does something else, which ends it. */
  async run(): Promise<Departure | undefined> {
    const { tasks, since } = tasksOf(this.#recorded);
    for (const task of tasks) {
      for (const event of [...task.incoming, ...task.commands]) this.#listener.recorded(event);
      const recorded = this.#commandsOf(task);
      await this.#goThrough(task);
      const now = this.#port.commands;
      if (this.#trouble !== undefined || recorded.join() !== now.join()) {
        const why = this.#trouble;
        return { event: task.completed.id, recorded, now, ...(why === undefined ? {} : { why }) };
      }
    }
    for (const event of since) this.#listener.recorded(event);
    return undefined;
  }

  async #goThrough({ started, completed, incoming, commands: led }: RecordedTask): Promise<void> {
    const port = this.#port;
    port.begin(started);
    this.#listener.reached(completed);
    for (const event of led) if (event.type === 'patched') port.patch(event.change);
    const answers = led.filter((event): event is LocalAnswer => event.type === 'answered-locally');
    for (const event of [...incoming, ...led]) if (this.#send(event)) port.unblock();
    if (!this.#began) this.#begin();
    for (const event of incoming) if (this.#happen(event)) port.unblock();
    this.#answer(answers);
    await this.#settled();
    while (this.#answer(answers)) await this.#settled();
    if (answers.length > 0) this.#trouble ??= `nobody asked for local activity ${answers[0]!.activityId}`;
  }

  #begin(): void {
    this.#began = true;
    this.#workflow(this.#port, structuredClone(this.#recorded.start)).catch(
      (error: unknown) => (this.#trouble ??= String(error)),
    );
    this.#port.unblock();
  }

  /** What somebody sent comes before all else. */
  #send(event: IncomingEvent | CommandEvent): boolean {
    if (event.type === 'signal' || event.type === 'nudge' || event.type === 'foreign') this.#port.deliver(event);
    else if (event.type === 'update') this.#port.deliver({ type: 'foreign', kind: 'update', name: event.name });
    else return false;
    return true;
  }

  #happen(event: IncomingEvent): boolean {
    if (event.type === 'timer-fired') {
      if (!this.#port.fire(event.timerId)) this.#trouble ??= `nobody waits for timer ${event.timerId}`;
    } else if (event.type === 'completed' || event.type === 'ended-without') {
      const activityId = this.#activities.get(event.scheduled) ?? '';
      if (!this.#port.waitsFor(activityId)) this.#trouble ??= `nobody waits for activity ${activityId}`;
      this.#port.answer(activityId, event);
    } else {
      return false;
    }
    return true;
  }

  /** Answers local activities as far as they were asked for, in the order of their answers; whether there was any. */
  #answer(answers: LocalAnswer[]): boolean {
    let any = false;
    while (answers.length > 0 && this.#port.waitsFor(answers[0]!.activityId)) {
      const answer = answers.shift()!;
      this.#listener.reached(answer);
      if (answer.completedAt !== undefined) this.#port.raise(answer.completedAt);
      this.#port.answer(answer.activityId, answer);
      this.#port.unblock();
      any = true;
    }
    return any;
  }

  /** All that follows has been done. */
  async #settled(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#port.unblock());
  }

  #commandsOf({ commands: led }: RecordedTask): string[] {
    return led.flatMap((event) => {
      switch (event.type) {
        case 'scheduled':
          this.#activities.set(event.id, event.activityId);
          return [commands.scheduled(event.name, event.activityId)];
        case 'cancel-requested':
          return [commands.cancelRequested(this.#activities.get(event.scheduled) ?? '')];
        case 'timer-started':
          return [commands.timerStarted(event.timerId)];
        case 'timer-cancelled':
          return [commands.timerCancelled(event.timerId)];
        case 'continued-as-new':
          return [commands.continuedAsNew];
        case 'answered-locally':
        case 'patched':
        case 'update':
          return [];
        default:
          return event satisfies never;
      }
    });
  }
}
