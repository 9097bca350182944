/**
 * Folds recorded runs again, with the functions that the workflow itself uses, and tells what happened. Pure.
 *
 * The order is that of src/engine/workflow/entity/run-entity.ts: what came in since the last completed task goes in when the next one completes,
 * signals before the rest; up to ten signals are applied, then their outputs are published locally, and nothing else happens until
 * their markers come. The next run begins with what the run before carried, so an error here does not outlive a run: `agrees` tells.
 */
import { isDeepStrictEqual } from 'node:util';
import { couldBeCarried, evictOldestDuplicates, makeItFit } from '../../../workflows/earlier-releases.ts';
import { chunksOf } from '../../engine/workflow/chunks.ts';
import type { Stream } from '../../../activities/contract.ts';
import { lifeOf, type Life } from '../../../workflows/life.ts';
import type { EventBatch } from '../../../workflows/messages.ts';
import { ofNextRun } from '../../engine/workflow/entity/life.ts';
import { mayFollow } from '../../engine/workflow/entity/signal-group.ts';
import { userEntity } from '../../../workflows/user-entity.ts';
import { sessionLookups } from '../../../workflows/lookups.ts';
import {
  endByTypes,
  QuestionBook,
  questionCall,
  type QuestionCall,
  type QuestionEnd,
  type Settled,
} from '../../engine/workflow/entity/questions.ts';
import { advance, passWallClock, resolveLookup, type Answer } from '../../money/domain/apply.ts';
import type { MoneyInput, Output } from '../../money/domain/events.ts';
import { allPending } from '../../money/domain/pending.ts';
import type { Lookup } from '../../money/domain/state.ts';
import { callOf, type Coordinate, type Happening, type LookupAnswer, type Release } from './happening.ts';
import {
  outcomesOf,
  type ActivityRequest,
  type RecordedEvent,
  type RecordedFailure,
  type RecordedRun,
} from './recorded.ts';
import { RecordFold, type ReceivedSignal } from './record-fold.ts';

const MAX_BATCHES = 10;

/** An event without its place, which {@link RunFold} adds. */
export type Untold = Happening extends infer H
  ? H extends Happening
    ? Omit<H, 'at' | 'runId' | 'event'>
    : never
  : never;
export type InputTopics = Readonly<Record<MoneyInput, string>>;

/** Tells, in order, all that happened in these runs, oldest first. Returns how the last one ended; undefined: it has not. */
export function foldRuns(
  runs: readonly RecordedRun[],
  topics: InputTopics,
  tell: (happening: Happening) => void,
): Life | undefined {
  const records = new RecordFold(topics);
  let before: RunFold | undefined;
  for (const run of runs) {
    const fold = new RunFold(run, records, tell, before);
    fold.run();
    before = fold;
  }
  before?.tellUnapplied();
  return before?.life;
}

/** What the run is after all that is recorded of it. */
export interface Standing {
  readonly life: Life;
  /** Signals that no completed task has applied: not in `life`. */
  readonly unapplied: number;
  /** Outputs of what was applied whose publication is not recorded: neither in `life` nor known to be in Kafka. */
  readonly publishing: number;
}

/** The newest run alone is enough: it begins with what the run before carried. */
export function standingOf(run: RecordedRun): Standing {
  const fold = new RunFold(run, new RecordFold(NO_TOPICS), () => undefined, undefined);
  fold.run();
  return fold.standing();
}

/** Nothing is told, so no place is named. */
const NO_TOPICS: InputTopics = { money: '', user: '', session: '' };

class RunFold {
  readonly life: Life;
  readonly #recorded: RecordedRun;
  readonly #records: RecordFold;
  readonly #tellAll: (happening: Happening) => void;
  readonly #calls = new Map<
    number,
    {
      readonly activity: ActivityRequest;
      attempt: number;
      lastFailure?: string;
      readonly lookups?: QuestionCall<Lookup>;
    }
  >();
  readonly #book = new QuestionBook<Lookup, Answer>(sessionLookups.givenUp);
  /** The call that each lookup is waited for in. */
  readonly #callOfLookup = new Map<Lookup, number>();
  #incoming: RecordedEvent[] = [];
  readonly #inbox: ReceivedSignal[] = [];
  readonly #happened: (() => void)[] = [];
  /** Outputs of local activities whose markers are still to come. */
  #unmarked: Output[][] = [];
  #watch: number | undefined;
  #now = 0;
  #taskStartedAt = 0;
  #at: { readonly at: number; readonly event: number };

  constructor(
    recorded: RecordedRun,
    records: RecordFold,
    tell: (happening: Happening) => void,
    before: RunFold | undefined,
  ) {
    this.#recorded = recorded;
    this.#records = records;
    this.#tellAll = tell;
    this.#at = { at: recorded.startedAt, event: 1 };
    const { start, startedAt, firstRunId } = recorded;
    this.life = lifeOf(start.life && structuredClone(start.life), { startedAt, runId: firstRunId });
    if (before !== undefined) {
      this.#tell({ type: 'run', beginning: 'next', agrees: before.#agreesWith(this.life) });
      return;
    }
    this.#tell({ type: 'run', beginning: start.life === undefined ? 'first' : 'oldest-retained' });
    this.#tellCarried();
  }

  run(): void {
    for (const event of this.#recorded.events) {
      this.#at = { at: event.at, event: event.id };
      this.#take(event);
    }
  }

  standing(): Standing {
    const signals = this.#incoming.filter(({ type }) => type === 'signal').length;
    return { life: this.life, unapplied: this.#inbox.length + signals, publishing: this.#unmarked.flat().length };
  }

  /** Signals that no completed task has applied. */
  tellUnapplied(): void {
    const signals = this.#incoming.flatMap((event) =>
      event.type === 'signal' ? [{ batch: event.batch, at: event.at, event: event.id }] : [],
    );
    for (const { batch, at, event } of [...this.#inbox, ...signals]) {
      this.#at = { at, event };
      for (const record of batch.records) this.#tell(this.#records.unapplied(batch, record));
    }
  }

  #agreesWith(carried: Life): boolean {
    if (this.life.rules?.bounds === undefined) {
      evictOldestDuplicates(this.life);
      if (!couldBeCarried(this.life)) makeItFit(this.life, { userId: this.#recorded.start.userId, now: this.#now });
    }
    const plain = (life: Life): unknown => JSON.parse(JSON.stringify(life));
    return isDeepStrictEqual(plain(carried.runs === undefined ? this.life : ofNextRun(this.life)), plain(carried));
  }

  #tellCarried(): void {
    const { user, unpublished } = this.life;
    const place = (of: { readonly partition: number; readonly offset: number }): Coordinate =>
      this.#records.place('money', of.partition, of.offset);
    for (const money of allPending(user.pending)) {
      this.#tell({ type: 'carried', place: place(money), waiting: { type: 'pending', money } });
    }
    for (const money of user.lookups) {
      this.#tell({ type: 'carried', place: place(money), waiting: { type: 'lookup', money } });
    }
    for (const output of unpublished) {
      this.#tell({ type: 'carried', place: place(output), waiting: { type: 'unpublished', output } });
    }
  }

  #tell(untold: Untold): void {
    this.#tellAll({ ...this.#at, runId: this.#recorded.runId, ...untold } as Happening);
  }

  #take(event: RecordedEvent): void {
    switch (event.type) {
      case 'signal':
      case 'timer-fired':
      case 'completed':
      case 'ended-without':
        this.#incoming.push(event);
        return;
      case 'task-started':
        this.#taskStartedAt = event.at;
        return;
      case 'task-completed':
        return this.#activate();
      case 'task-failed':
        return this.#tell({ type: 'task-failed', message: event.message });
      case 'scheduled':
        return this.#scheduled(event.id, event.activityId, event.activity);
      case 'started': {
        const call = this.#calls.get(event.scheduled);
        if (call === undefined) return;
        call.attempt = event.attempt;
        if (event.lastFailure !== undefined) call.lastFailure = event.lastFailure;
        return;
      }
      case 'cancelled':
        if (this.#watch === event.scheduled) this.#watch = undefined;
        return;
      case 'published-locally':
        this.#now = Math.max(this.#now, event.completedAt ?? 0);
        return this.#publishedLocally();
      case 'reset-locally':
        return this.#wasReset(this.#unmarked.length > 0 ? 'applied' : 'resolved', event.last);
      case 'continued-as-new':
        this.#unmarked = [];
        return this.#goOn();
      case 'closed':
        return this.#tell({ type: 'closed', how: event.how });
      default:
        return event satisfies never;
    }
  }

  /** A task is completed: what came in before it started has been handled in it. */
  #activate(): void {
    this.#now = this.#taskStartedAt;
    for (const event of this.#incoming) {
      if (event.type === 'signal') this.#inbox.push({ batch: event.batch, at: event.at, event: event.id });
      else if (event.type === 'timer-fired') this.#happened.push(() => this.#onAlarm());
      else if (event.type === 'completed') this.#completed(event.scheduled, event.result);
      else if (event.type === 'ended-without') this.#endedWithout(event.scheduled, event.failure);
    }
    this.#incoming = [];
    this.#goOn();
  }

  #goOn(): void {
    while (this.#unmarked.length === 0) {
      if (this.#inbox.length > 0) this.#applyInbox();
      else if (this.#happened.length > 0) this.#happened.shift()!();
      else return;
    }
  }

  #applyInbox(): void {
    const applied: Output[] = [];
    const most = Math.min(MAX_BATCHES, this.#signalsPublishedNext() ?? MAX_BATCHES);
    let last: EventBatch | undefined;
    for (let taken = 0; taken < most && this.#inbox.length > 0 && mayFollow(last, userEntity, this.life); taken += 1) {
      const received = this.#inbox.shift()!;
      const { batch } = received;
      this.life.rules = batch.rules;
      this.life.partition = batch.partition;
      for (const record of batch.records) {
        const result = this.#records.apply(this.life, received, record, {
          userId: this.#recorded.start.userId,
          now: this.#now,
          seq: this.life.published.applied + applied.length + 1,
        });
        applied.push(...result.applied);
        this.life.unpublished.push(...result.resolved);
        for (const untold of result.told) this.#tell(untold);
      }
      if (batch.records.length === 0) this.#records.raise(this.life, batch);
      last = batch;
    }
    this.#unmarked = chunksOf(applied);
  }

  /** For how many signals the next publish was that says it. */
  #signalsPublishedNext(): number | undefined {
    for (const event of this.#recorded.events) {
      if (event.id <= this.#at.event) continue;
      if (event.type === 'published-locally') return event.signals;
      if (event.type !== 'completed') continue;
      const signals = (event.result as { signals?: unknown } | null | undefined)?.signals;
      if (typeof signals === 'number') return signals;
    }
    return undefined;
  }

  #publishedLocally(): void {
    const chunk = this.#unmarked.shift();
    const stream = chunk === undefined ? 'resolved' : 'applied';
    // A resolved output that is too large for history goes alone.
    const outputs = chunk ?? this.life.unpublished.splice(0, 1);
    if (outputs.length === 0) return;
    const first = this.life.published[stream] + 1;
    this.life.published[stream] += outputs.length;
    this.#tell({ type: 'published', stream, first, of: this.#placesOf(outputs) });
    this.#goOn();
  }

  #scheduled(id: number, activityId: string, activity: ActivityRequest): void {
    const call = callOf(this.#recorded.runId, id);
    let asked: QuestionCall<Lookup> | undefined;
    if (activity.name === 'lookupSessions') {
      const { sessionIds, giveUpAt } = activity.request;
      const lookups = this.life.user.lookups.filter(
        (lookup) =>
          !this.#book.isInFlight(lookup) &&
          sessionIds.includes(lookup.money.userSessionId) &&
          (lookup.giveUpAt ?? giveUpAt) === giveUpAt,
      );
      asked = questionCall(lookups, giveUpAt, this.#now, sessionLookups.giveUpAfter(this.life));
      this.#book.begin(asked);
      for (const lookup of lookups) this.#callOfLookup.set(lookup, id);
      this.#tell({ type: 'lookup-asked', call, activityId, of: this.#placesOf(lookups), sessionIds, giveUpAt });
    } else if (activity.name === 'publish') {
      this.#tell({
        type: 'publish-asked',
        call,
        activityId,
        first: activity.request.first,
        of: this.#placesOf(activity.request.outputs),
      });
    } else {
      this.#watch = id;
    }
    this.#calls.set(id, { activity, attempt: 1, ...(asked === undefined ? {} : { lookups: asked }) });
  }

  #completed(scheduled: number, result: unknown): void {
    const call = this.#calls.get(scheduled);
    if (call === undefined) return;
    const { activity, attempt } = call;
    if (activity.name === 'publish') {
      const { stream, first, outputs } = activity.request;
      if (stream === 'applied') return this.#publishedLocally();
      this.#happened.push(() => {
        this.life.published.resolved += outputs.length;
        this.life.unpublished.splice(0, outputs.length);
        this.#tell({ type: 'published', stream: 'resolved', first, of: this.#placesOf(outputs), attempts: attempt });
      });
    } else if (activity.name === 'lookupSessions') {
      this.#happened.push(() =>
        this.#lookupEnded(scheduled, { answers: sessionLookups.answersIn(outcomesOf(result)) }),
      );
    } else if (this.#watch === scheduled) {
      this.#watch = undefined;
      if (typeof result === 'number') this.#happened.push(() => this.#onWatermark(result));
    }
  }

  #wasReset(stream: Stream, last: number): void {
    this.life.published[stream] = last;
    this.life.user.counters.resets += 1;
  }

  #endedWithout(scheduled: number, { message, types, resetTo }: RecordedFailure): void {
    const call = this.#calls.get(scheduled);
    if (call?.activity.name === 'publish' && resetTo !== undefined) {
      const { stream } = call.activity.request;
      if (stream === 'applied') return this.#wasReset(stream, resetTo);
      this.#happened.push(() => this.#wasReset(stream, resetTo));
      return;
    }
    if (this.#watch === scheduled) this.#watch = undefined;
    const end = endByTypes(types, sessionLookups.failures);
    if (call?.lookups === undefined || end === undefined) return;
    call.lastFailure = message;
    this.#happened.push(() => this.#lookupEnded(scheduled, end));
  }

  #lookupEnded(scheduled: number, end: QuestionEnd<Lookup, Answer>): void {
    const { lookups } = this.#calls.get(scheduled)!;
    const settled = this.#book.end(lookups!, end, this.#now);
    const answered = new Set(settled.map(([lookup]) => lookup));
    const open = lookups!.questions.filter((lookup) => !answered.has(lookup) && !this.#book.isInFlight(lookup));
    this.#tellLookups(
      settled,
      open.map((lookup) => [lookup, scheduled]),
    );
  }

  /** `again`: to be asked for again, after which call. */
  #tellLookups(settled: readonly Settled<Lookup, Answer>[], again: readonly (readonly [Lookup, number])[]): void {
    const answers = new Map<number, LookupAnswer[]>();
    const note = (lookup: Lookup, scheduled: number, answer: Pick<LookupAnswer, 'status' | 'output'>): void => {
      const place = this.#records.place('money', lookup.partition, lookup.offset);
      answers.set(scheduled, [...(answers.get(scheduled) ?? []), { place, moneyId: lookup.money.id, ...answer }]);
    };
    for (const [lookup, answer] of settled) {
      const output = resolveLookup(this.life.user, lookup, answer, {
        userId: this.#recorded.start.userId,
        now: this.#now,
      });
      this.life.unpublished.push(output);
      note(lookup, this.#callOfLookup.get(lookup) ?? 0, { status: answer.status, output });
    }
    for (const [lookup, scheduled] of again) note(lookup, scheduled, { status: 'retry' });
    for (const [scheduled, all] of answers) {
      const { attempt = 1, lastFailure } = this.#calls.get(scheduled) ?? {};
      this.#tell({
        type: 'lookup-ended',
        call: callOf(this.#recorded.runId, scheduled),
        attempts: attempt,
        ...(lastFailure === undefined ? {} : { lastFailure }),
        answers: all,
      });
    }
  }

  #onAlarm(): void {
    const { rules, user } = this.life;
    if (rules === null) return;
    this.#releasing({ type: 'wall-clock' }, () =>
      passWallClock(user, rules, { userId: this.#recorded.start.userId, now: this.#now }),
    );
    this.#tellLookups(this.#book.due(this.#now), []);
  }

  #onWatermark(watermark: number): void {
    const { rules, user } = this.life;
    if (rules === null) return;
    this.#tell({ type: 'watermark', watermark });
    this.#releasing({ type: 'event-time', reached: watermark }, () =>
      advance(user, watermark, rules, { userId: this.#recorded.start.userId, now: this.#now }),
    );
  }

  /** Every lookup that a deadline adds is money that was pending. */
  #releasing(by: Release, step: () => void): void {
    const { lookups } = this.life.user;
    const before = lookups.length;
    step();
    for (const { partition, offset, money } of lookups.slice(before)) {
      this.#tell({ type: 'released', place: this.#records.place('money', partition, offset), moneyId: money.id, by });
    }
  }

  #placesOf(of: readonly { readonly partition: number; readonly offset: number }[]): Coordinate[] {
    return of.map(({ partition, offset }) => this.#records.place('money', partition, offset));
  }
}
