/**
 * Tells what happens in a run while the product's own workflow goes through it: hears the rules of the user as the workflow
 * calls them, and what the workflow asks of Temporal. It changes nothing and decides nothing.
 */
import type { LookupRequest, Output, Stream, UserPublishRequest } from '../../../activities/contract.ts';
import type { Life } from '../../../workflows/life.ts';
import type { EventBatch } from '../../../workflows/messages.ts';
import { userEntity } from '../../../workflows/user-entity.ts';
import { PUBLISH_ACTIVITY } from '../../engine/workflow/entity/names.ts';
import { runEntity } from '../../engine/workflow/entity/run-entity.ts';
import { callOf, type Coordinate, type Happening, type Release, type Untold } from './happening.ts';
import { LookupListener } from './lookup-listener.ts';
import type { RecordFold } from './record-fold.ts';
import type { RecordedEvent, RecordedRun } from './recorded.ts';
import { ReplayedRun, type Departure, type RunListener } from './replayed-run.ts';
import { Telling } from './telling.ts';

type UserEntity = typeof userEntity;
type Rules = UserEntity['rules'];
type Context = Parameters<Rules['apply']>[2];

/** What a workflow is at a moment. */
export interface Sight {
  readonly life: Life;
  /** Nothing is being applied and published: `life` is what would be carried. */
  readonly settled: boolean;
}

/** A query that answers it, of the workflow that is told of. */
const SIGHT = 'sight';

/** An event, and its time. */
interface Place {
  readonly at: number;
  readonly event: number;
}

/** An activity as it is recorded. */
interface RecordedCall extends Place {
  attempt: number;
  lastFailure?: string;
}

export class ToldRun implements RunListener {
  readonly #run: RecordedRun;
  readonly #records: RecordFold;
  readonly #telling: Telling;
  readonly #replayed: ReplayedRun;
  readonly #lookups = new LookupListener();
  #now: Place;
  /** Where signals are recorded, by their batches; and those of them that are not applied. */
  readonly #signals = new Map<unknown, Place>();
  readonly #unapplied = new Set<unknown>();
  /** By the ids of activities, and these by their events. */
  readonly #calls = new Map<string, RecordedCall>();
  readonly #activityIds = new Map<number, string>();
  readonly #publishing = new Map<Stream, { readonly outputs: readonly Output[]; readonly activityId: string }>();
  /** Of what is told. */
  #published: Readonly<Record<Stream, number>>;
  /** Told after what led to it. */
  #asked: Happening[] = [];

  constructor(run: RecordedRun, records: RecordFold, tell: (happening: Happening) => void) {
    this.#run = run;
    this.#records = records;
    this.#telling = new Telling(tell);
    this.#now = { at: run.startedAt, event: 1 };
    this.#published = run.start.life?.published ?? { applied: 0, resolved: 0 };
    this.#replayed = new ReplayedRun(run, (port, start) => runEntity(port, this.#entity, start), this);
  }

  tell(untold: Untold, place = this.#now): void {
    this.#telling.tell(this.#happening(untold, place));
  }

  /** Tells all of it. Returns where this code does something else than is recorded; what follows there is not told. */
  async replay(): Promise<Departure | undefined> {
    const difference = await this.#replayed.run();
    this.#telling.release();
    return difference;
  }

  /** Undefined before the first task. */
  get sight(): Sight | undefined {
    return this.#replayed.query(SIGHT) as Sight | undefined;
  }

  /** What the next run has to be started with; undefined: it has not continued as new. */
  get carried(): object | undefined {
    return this.#replayed.carried;
  }

  /** Signals that no completed task has applied, in order. */
  get unapplied(): readonly EventBatch[] {
    const anybody = { mayBe: () => true };
    const batches = [...this.#unapplied].filter((batch) => userEntity.wire.whyNotABatch(batch, anybody) === undefined);
    return (batches as EventBatch[]).sort((a, b) => this.#signals.get(a)!.event - this.#signals.get(b)!.event);
  }

  tellUnapplied(): void {
    for (const batch of this.unapplied) {
      for (const record of batch.records) this.tell(this.#records.unapplied(batch, record), this.#signals.get(batch));
    }
  }

  recorded(event: RecordedEvent): void {
    const place = { at: event.at, event: event.id };
    if (event.type === 'signal') {
      this.#signals.set(event.batch, place);
      this.#unapplied.add(event.batch);
    } else if (event.type === 'scheduled') {
      this.#activityIds.set(event.id, event.activityId);
      this.#calls.set(event.activityId, { ...place, attempt: 1 });
    } else if (event.type === 'started') {
      const { attempt, lastFailure } = event;
      Object.assign(this.#callOf(event.scheduled), { attempt, ...(lastFailure !== undefined && { lastFailure }) });
    } else if (event.type === 'ended-without') {
      Object.assign(this.#callOf(event.scheduled), { lastFailure: event.failure.message });
    } else if (event.type === 'task-failed') {
      this.tell({ type: 'task-failed', message: event.message }, place);
    } else if (event.type === 'closed') {
      this.tell({ type: 'closed', how: event.how }, place);
    }
  }

  reached({ at, id }: RecordedEvent): void {
    this.#now = { at, event: id };
  }

  called(activityId: string, name: string, request: object): void {
    this.#tellPublished();
    if (name === PUBLISH_ACTIVITY) {
      const { stream, first, outputs } = request as UserPublishRequest;
      this.#publishing.set(stream, { outputs, activityId });
      this.#ask(activityId, (call) => ({
        type: 'publish-asked',
        call,
        activityId,
        stream,
        first,
        of: this.#placesOf(outputs),
      }));
    } else if (name === userEntity.questions.activity) {
      const { sessionIds, giveUpAt } = request as LookupRequest;
      const of = this.#placesOf(this.#lookups.called(activityId, request));
      this.#ask(activityId, (call) => ({ type: 'lookup-asked', call, activityId, of, sessionIds, giveUpAt }));
    }
  }

  waits(): void {
    this.#tellPublished();
    for (const [activityId, ended] of this.#lookups.takeEnded()) {
      const { event, attempt, lastFailure } = this.#calls.get(activityId)!;
      this.tell({
        type: 'lookup-ended',
        call: callOf(this.#run.runId, event),
        attempts: attempt,
        ...(lastFailure === undefined ? {} : { lastFailure }),
        answers: ended.map(({ lookup, ...answer }) => ({
          place: this.#records.placeOf(lookup),
          moneyId: lookup.money.id,
          ...answer,
        })),
      });
    }
    for (const happening of this.#asked.splice(0)) this.#telling.tell(happening);
  }

  /** The user as the workflow knows it, and heard. */
  get #entity(): UserEntity {
    const { rules, wire, notes, memory, queries } = userEntity;
    return {
      ...userEntity,
      wire: { ...wire, whyNotABatch: (value, whose) => this.#accepted(value, wire.whyNotABatch(value, whose)) },
      rules: {
        ...rules,
        apply: (life, batch, context) => this.#apply(life, batch, context),
        advance: (life, watermark, context) => {
          this.tell({ type: 'watermark', watermark });
          return this.#releasing(life, { type: 'event-time', reached: watermark }, () =>
            rules.advance(life, watermark, context),
          );
        },
        passWallClock: (life, context) =>
          this.#releasing(life, { type: 'wall-clock' }, () => rules.passWallClock(life, context)),
      },
      questions: this.#lookups.questions,
      memory: {
        remember: (life) => this.#telling.remembered(memory.remember(life)),
        goBack: (life, remembered, questions) => {
          for (const batch of this.#telling.tookBack(remembered)) this.#unapplied.add(batch);
          memory.goBack(life, remembered, questions);
        },
      },
      notes: {
        ...notes,
        reset: (life) => {
          this.#published = { ...life.published };
          notes.reset(life);
        },
      },
      queries: { ...queries, [SIGHT]: ({ life, settled }): Sight => ({ life, settled }) },
    };
  }

  #accepted(batch: unknown, whyNot: string | undefined): string | undefined {
    if (whyNot !== undefined) this.#unapplied.delete(batch);
    return whyNot;
  }

  /** Record by record, which is the same as all at once. */
  #apply(life: Life, batch: EventBatch, { key: userId, now }: Context): ReturnType<Rules['apply']> {
    this.#unapplied.delete(batch);
    const received = { batch, ...this.#signals.get(batch)! };
    const first = life.published.applied + this.#telling.outputs + 1;
    const effects = { applied: [] as Output[], resolved: [] as Output[] };
    const told: Happening[] = [];
    for (const record of batch.records) {
      const seq = first + effects.applied.length;
      const followed = this.#records.apply(life, received, record, { userId, now, seq });
      effects.applied.push(...followed.applied);
      effects.resolved.push(...followed.resolved);
      told.push(...followed.told.map((untold) => this.#happening(untold, this.#now)));
    }
    if (batch.records.length === 0) this.#records.raise(life, batch);
    this.#telling.applied(batch, effects.applied.length, told);
    return effects;
  }

  /** Every lookup that a deadline adds is money that was pending. */
  #releasing(life: Life, by: Release, step: () => readonly Output[]): readonly Output[] {
    const before = life.user.lookups.length;
    const outputs = step();
    for (const lookup of life.user.lookups.slice(before)) {
      this.tell({ type: 'released', place: this.#records.placeOf(lookup), moneyId: lookup.money.id, by });
    }
    return outputs;
  }

  /** What is published is known to be when the life counts it. */
  #tellPublished(): void {
    const { sight } = this;
    if (sight === undefined) return;
    const { published } = sight.life;
    for (const stream of ['applied', 'resolved'] as const) {
      const before = this.#published[stream];
      if (published[stream] <= before) continue;
      if (stream === 'applied') this.#telling.release();
      const { outputs, activityId } = this.#publishing.get(stream)!;
      const attempts = this.#calls.get(activityId)?.attempt;
      this.tell({
        type: 'published',
        stream,
        first: before + 1,
        of: this.#placesOf(outputs.slice(0, published[stream] - before)),
        ...(attempts === undefined ? {} : { attempts }),
      });
    }
    this.#published = { ...published };
    if (sight.settled) this.#telling.release();
  }

  /** Local activities are not recorded when they are asked for. */
  #ask(activityId: string, asked: (call: string) => Untold): void {
    const call = this.#calls.get(activityId);
    if (call === undefined) return;
    const happening = this.#happening(asked(callOf(this.#run.runId, call.event)), call);
    if (this.#telling.holds) this.#telling.tell(happening);
    else this.#asked.push(happening);
  }

  #happening(untold: Untold, { at, event }: Place): Happening {
    return { at, event, runId: this.#run.runId, ...untold } as Happening;
  }

  #callOf(scheduled: number): Partial<RecordedCall> {
    return this.#calls.get(this.#activityIds.get(scheduled) ?? '') ?? {};
  }

  #placesOf(of: readonly { readonly partition: number; readonly offset: number }[]): Coordinate[] {
    return of.map((one) => this.#records.placeOf(one));
  }
}
