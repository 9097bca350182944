/**
 * The life of one key's workflow: a shell around the pure rules of an {@link Entity}, on whatever {@link TemporalPort} runs it.
 *
 * - Signals only fill the inbox. They are applied one after the other, in order, and before anything else that happened
 *   (timers, results): that order is the same when a workflow task is lost and repeated with more in it. Only what makes room
 *   may come before them, see inbox.ts.
 * - `applied` outputs go by a local activity, before their decision is in the history. They are a function of the
 *   signals alone, so a repeated task publishes the same again, and the ledger drops it.
 * - `resolved` outputs go by a regular activity, whose input is in the history before it runs; one at a time. One that is
 *   too large for that goes by a local activity, after a task in which nothing but a timer happened.
 * - What is not ours is dropped, counted and warned of; no error of it leaves the workflow.
 * - A reset takes the workflow back to where it was. What follows from the signals alone is published as before, and absorbed; the
 *   numbers of what came of timers and answers go on after those that the ledger has (src/engine/publish/ledger.ts).
 * - Continue-as-new carries the whole life. What is in flight then (questions, an unacknowledged publish, waiting for
 *   the watermark) is in the life as well and is asked for again.
 */
import type { Identified, PublishAnswer, PublishRequest, Stream } from '../publish-request.ts';
import { Alarm } from '../alarm.ts';
import { chunksOf, firstChunkOf, isLarge } from '../chunks.ts';
import { taskFailure } from '../publish-failure.ts';
import type { Entity, EntityBatch, EntityContext, EntityLife } from './entity.ts';
import { Inbox } from './inbox.ts';
import { ofNextRun, underItsName } from './life.ts';
import { Notes } from './notes.ts';
import type { Foreign, TemporalPort } from './port.ts';
import { publishDurably, publishLocally, type Asked } from './publishing.ts';
import { Questions } from './questions.ts';
import { RecentOutputs } from './recent-outputs.ts';
import { canBeCarried } from './room.ts';
import { RunLength } from './run-length.ts';
import { SignalGroup } from './signal-group.ts';
import { begin, WITHOUT_KEY } from './start.ts';
import { WatermarkWatch } from './watermark-watch.ts';

/** Signals that are applied before their outputs are published. */
const MAX_BATCHES = 10;
/** As a part of the time that is left: how late what is to be forgotten may be. */
const FORGETS_LATE = 0.1;
/** ms that what waits for event time does so quietly, before the watermark is watched on its behalf. */
const WATCH_AFTER = 3_000;

/**
 * One run of an entity's workflow: it takes signals, applies them, publishes what is emitted, asks what is open, and continues as new
 * before its history is long. `argument`: what it was started with, or what the run before carried. It ends by continuing as new only.
 */
export async function runEntity<
  L extends EntityLife<O>,
  B extends EntityBatch,
  O extends Identified,
  Q extends object,
  A,
>(port: TemporalPort, entity: Entity<L, B, O, Q, A>, argument: unknown): Promise<never> {
  const { wire, rules, notes: says, earlier } = entity;
  const { whose, life: carried, notOurs } = begin(argument, port, { wire, notes: says });
  const life = carried === undefined ? rules.newLife(port.incarnation) : underItsName(carried, port.incarnation);
  const run = { number: life.runs ?? 0, id: port.runId.slice(0, 8) };
  const inbox = new Inbox<L, B>(entity, life);
  const notes = new Notes(port, says, life);
  const recent = new RecentOutputs<O>();
  /** Signals are being applied and published: `life` is not what it will be carried as. */
  let applying = false;
  let publishing = false;
  /** What is not ours has made the history long, and the turn comes to continue as new for that. */
  let crowded = false;
  /** Batches that came before one said whose they are. */
  const nobodys: B[] = [];
  const length = new RunLength(port.history().bytes);

  const drop = (kind: Foreign, why: string): void => {
    notes.foreign(kind, why);
    makeWayForOurs();
  };
  if (notOurs !== undefined) notes.foreign('start', notOurs);
  port.onEvents((batch) => {
    length.signal();
    const wrong = wire.whyNotABatch(batch, whose);
    if (wrong !== undefined) return drop('signal', wrong);
    whose.took(wire.keyOf(batch as B));
    length.took((batch as B).records.length);
    nobodys.push(batch as B);
    if (whose.key !== undefined) for (const one of nobodys.splice(0)) inbox.signal(one);
  });
  // Before that of all other signals, which takes what has come already.
  port.onNudge(() => inbox.happens(() => length.nudge(), { makesRoom: true }));
  port.onForeign((kind) => {
    length.signal();
    drop(kind, 'nothing that this workflow knows');
  });
  for (const [name, query] of Object.entries(entity.queries)) {
    port.onQuery(
      name,
      (...args: never[]) =>
        query({ key: whose.key, life, waitsForRoom: inbox.waitsForRoom, settled: !applying }, ...args),
      says.queries?.[name],
    );
  }

  const alarm = new Alarm(port, () => inbox.happens(onAlarm, { makesRoom: true }));
  const watch = new WatermarkWatch(port, (watermark) => inbox.happens(() => onWatermark(watermark)));

  function fail(error: unknown): void {
    inbox.happens(
      () => {
        throw error;
      },
      { makesRoom: true },
    );
  }

  const asks = entity.questions;
  const questions = new Questions({
    port,
    asks,
    life,
    happened: (act) => inbox.happens(act, { makesRoom: true }),
    settled: (question, answer) => owe(asks.answered(life, question, answer, context())),
    failed: (error) => fail(taskFailure(`Calling ${asks.activity}`, error)),
  });

  /** Nothing is applied, waits or is owed before the first batch has said whose it is. */
  function context(): EntityContext {
    return { key: whose.key!, now: port.now() };
  }

  function owe(outputs: readonly O[]): void {
    life.unpublished.push(...outputs);
  }

  function asked(stream: Stream, outputs: readonly O[], group?: number): Asked {
    const first = life.published[stream] + 1;
    const alone = { key: whose.key!, incarnation: life.incarnation, stream, first, outputs, run };
    const request: PublishRequest<O> = group === undefined ? alone : { ...alone, signals: group };
    return { request, input: wire.publishRequest(request) };
  }

  /** Whether all was applied as today. */
  function marked(): { readonly marked: boolean } {
    return { marked: earlier?.isOf(life.rules) !== true };
  }

  function wasReset(stream: Stream, last: number): void {
    life.published[stream] = last;
    notes.reset();
  }

  async function applyInbox(): Promise<void> {
    const group = new SignalGroup<L, B, O>(entity, life);
    // What it is asked for may cost a look at the whole state.
    for (let taken = 0; taken < MAX_BATCHES && inbox.hasSignal && (taken === 0 || group.mayGrow); taken += 1) {
      const batch = inbox.takeBatch();
      if (batch === undefined) break;
      group.apply(batch, context());
    }
    for (let chunks = chunksOf(group.applied), n = 0; n < chunks.length; n += 1) {
      const answer = await new Promise<PublishAnswer | void>((resolve, reject) => {
        const again = (last: number): void => {
          wasReset('applied', last);
          publish();
        };
        const publish = (): void =>
          publishLocally(
            port,
            asked('applied', chunks[n]!, group.signals),
            { published: resolve, reset: again, fail: reject },
            marked(),
          );
        publish();
      });
      if (answer?.signals !== undefined && answer.signals < group.signals) {
        inbox.putBack(group.takeBack(answer.signals));
        chunks = chunksOf(group.applied);
      }
      recent.published('applied', chunks[n]!, answer);
      life.published.applied += chunks[n]!.length;
    }
    notes.applied();
  }

  function publishResolved(): void {
    if (publishing || life.unpublished.length === 0) return;
    const outputs = firstChunkOf(life.unpublished);
    publishing = true;
    const request = asked('resolved', outputs);
    const published = (answer: PublishAnswer | void): void =>
      inbox.happens(
        () => {
          publishing = false;
          recent.published('resolved', outputs, answer);
          life.published.resolved += outputs.length;
          life.unpublished.splice(0, outputs.length);
        },
        { makesRoom: true },
      );
    const reset = (last: number): void =>
      inbox.happens(
        () => {
          publishing = false;
          wasReset('resolved', last);
        },
        { makesRoom: true },
      );
    const answers = { published, reset, fail };
    // Too large for history: all that it follows from is there once a timer has been, and a local activity's input is not kept.
    if (isLarge(outputs)) port.timer(1, () => publishLocally(port, request, answers, marked()));
    else publishDurably(port, request, answers);
  }

  function onAlarm(): void {
    if (life.rules === null) return;
    owe(rules.passWallClock(life, context()));
    questions.giveUpDue();
    if (watch.running) return;
    const due = rules.eventTimeDue(life);
    const place = { partition: life.partition, key: context().key };
    if (due !== undefined) watch.start(wire.watermarkRequest({ ...place, passes: due }), due);
    else if (rules.forgetsIn(life) !== undefined) watch.start(wire.watermarkRequest(place));
  }

  function onWatermark(watermark: number | null): void {
    if (watermark !== null && life.rules !== null) owe(rules.advance(life, watermark, context()));
  }

  function setAlarm(): void {
    const givenUp = questions.nextGivenUp;
    const givesUp = { why: says.alarms.givesUp };
    if (givenUp !== undefined) alarm.set(givenUp, givesUp);
    if (life.rules === null) return;
    const wallDue = rules.wallClockDue(life);
    const now = port.now();
    if (wallDue !== undefined) {
      const due = wallDue === Infinity ? givenUp : wallDue;
      const awaitsWatermark = rules.eventTimeDue(life) !== undefined;
      if (!awaitsWatermark) watch.cancelWait();
      alarm.set(awaitsWatermark && !watch.running ? Math.min(wallDue, now + WATCH_AFTER) : due, {
        why: says.alarms.waits,
      });
      return;
    }
    watch.cancelWait();
    if (watch.running) return;
    const forgetsIn = rules.forgetsIn(life);
    if (forgetsIn === undefined) return alarm.set(givenUp, givesUp);
    // What was forgotten late has changed no output: not worth a timer for each record that shifts it by some milliseconds.
    alarm.set(now + forgetsIn, {
      mayBeLate: forgetsIn * FORGETS_LATE,
      patched: () => port.patched('forgets-late'),
      why: says.alarms.forgets,
    });
  }

  /** What is dropped is followed by nothing else that looks at the history, and fills it all the same. */
  function makeWayForOurs(): void {
    if (crowded || !length.isOverfilled(port.history()) || !port.patched('foreign-continues')) return;
    crowded = true;
    inbox.happens(() => (crowded = false), { makesRoom: true });
  }

  /** Whether to continue as new now; what is carried fits, or is made to. */
  function prepareContinueAsNew(): boolean {
    if (nobodys.length > 0 || !length.isOver(port.history(), port.patched)) return false;
    if (earlier?.isOf(life.rules) === true) return earlier.prepareContinueAsNew(life, context(), port.patched);
    // What is owed while Kafka or who is asked is away may be too much; it shrinks when they are back.
    return canBeCarried(entity, life);
  }

  /** What follows from whatever happened. */
  function goOn(): void {
    publishResolved();
    questions.ask();
    setAlarm();
    notes.standing();
    port.describe(says.details(life, recent.outputs));
  }

  goOn();
  for (;;) {
    await port.until(() => inbox.hasSomething);
    if (inbox.mayApply) {
      applying = true;
      await applyInbox();
      applying = false;
    } else {
      inbox.takeHappened()!();
    }
    goOn();
    notes.room(inbox.waitsForRoom);
    // No await between here and the command: nothing can arrive in between and be left behind.
    if (inbox.empty && prepareContinueAsNew()) {
      await port.continueAsNew(whose.key === undefined ? WITHOUT_KEY : wire.startOf(whose.key, ofNextRun(life)));
    }
  }
}
