/** The workflow tasks of a recorded run, as Temporal's Core takes them when it replays it (history_update.rs). Pure. */
import type { Commanded, Incoming, RecordedEvent, RecordedRun } from './recorded.ts';

type Event<T extends RecordedEvent['type']> = Extract<RecordedEvent, { readonly type: T }>;

export type IncomingEvent = Event<Incoming['type']>;
export type CommandEvent = Event<Commanded['type']>;

/** A task that was completed. */
export interface RecordedTask {
  readonly started: Event<'task-started'>;
  readonly completed: Event<'task-completed'>;
  /** What came since the task before it, in order. */
  readonly incoming: readonly IncomingEvent[];
  /** What it led to, in order. */
  readonly commands: readonly CommandEvent[];
}

export interface RecordedTasks {
  readonly tasks: readonly RecordedTask[];
  /** What came since the last one, and is in no completed task. */
  readonly since: readonly IncomingEvent[];
}

const COMMANDS: ReadonlySet<string> = new Set<Commanded['type']>([
  'scheduled',
  'cancel-requested',
  'timer-started',
  'timer-cancelled',
  'answered-locally',
  'patched',
  'update',
  'continued-as-new',
]);

/**
 * A task that failed or timed out applies nothing: what came with it comes with the next one. So does what came with a task that
 * recorded nothing and led to another one at once, if the task before it recorded nothing either.
 */
export function tasksOf({ events }: RecordedRun): RecordedTasks {
  const tasks: (RecordedTask & { readonly commands: CommandEvent[] })[] = [];
  let incoming: IncomingEvent[] = [];
  let started: Event<'task-started'> | undefined;
  for (const event of events) {
    const last = tasks.at(-1);
    if (isCommand(event)) last?.commands.push(event);
    else if (event.type === 'task-started') started = event;
    else if (event.type !== 'task-completed') incoming.push(event);
    else if (started !== undefined && !(event.goesOn && (last === undefined || last.commands.length === 0))) {
      tasks.push({ started, completed: event, incoming, commands: [] });
      incoming = [];
    }
  }
  return { tasks, since: incoming };
}

function isCommand(event: RecordedEvent): event is CommandEvent {
  return COMMANDS.has(event.type);
}
