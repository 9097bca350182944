/** What happened to one user, in order, as {@link foldRuns} tells it. Times are epoch ms. */
import type { LookupOutcome, Stream } from '../../../activities/contract.ts';
import type { Money, Output } from '../../money/domain/events.ts';
import type { LookupReason } from '../../money/domain/decide.ts';
import type { Pending, Session } from '../../money/domain/state.ts';
import type { Departure } from './replayed-run.ts';

/** Where a record lies in the input topics. */
export interface Coordinate {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A record as it was applied. */
export interface AppliedRecord extends Coordinate {
  /** Event time. */
  readonly ts: number;
  /** Effective time of its application (semantics, section 2). */
  readonly effectiveTime: number;
  /** Present iff it was late: the watermark at its reading. */
  readonly late?: number;
  /** When its signal reached Temporal. */
  readonly receivedAt: number;
  readonly receivedEvent: number;
}

/** A record that decided something before; without a place when that was before the retained history. */
export interface Earlier {
  readonly place?: Coordinate;
  readonly ts?: number;
  readonly moneyId?: string;
}

/** A session as it was known; `topic` and `partition` are those where the user's records come from. */
export interface KnownSession extends Session, Coordinate {
  readonly expiresAt: number;
}

export interface KnownChange extends Coordinate {
  readonly ts: number;
  readonly value: string;
}

interface KnownUserInfo {
  readonly birthYear?: KnownChange;
  readonly residentCountryCode?: KnownChange;
}

/** What was decided (src/money/domain/decide.ts), with the places of what decided it. */
export type PlacedDecision =
  | { readonly type: 'duplicate'; readonly of: Earlier & { readonly ts: number } }
  | { readonly type: 'no-session' }
  | { readonly type: 'joined'; readonly session: KnownSession }
  | { readonly type: 'lookup'; readonly why: LookupReason; readonly session?: KnownSession }
  | { readonly type: 'pending'; readonly dueAt: number; readonly wallDueAt?: number };

/** Known of money that was applied and is no duplicate. */
export interface Joined {
  readonly userInfo: KnownUserInfo;
  readonly firstOccurrence: boolean;
  /** The money that was the first of its type, when this is not. */
  readonly firstBy?: Earlier;
}

/** What ended the wait for a session. */
export type Release =
  | { readonly type: 'session'; readonly session: KnownSession; readonly expired: boolean }
  /** Event time passed `dueAt`: by the application of a record, or by the watermark alone. */
  | { readonly type: 'event-time'; readonly reached: number; readonly by?: Coordinate }
  | { readonly type: 'wall-clock' };

export type Happening = {
  /** Wall clock of the server. */
  readonly at: number;
  readonly runId: string;
  readonly event: number;
} & (
  | { readonly type: 'run'; readonly beginning: 'first' | 'oldest-retained' | 'next'; readonly agrees?: boolean }
  | { readonly type: 'redelivery'; readonly record: AppliedRecord; readonly kind: string; readonly moneyId?: string }
  | {
      readonly type: 'change';
      readonly record: AppliedRecord;
      readonly field: 'birthYear' | 'residentCountryCode';
      readonly value: string;
    }
  | {
      readonly type: 'session';
      readonly record: AppliedRecord;
      readonly sessionId: string;
      readonly clientCountryCode: string;
      readonly outdated: boolean;
    }
  | {
      readonly type: 'money';
      readonly record: AppliedRecord;
      readonly money: Money;
      readonly decision: PlacedDecision;
      readonly joined?: Joined;
      /** Where it came out at once, with its number in the applied stream. */
      readonly output?: Output;
      readonly seq?: number;
    }
  | { readonly type: 'carried'; readonly place: Coordinate; readonly waiting: CarriedWait }
  | {
      readonly type: 'released';
      readonly place: Coordinate;
      readonly moneyId: string;
      readonly by: Release;
      readonly output?: Output;
    }
  | {
      readonly type: 'lookup-asked';
      readonly call: string;
      readonly activityId: string;
      readonly of: readonly Coordinate[];
      readonly sessionIds: readonly string[];
      readonly giveUpAt: number;
    }
  | {
      readonly type: 'lookup-ended';
      readonly call: string;
      readonly attempts: number;
      readonly lastFailure?: string;
      readonly answers: readonly LookupAnswer[];
    }
  | {
      readonly type: 'publish-asked';
      readonly call: string;
      readonly activityId: string;
      readonly stream: Stream;
      readonly first: number;
      readonly of: readonly Coordinate[];
    }
  | {
      readonly type: 'published';
      readonly stream: Stream;
      readonly first: number;
      readonly of: readonly Coordinate[];
      readonly attempts?: number;
    }
  | { readonly type: 'watermark'; readonly watermark: number }
  | { readonly type: 'task-failed'; readonly message: string }
  | ({ readonly type: 'differs' } & Omit<Departure, 'event'>)
  | { readonly type: 'closed'; readonly how: string }
  /** Signalled, and no worker has applied it yet. */
  | {
      readonly type: 'unapplied';
      readonly record: Coordinate & { readonly ts: number; readonly late?: number };
      readonly kind: string;
      readonly money?: Money;
    }
);

/** One without its place. */
export type Untold = Happening extends infer H
  ? H extends Happening
    ? Omit<H, 'at' | 'runId' | 'event'>
    : never
  : never;

/** Money that was on its way when the oldest retained run began. */
export type CarriedWait =
  | { readonly type: 'pending'; readonly money: Pending }
  | { readonly type: 'lookup'; readonly money: Omit<Pending, 'dueAt'> }
  | { readonly type: 'unpublished'; readonly output: Output };

export interface LookupAnswer {
  readonly place: Coordinate;
  readonly moneyId: string;
  readonly status: LookupOutcome['status'];
  readonly output?: Output;
}

/** Of one call of an activity: event ids are unique within a run only. */
export function callOf(runId: string, scheduledEvent: number): string {
  return `${runId}/${scheduledEvent}`;
}

export function placeKey({ partition, offset }: Pick<Coordinate, 'partition' | 'offset'>): string {
  return `${partition}/${offset}`;
}
