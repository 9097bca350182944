/** Where in a history the code first gave other commands than recorded: found by replaying beginnings of it. */
import type { temporal } from '@temporalio/proto';
import type { History } from '../../engine/temporal/histories.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

export interface HistoryPlace {
  /** Id of the WorkflowTaskCompleted event whose commands are others. */
  readonly event: number;
  /** ISO-8601. */
  readonly at: string;
  /** The recorded commands of that task, e.g. `13 ActivityTaskScheduled publish`. */
  readonly recorded: readonly string[];
}

/** `replays`: whether this beginning of the history replays. Undefined when every beginning does. */
export async function placeOf(
  { events }: History,
  replays: (beginning: History) => Promise<boolean>,
): Promise<HistoryPlace | undefined> {
  const all = events ?? [];
  const tasks = all.flatMap((event, index) => (event.workflowTaskCompletedEventAttributes ? [index] : []));
  // The commands of a task are checked when the next one begins, so a beginning ends there.
  const beginning = (task: number): History => ({ events: all.slice(0, endOf(all, tasks, task)) });
  let [low, high] = [0, tasks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await replays(beginning(middle))) low = middle + 1;
    else high = middle;
  }
  const index = tasks[low];
  if (index === undefined) return undefined;
  const completed = all[index]!;
  const commands = all.slice(index + 1).filter((event) => commandOf(event) === idOf(completed));
  return { event: idOf(completed), at: timeOf(completed), recorded: commands.map(textOf) };
}

/** Up to the start of the task that follows, or all. */
function endOf(all: readonly HistoryEvent[], tasks: readonly number[], task: number): number {
  const next = tasks[task + 1];
  return next === undefined ? all.length : next;
}

/** The WorkflowTaskCompleted that it is a command of. */
function commandOf(event: HistoryEvent): number | undefined {
  const attributes = attributesOf(event) as { workflowTaskCompletedEventId?: unknown } | undefined;
  const id = attributes?.workflowTaskCompletedEventId;
  return id === undefined || id === null ? undefined : Number(String(id));
}

function textOf(event: HistoryEvent): string {
  const name = attributeName(event) ?? 'event';
  const { activityType, markerName, timerId } = (attributesOf(event) ?? {}) as {
    activityType?: { name?: string } | null;
    markerName?: string | null;
    timerId?: string | null;
  };
  const what = activityType?.name ?? markerName ?? (timerId ? `timer ${timerId}` : undefined);
  return [idOf(event), name, what].filter((part) => part !== undefined).join(' ');
}

/** `workflowTaskCompletedEventAttributes` -> `WorkflowTaskCompleted` */
function attributeName(event: HistoryEvent): string | undefined {
  const key = keyOf(event);
  return key && key.charAt(0).toUpperCase() + key.slice(1).replace(/EventAttributes$/, '');
}

function attributesOf(event: HistoryEvent): unknown {
  const key = keyOf(event);
  return key && (event as Record<string, unknown>)[key];
}

function keyOf(event: HistoryEvent): string | undefined {
  return Object.keys(event).find(
    (key) => key.endsWith('EventAttributes') && (event as Record<string, unknown>)[key] !== null,
  );
}

function idOf({ eventId }: HistoryEvent): number {
  return Number(String(eventId ?? 0));
}

function timeOf({ eventTime }: HistoryEvent): string {
  return new Date(
    Number(String(eventTime?.seconds ?? 0)) * 1_000 + Math.floor((eventTime?.nanos ?? 0) / 1e6),
  ).toISOString();
}
