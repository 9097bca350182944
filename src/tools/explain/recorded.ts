/**
 * A run's history in the words of this product: only the events that its workflow reacts to or brings about, decoded.
 * Everything of Temporal's format that explaining needs to know is in this file.
 */
import type { Payload } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import {
  FAILURES,
  type LookupOutcome,
  type LookupRequest,
  type PublishAnswer,
  type UserPublishRequest,
  type WatermarkRequest,
} from '../../../activities/contract.ts';
import type { Start } from '../../../workflows/life.ts';
import { EVENTS_SIGNAL, type EventBatch } from '../../../workflows/messages.ts';

type IHistory = temporal.api.history.v1.IHistory;
type IHistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Timestamp = { readonly seconds?: unknown; readonly nanos?: number | null };

export type ActivityRequest =
  | { readonly name: 'publish'; readonly request: UserPublishRequest }
  | { readonly name: 'lookupSessions'; readonly request: LookupRequest }
  | { readonly name: 'readWatermark'; readonly request: WatermarkRequest };

export type RecordedEvent = {
  readonly id: number;
  /** Wall clock of the Temporal server, epoch ms. */
  readonly at: number;
} & (
  | { readonly type: 'signal'; readonly batch: EventBatch }
  | { readonly type: 'task-started' }
  | { readonly type: 'task-completed' }
  | { readonly type: 'task-failed'; readonly message: string }
  | { readonly type: 'timer-fired' }
  | { readonly type: 'scheduled'; readonly activityId: string; readonly activity: ActivityRequest }
  /** Written with the end of the last attempt. */
  | { readonly type: 'started'; readonly scheduled: number; readonly attempt: number; readonly lastFailure?: string }
  | { readonly type: 'completed'; readonly scheduled: number; readonly result: unknown }
  /** No attempt is made any more; `failure`: its message, and what it is caused by. */
  | { readonly type: 'ended-without'; readonly scheduled: number; readonly failure: RecordedFailure }
  | { readonly type: 'cancelled'; readonly scheduled: number }
  /** A local activity has published. `completedAt`: epoch ms of the workflow's clock. */
  | { readonly type: 'published-locally'; readonly completedAt?: number; readonly signals?: number }
  /** It was told of a reset: the numbers of its stream go on after `last`. */
  | { readonly type: 'reset-locally'; readonly last: number }
  | { readonly type: 'continued-as-new' }
  | { readonly type: 'closed'; readonly how: string }
);

export interface RecordedFailure {
  readonly message: string;
  /** Of the failure and its causes: types of the product's own failures, and `TimeoutFailure`. */
  readonly types: readonly string[];
  /** Of a publish after a reset: the last number of its stream. */
  readonly resetTo?: number;
}

export interface RecordedRun {
  readonly runId: string;
  /** When Temporal started it, epoch ms. */
  readonly startedAt: number;
  readonly firstRunId: string;
  readonly start: Start;
  readonly events: readonly RecordedEvent[];
}

/** As {@link decodePayloads} of src/engine/temporal. */
export type Decode = <T>(payloads: readonly Payload[] | null | undefined) => Promise<T[]>;

export async function recordedRun(
  run: { readonly runId: string; readonly history: IHistory },
  decode: Decode,
): Promise<RecordedRun> {
  const events = run.history.events ?? [];
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  const [start] = await decode<Start>(started?.input?.payloads);
  if (!started || start === undefined) throw new Error(`the history of run ${run.runId} does not begin with its start`);
  const recorded: RecordedEvent[] = [];
  for (const event of events) {
    const known = await recordedEvent(event, decode);
    if (known !== undefined) {
      recorded.push({ id: number(event.eventId), at: ms(event.eventTime), ...known } as RecordedEvent);
    }
  }
  return {
    runId: run.runId,
    startedAt: ms(events[0]?.eventTime),
    firstRunId: started.firstExecutionRunId ?? run.runId,
    start,
    events: recorded,
  };
}

type Known = RecordedEvent extends infer E ? (E extends RecordedEvent ? Omit<E, 'id' | 'at'> : never) : never;

async function recordedEvent(event: IHistoryEvent, decode: Decode): Promise<Known | undefined> {
  const signaled = event.workflowExecutionSignaledEventAttributes;
  if (signaled) {
    if (signaled.signalName !== EVENTS_SIGNAL) return undefined;
    const [batch] = await decode<EventBatch>(signaled.input?.payloads);
    return batch && { type: 'signal', batch };
  }
  if (event.workflowTaskStartedEventAttributes) return { type: 'task-started' };
  if (event.workflowTaskCompletedEventAttributes) return { type: 'task-completed' };
  if (event.workflowTaskFailedEventAttributes) {
    return {
      type: 'task-failed',
      message: event.workflowTaskFailedEventAttributes.failure?.message ?? 'for an unknown reason',
    };
  }
  if (event.workflowTaskTimedOutEventAttributes) {
    return { type: 'task-failed', message: 'its worker did not answer in time' };
  }
  if (event.timerFiredEventAttributes) return { type: 'timer-fired' };
  if (event.workflowExecutionContinuedAsNewEventAttributes) return { type: 'continued-as-new' };
  return (await activityEvent(event, decode)) ?? closedEvent(event);
}

async function activityEvent(event: IHistoryEvent, decode: Decode): Promise<Known | undefined> {
  const scheduled = event.activityTaskScheduledEventAttributes;
  if (scheduled) {
    const [request] = await decode<never>(scheduled.input?.payloads);
    const name = scheduled.activityType?.name as ActivityRequest['name'];
    return { type: 'scheduled', activityId: scheduled.activityId ?? '', activity: { name, request: request! } };
  }
  const started = event.activityTaskStartedEventAttributes;
  if (started) {
    const lastFailure = started.lastFailure?.message;
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
  const cancelled = event.activityTaskCancelRequestedEventAttributes ?? event.activityTaskCanceledEventAttributes;
  if (cancelled) return { type: 'cancelled', scheduled: number(cancelled.scheduledEventId) };
  const marker = event.markerRecordedEventAttributes;
  if (marker?.markerName !== 'core_local_activity') return undefined;
  if (marker.failure) {
    // Followed by a regular one, unless it is published anew.
    const { resetTo } = await failureOf(marker.failure, decode);
    return resetTo === undefined ? undefined : { type: 'reset-locally', last: resetTo };
  }
  const [data] = await decode<{ readonly complete_time?: Timestamp | null }>(marker.details?.['data']?.payloads);
  const [answer] = await decode<PublishAnswer | null>(marker.details?.['result']?.payloads);
  return {
    type: 'published-locally',
    ...(data?.complete_time ? { completedAt: ms(data.complete_time) } : {}),
    ...(answer?.signals === undefined ? {} : { signals: answer.signals }),
  };
}

type IFailure = temporal.api.failure.v1.IFailure;

async function failureOf(failure: IFailure | null | undefined, decode: Decode): Promise<RecordedFailure> {
  const types: string[] = [];
  let resetTo: number | undefined;
  let message = '';
  for (let cause = failure; cause; cause = cause.cause) {
    message = cause.message || message;
    if (cause.timeoutFailureInfo) types.push('TimeoutFailure');
    const { type, details } = cause.applicationFailureInfo ?? {};
    if (type && !cause.timeoutFailureInfo) types.push(type);
    if (type === FAILURES.workflowReset) [resetTo] = await decode<number>(details?.payloads);
  }
  return { message, types, ...(resetTo === undefined ? {} : { resetTo }) };
}

function closedEvent(event: IHistoryEvent): Known | undefined {
  if (event.workflowExecutionTerminatedEventAttributes) return { type: 'closed', how: 'terminated' };
  if (event.workflowExecutionFailedEventAttributes) return { type: 'closed', how: 'failed' };
  if (event.workflowExecutionTimedOutEventAttributes) return { type: 'closed', how: 'timed out' };
  if (event.workflowExecutionCanceledEventAttributes) return { type: 'closed', how: 'cancelled' };
  if (event.workflowExecutionCompletedEventAttributes) return { type: 'closed', how: 'completed' };
  return undefined;
}

/** What a lookup activity answered; nothing for a result that is none. */
export function outcomesOf(result: unknown): readonly LookupOutcome[] {
  return Array.isArray(result) ? (result as LookupOutcome[]) : [];
}

/** Of an int64 of protobuf, which may be an object. */
function number(value: unknown): number {
  return Number(String(value ?? 0));
}

function ms(time: Timestamp | null | undefined): number {
  return number(time?.seconds) * 1_000 + Math.floor((time?.nanos ?? 0) / 1e6);
}
