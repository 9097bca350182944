/**
 * The life of one user's workflow: a shell around the pure fold of src/money/domain, on whatever {@link Engine} runs it.
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
 * - Continue-as-new carries the whole life. What is in flight then (lookups, an unacknowledged publish, waiting for
 *   the watermark) is in the life as well and is asked for again.
 */
import type { Output, PublishAnswer, PublishRequest, Stream } from '../activities/contract.ts';
import { advance, emptyAt, passWallClock, resolveLookup } from '../src/money/domain/apply.ts';
import { earliestDue, earliestWallDue } from '../src/money/domain/pending.ts';
import { Alarm } from '../src/engine/workflow/alarm.ts';
import { whyNotABatch } from './batches.ts';
import { canBeCarried, couldBeCarried, evictOldestDuplicates, makeItFit } from './carried.ts';
import { chunksOf, isLarge } from '../src/engine/workflow/chunks.ts';
import { taskFailure } from '../src/engine/workflow/publish-failure.ts';
import type { Engine, Foreign } from './engine.ts';
import { Inbox } from './inbox.ts';
import { lifeOf, ofNextRun, type Snapshot } from './life.ts';
import { Lookups } from './lookups.ts';
import { QUERIES, type EventBatch } from './messages.ts';
import { Notes } from './notes.ts';
import { publishDurably, publishLocally } from './publishing.ts';
import { SignalGroup } from './signal-group.ts';
import { begin } from './start.ts';
import { details, pendingView, sessionView, stateView, userInfoView } from './views.ts';
import { WatermarkWatch } from './watermark-watch.ts';

/**
 * When to continue as new. Whoever takes a shard over replays the runs of its users whole, each within a task's 10 s, so runs
 * are short; the larger the state that each begins with, the longer they are, up to four times.
 * That is far below the server's limits (10,000 signals, which its suggestion ignores, 51,200 events, 50 MB), and below what
 * makes the bridge wait (src/engine/bridge/history-guard.ts).
 */
const RUN_SIGNALS = 100;
const RUN_EVENTS = 400;
const CARRIED_BYTES = 100_000;
const LONGEST_RUN = 10;
/** Since 0.3, in place of {@link LONGEST_RUN}: `patched` tells whether a history was recorded with it. */
const LONGEST_RUN_NOW = 4;
/** Records of full signals cost a replay as much as many signals. */
const RUN_RECORDS = 5_000;
const MAX_HISTORY_BYTES = 4_000_000;
/** Signals that are applied before their outputs are published. */
const MAX_BATCHES = 10;
/** ms that pending money waits quietly for its session, before the watermark is watched on its behalf. */
const WATCH_AFTER = 3_000;
const HOUR = 3_600_000;

export async function enrichUser(engine: Engine, argument: unknown): Promise<never> {
  const { whose, life: carried, notOurs } = begin(argument, engine);
  const life = lifeOf(carried, engine.incarnation);
  const run = { number: life.runs ?? 0, id: engine.runId.slice(0, 8) };
  const inbox = new Inbox(life);
  const notes = new Notes(engine, life);
  /** Signals are being applied and published: `life` is not what it will be carried as. */
  let applying = false;
  let publishing = false;
  let signals = 0;
  let records = 0;
  let nudged = false;
  /** Batches that came before one said whose they are. */
  const nobodys: EventBatch[] = [];
  const length = Math.min(LONGEST_RUN, 1 + Math.floor(engine.history().bytes / CARRIED_BYTES));
  const lengthNow = Math.min(LONGEST_RUN_NOW, length);

  const drop = (kind: Foreign, why: string): void => notes.notOurs(kind, why);
  if (notOurs !== undefined) drop('start', notOurs);
  engine.onEvents((batch) => {
    signals += 1;
    const wrong = whyNotABatch(batch, whose);
    if (wrong !== undefined) return drop('signal', wrong);
    whose.took(batch as EventBatch);
    records += (batch as EventBatch).records.length;
    nobodys.push(batch as EventBatch);
    if (whose.userId !== undefined) for (const one of nobodys.splice(0)) inbox.signal(one);
  });
  // Before that of all other signals, which takes what has come already.
  engine.onNudge(() => inbox.happens(() => (nudged = true), { makesRoom: true }));
  engine.onForeign((kind) => {
    signals += 1;
    drop(kind, 'nothing that this workflow knows');
  });
  engine.onQuery(QUERIES.state, () => stateView(whose.userId ?? '', life, inbox.waitsForRoom));
  engine.onQuery(QUERIES.userInfo, () => userInfoView(life));
  engine.onQuery(QUERIES.sessionInfo, (sessionId: string) => sessionView(life, sessionId));
  engine.onQuery(QUERIES.pendingMoney, (sessionId: string) => pendingView(life, sessionId));
  engine.onQuery(QUERIES.snapshot, (): Snapshot | null =>
    applying || whose.userId === undefined ? null : { userId: whose.userId, life },
  );

  const alarm = new Alarm(engine, () => inbox.happens(onAlarm, { makesRoom: true }));
  const watch = new WatermarkWatch(engine, (watermark) => inbox.happens(() => onWatermark(watermark)));

  function fail(error: unknown): void {
    inbox.happens(
      () => {
        throw error;
      },
      { makesRoom: true },
    );
  }

  const lookups = new Lookups({
    engine,
    life,
    happened: (act) => inbox.happens(act, { makesRoom: true }),
    settled: (lookup, answer) => void life.unpublished.push(resolveLookup(life.user, lookup, answer, context())),
    failed: (error) => fail(taskFailure('Looking up sessions', error)),
  });

  /** Nothing is applied, waits or is owed before the first batch has said whose it is. */
  function context(): { readonly userId: string; readonly now: number } {
    return { userId: whose.userId!, now: engine.now() };
  }

  function requestOf(stream: Stream, outputs: readonly Output[], group?: number): PublishRequest {
    const request = {
      userId: whose.userId!,
      incarnation: life.incarnation,
      stream,
      first: life.published[stream] + 1,
      outputs,
      run,
    };
    return group === undefined ? request : { ...request, signals: group };
  }

  /** Whether all was applied as today; the bridge of an earlier release knows no bounds. */
  function marked(): { readonly marked: boolean } {
    return { marked: life.rules?.bounds !== undefined };
  }

  function wasReset(stream: Stream, last: number): void {
    life.published[stream] = last;
    notes.reset();
  }

  async function applyInbox(): Promise<void> {
    const group = new SignalGroup(life);
    for (let taken = 0; taken < MAX_BATCHES && (taken === 0 || group.mayGrow); taken += 1) {
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
            engine,
            requestOf('applied', chunks[n]!, group.signals),
            { published: resolve, reset: again, fail: reject },
            marked(),
          );
        publish();
      });
      if (answer && answer.signals < group.signals) {
        inbox.putBack(group.takeBack(answer.signals));
        chunks = chunksOf(group.applied);
      }
      life.published.applied += chunks[n]!.length;
    }
    notes.applied();
  }

  function publishResolved(): void {
    if (publishing || life.unpublished.length === 0) return;
    const [outputs] = chunksOf(life.unpublished);
    publishing = true;
    const request = requestOf('resolved', outputs!);
    const published = (): void =>
      inbox.happens(
        () => {
          publishing = false;
          life.published.resolved += outputs!.length;
          life.unpublished.splice(0, outputs!.length);
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
    if (isLarge(outputs!)) engine.timer(1, () => publishLocally(engine, request, answers, marked()));
    else publishDurably(engine, request, answers);
  }

  function onAlarm(): void {
    if (life.rules === null) return;
    passWallClock(life.user, life.rules, context());
    lookups.giveUpDue();
    if (watch.running) return;
    const due = earliestDue(life.user.pending);
    const place = { partition: life.partition, userId: context().userId };
    if (due !== undefined) watch.start(place, due);
    else if (emptyAt(life.user, life.rules) !== undefined) watch.start(place);
  }

  function onWatermark(watermark: number | null): void {
    if (watermark !== null && life.rules !== null) advance(life.user, watermark, life.rules, context());
  }

  function setAlarm(): void {
    const givenUp = lookups.nextGivenUp;
    if (givenUp !== undefined) alarm.set(givenUp);
    const { user, rules } = life;
    if (rules === null) return;
    const wallDue = earliestWallDue(user.pending);
    const now = engine.now();
    if (wallDue !== undefined) {
      alarm.set(watch.running ? wallDue : Math.min(wallDue, now + WATCH_AFTER));
      return;
    }
    watch.cancelWait();
    if (watch.running) return;
    const empty = emptyAt(user, rules);
    alarm.set(empty === undefined ? givenUp : now + Math.max(empty - user.tau!, Math.min(HOUR, rules.sessionTtl)));
  }

  function isLongNow(events: number): boolean {
    const long = records >= RUN_RECORDS || signals >= lengthNow * RUN_SIGNALS || events >= lengthNow * RUN_EVENTS;
    return long && engine.patched('shorter-runs');
  }

  /** Whether to continue as new now; what is carried fits, or is made to. */
  function prepareContinueAsNew(): boolean {
    const { events, bytes, continueAsNewSuggested, newVersion } = engine.history();
    const long =
      signals >= length * RUN_SIGNALS ||
      events >= length * RUN_EVENTS ||
      bytes >= MAX_HISTORY_BYTES ||
      continueAsNewSuggested;
    if (nobodys.length > 0) return false;
    if (!long && !newVersion && !nudged && !isLongNow(events)) return false;
    // What is owed while Kafka or the session service is away may be too much; it shrinks when they are back.
    if (life.rules?.bounds !== undefined) return canBeCarried(life);
    // All was applied without bounds, by an earlier release or for one: as that release decided, and where it gave up, as today.
    evictOldestDuplicates(life);
    if (couldBeCarried(life)) return true;
    if (!engine.patched('carried-as-stored')) return false;
    makeItFit(life, context());
    return canBeCarried(life);
  }

  publishResolved();
  lookups.ask();
  setAlarm();
  for (;;) {
    await engine.until(() => inbox.hasSomething);
    if (inbox.mayApply) {
      applying = true;
      await applyInbox();
      applying = false;
    } else {
      inbox.takeHappened()!();
    }
    publishResolved();
    lookups.ask();
    setAlarm();
    notes.room(inbox.waitsForRoom);
    engine.describe(details(life));
    // No await between here and the command: nothing can arrive in between and be left behind.
    if (inbox.empty && prepareContinueAsNew()) {
      await engine.continueAsNew({ userId: whose.userId ?? '', life: ofNextRun(life) });
    }
  }
}
