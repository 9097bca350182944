/** Reads a run's history as Temporal has it. Everything of Temporal's format that explaining needs to know is in this file. */
import type { temporal } from '@temporalio/proto';
import { messageOfFailure, type Decode } from '../../engine/temporal/decode-payloads.ts';
import { FAILURES } from '../../../activities/contract.ts';
import type { Start } from '../../../workflows/life.ts';
import { EVENTS_SIGNAL, NUDGE_SIGNAL } from '../../../workflows/messages.ts';
import type { Commanded, Incoming, RecordedEvent, RecordedFailure, RecordedRun } from './recorded.ts';

type IHistory = temporal.api.history.v1.IHistory;
type IHistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Timestamp = { readonly seconds?: unknown; readonly nanos?: number | null };

export async function recordedRun(
  run: { readonly workflowId: string; readonly runId: string; readonly history: IHistory },
  decode: Decode,
): Promise<RecordedRun> {
  const events = run.history.events ?? [];
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  const [start] = await decode<Start>(started?.input?.payloads);
  if (!started || start === undefined) throw new Error(`the history of run ${run.runId} does not begin with its start`);
  const recorded: RecordedEvent[] = [];
  for (const [index, event] of events.entries()) {
    const known = await recordedEvent(event, events[index + 1], decode);
    if (known !== undefined) {
      recorded.push({ id: number(event.eventId), at: ms(event.eventTime), ...known } as RecordedEvent);
    }
  }
  return {
    workflowId: run.workflowId,
    runId: run.runId,
    taskQueue: started.taskQueue?.name ?? '',
    startedAt: ms(events[0]?.eventTime),
    firstRunId: started.firstExecutionRunId ?? run.runId,
    continued: Boolean(started.continuedExecutionRunId),
    start,
    events: recorded,
  };
}

type Known = Incoming | Commanded;

async function recordedEvent(
  event: IHistoryEvent,
  next: IHistoryEvent | undefined,
  decode: Decode,
): Promise<Known | undefined> {
  return (
    (await signalEvent(event, decode)) ??
    (await taskEvent(event, next, decode)) ??
    timerEvent(event) ??
    (await activityEvent(event, decode)) ??
    (await markerEvent(event, decode)) ??
    lastEvent(event)
  );
}

/** What somebody sent. */
async function signalEvent(event: IHistoryEvent, decode: Decode): Promise<Known | undefined> {
  const signaled = event.workflowExecutionSignaledEventAttributes;
  if (signaled) {
    const name = signaled.signalName ?? '';
    if (name === NUDGE_SIGNAL) return { type: 'nudge' };
    if (name !== EVENTS_SIGNAL) return { type: 'foreign', kind: 'signal', name };
    const [batch] = await decode<unknown>(signaled.input?.payloads);
    return { type: 'signal', batch };
  }
  if (event.workflowExecutionCancelRequestedEventAttributes) return { type: 'foreign', kind: 'cancellation', name: '' };
  const updated = event.workflowExecutionUpdateAcceptedEventAttributes;
  return updated ? { type: 'update', name: updated.acceptedRequest?.input?.name ?? '' } : undefined;
}

async function taskEvent(
  event: IHistoryEvent,
  next: IHistoryEvent | undefined,
  decode: Decode,
): Promise<Known | undefined> {
  const started = event.workflowTaskStartedEventAttributes;
  if (started) {
    return {
      type: 'task-started',
      bytes: number(started.historySizeBytes),
      continueAsNewSuggested: started.suggestContinueAsNew === true,
      newVersion: started.targetWorkerDeploymentVersionChanged === true,
    };
  }
  if (event.workflowTaskCompletedEventAttributes) {
    return { type: 'task-completed', goesOn: Boolean(next?.workflowTaskScheduledEventAttributes) };
  }
  const failed = event.workflowTaskFailedEventAttributes;
  if (failed) {
    return {
      type: 'task-failed',
      message: (await messageOfFailure(failed.failure, decode)) ?? 'for an unknown reason',
    };
  }
  return event.workflowTaskTimedOutEventAttributes
    ? { type: 'task-failed', message: 'its worker did not answer in time' }
    : undefined;
}

function timerEvent(event: IHistoryEvent): Known | undefined {
  const started = event.timerStartedEventAttributes;
  if (started) return { type: 'timer-started', timerId: started.timerId ?? '' };
  const fired = event.timerFiredEventAttributes;
  if (fired) return { type: 'timer-fired', timerId: fired.timerId ?? '' };
  const cancelled = event.timerCanceledEventAttributes;
  return cancelled ? { type: 'timer-cancelled', timerId: cancelled.timerId ?? '' } : undefined;
}

async function activityEvent(event: IHistoryEvent, decode: Decode): Promise<Known | undefined> {
  const scheduled = event.activityTaskScheduledEventAttributes;
  if (scheduled) {
    const [request] = await decode<unknown>(scheduled.input?.payloads);
    const { activityId, activityType } = scheduled;
    return { type: 'scheduled', activityId: activityId ?? '', name: activityType?.name ?? '', request };
  }
  const started = event.activityTaskStartedEventAttributes;
  if (started) {
    const lastFailure = await messageOfFailure(started.lastFailure, decode);
    return {
      type: 'started',
      scheduled: number(started.scheduledEventId),
      attempt: started.attempt ?? 1,
      ...(lastFailure ? { lastFailure } : {}),
    };
  }
  const completed = event.activityTaskCompletedEventAttributes;
  if (completed) {
    const [result] = await decode<unknown>(completed.result?.payloads);
    return { type: 'completed', scheduled: number(completed.scheduledEventId), result };
  }
  const without = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
  if (without) {
    return {
      type: 'ended-without',
      scheduled: number(without.scheduledEventId),
      failure: await failureOf(without.failure, decode),
    };
  }
  const cancelled = event.activityTaskCancelRequestedEventAttributes;
  return cancelled ? { type: 'cancel-requested', scheduled: number(cancelled.scheduledEventId) } : undefined;
}

async function markerEvent(event: IHistoryEvent, decode: Decode): Promise<Known | undefined> {
  const { markerName, details, failure } = event.markerRecordedEventAttributes ?? {};
  if (markerName === 'core_patch') {
    const [patch] = await decode<{ readonly id?: string }>(details?.['patch-data']?.payloads);
    return { type: 'patched', change: patch?.id ?? '' };
  }
  if (markerName !== 'core_local_activity') return undefined;
  const [data] = await decode<LocalActivityData>(details?.['data']?.payloads);
  const [result] = await decode<unknown>(details?.['result']?.payloads);
  return {
    type: 'answered-locally',
    activityId: String(data?.seq),
    ...(data?.complete_time ? { completedAt: ms(data.complete_time) } : {}),
    ...(failure ? { failure: await failureOf(failure, decode) } : { result }),
  };
}

interface LocalActivityData {
  readonly seq: number;
  readonly complete_time?: Timestamp | null;
}

type IFailure = temporal.api.failure.v1.IFailure;

async function failureOf(failure: IFailure | null | undefined, decode: Decode): Promise<RecordedFailure> {
  const types: string[] = [];
  let resetTo: number | undefined;
  let message = '';
  for (let cause = failure; cause; cause = cause.cause) {
    message = (await messageOfFailure(cause, decode)) ?? message;
    if (cause.timeoutFailureInfo) types.push('TimeoutFailure');
    const { type, details } = cause.applicationFailureInfo ?? {};
    if (type && !cause.timeoutFailureInfo) types.push(type);
    if (type === FAILURES.workflowReset) [resetTo] = await decode<number>(details?.payloads);
  }
  return { message, types, ...(resetTo === undefined ? {} : { resetTo }) };
}

function lastEvent(event: IHistoryEvent): Known | undefined {
  if (event.workflowExecutionContinuedAsNewEventAttributes) return { type: 'continued-as-new' };
  if (event.workflowExecutionTerminatedEventAttributes) return { type: 'closed', how: 'terminated' };
  if (event.workflowExecutionFailedEventAttributes) return { type: 'closed', how: 'failed' };
  if (event.workflowExecutionTimedOutEventAttributes) return { type: 'closed', how: 'timed out' };
  if (event.workflowExecutionCanceledEventAttributes) return { type: 'closed', how: 'cancelled' };
  if (event.workflowExecutionCompletedEventAttributes) return { type: 'closed', how: 'completed' };
  return undefined;
}

/** Of an int64 of protobuf, which may be an object. */
function number(value: unknown): number {
  return Number(String(value ?? 0));
}

function ms(time: Timestamp | null | undefined): number {
  return number(time?.seconds) * 1_000 + Math.floor((time?.nanos ?? 0) / 1e6);
}
