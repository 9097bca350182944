/**
 * The life of one user's workflow: a shell around the pure fold of src/domain, on whatever {@link Engine} runs it.
 *
 * - Signals only fill the inbox. They are applied one after the other, in order, and before anything else that happened
 *   (timers, results): that order is the same when a workflow task is lost and repeated with more in it. Only what makes room
 *   may come before them, see inbox.ts.
 * - `applied` outputs go by a local activity, before their decision is in the history. They are a function of the
 *   signals alone, so a repeated task publishes the same again, and the ledger drops it.
 * - `resolved` outputs go by a regular activity, whose input is in the history before it runs; one at a time. One that is
 *   too large for that goes by a local activity, after a task in which nothing but a timer happened.
 * - What is not ours is dropped, counted and warned of; no error of it leaves the workflow.
 * - A reset takes the workflow back to where it was, and nobody knows what came out since. So the workflow then lives anew: its
 *   outputs have numbers of a new incarnation, and what was published after that place comes out again.
 * - Continue-as-new carries the whole life. What is in flight then (lookups, an unacknowledged publish, waiting for
 *   the watermark) is in the life as well and is asked for again.
 */
import type { Output } from '../activities/contract.ts';
import { advance, applyBatch, emptyAt, passWallClock, resolveLookup } from '../src/domain/apply.ts';
import { earliestDue, earliestWallDue } from '../src/domain/pending.ts';
import { Alarm } from './alarm.ts';
import { whyNotABatch } from './batches.ts';
import { canBeCarried, couldBeCarried, evictOldestDuplicates, makeItFit } from './carried.ts';
import { chunksOf, isLarge } from './chunks.ts';
import type { Engine, Foreign } from './engine.ts';
import { Inbox } from './inbox.ts';
import { lifeOf, type Snapshot } from './life.ts';
import { Lookups } from './lookups.ts';
import { QUERIES, type EventBatch } from './messages.ts';
import { Notes } from './notes.ts';
import { publishDurably, publishLocally, taskFailure } from './publishing.ts';
import { begin } from './start.ts';
import { details, pendingView, sessionView, stateView, userInfoView } from './views.ts';
import { WatermarkWatch } from './watermark-watch.ts';

/**
 * When to continue as new. Whoever takes a shard over replays the runs of its users whole, within a task's 10 s and all of
 * them at once, so runs are short; the larger the state that each begins with, the longer they are, up to ten times.
 * That is far below the server's limits (10,000 signals, which its suggestion ignores, 51,200 events, 50 MB), and at half
 * of what makes the bridge wait (src/bridge/history-guard.ts).
 */
const RUN_SIGNALS = 100;
const RUN_EVENTS = 400;
const CARRIED_BYTES = 100_000;
const LONGEST_RUN = 10;
const MAX_HISTORY_BYTES = 4_000_000;
/** Signals that are applied before their outputs are published. */
const MAX_BATCHES = 10;
/** ms that pending money waits quietly for its session, before the watermark is watched on its behalf. */
const WATCH_AFTER = 3_000;
const HOUR = 3_600_000;

export async function enrichUser(engine: Engine, argument: unknown): Promise<never> {
  const { start: { userId, life: carried }, notOurs } = begin(argument, engine);
  const life = lifeOf(carried, engine.incarnation);
  const inbox = new Inbox(life);
  const notes = new Notes(engine, life);
  /** Signals are being applied and published: `life` is not what it will be carried as. */
  let applying = false;
  let publishing = false;
  let signals = 0;
  let nudged = false;
  /** Epoch ms; a reset that a new life has to follow, once that is in the history. */
  let resetAt: number | undefined;
  let resetIsRecorded = false;
  const length = Math.min(LONGEST_RUN, 1 + Math.floor(engine.history().bytes / CARRIED_BYTES));

  const drop = (kind: Foreign, why: string): void => notes.notOurs(kind, why);
  if (notOurs !== undefined) drop('start', notOurs);
  engine.onEvents((batch) => {
    signals += 1;
    const wrong = whyNotABatch(batch, userId);
    if (wrong === undefined) inbox.signal(batch as EventBatch);
    else drop('signal', wrong);
  });
  engine.onForeign((kind) => {
    signals += 1;
    drop(kind, 'nothing that this workflow knows');
  });
  engine.onReset(() => {
    resetAt = engine.now();
    resetIsRecorded = false;
    inbox.stop();
    engine.timer(1, () => inbox.happens(() => (resetIsRecorded = true), { makesRoom: true }));
  });
  engine.onNudge(() => inbox.happens(() => (nudged = true), { makesRoom: true }));
  engine.onQuery(QUERIES.state, () => stateView(userId, life, inbox.waitsForRoom));
  engine.onQuery(QUERIES.userInfo, () => userInfoView(life));
  engine.onQuery(QUERIES.sessionInfo, (sessionId: string) => sessionView(life, sessionId));
  engine.onQuery(QUERIES.pendingMoney, (sessionId: string) => pendingView(life, sessionId));
  engine.onQuery(QUERIES.snapshot, (): Snapshot | null => (applying ? null : { userId, life }));

  const alarm = new Alarm(engine, () => inbox.happens(onAlarm, { makesRoom: true }));
  const watch = new WatermarkWatch(engine, (watermark) => inbox.happens(() => onWatermark(watermark)));

  function fail(error: unknown): void {
    inbox.happens(() => {
      throw error;
    }, { makesRoom: true });
  }

  const lookups = new Lookups({
    engine, life,
    happened: (act) => inbox.happens(act, { makesRoom: true }),
    settled: (lookup, answer) => void life.unpublished.push(resolveLookup(life.user, lookup, answer, { userId, now: engine.now() })),
    failed: (error) => fail(taskFailure('Looking up sessions', error)),
  });

  async function applyInbox(): Promise<void> {
    const applied: Output[] = [];
    for (let taken = 0; taken < MAX_BATCHES; taken += 1) {
      const batch = inbox.takeBatch();
      if (batch === undefined) break;
      life.rules = batch.rules;
      life.partition = batch.partition;
      const effects = applyBatch(life.user, batch, { userId, now: engine.now() });
      applied.push(...effects.applied);
      life.unpublished.push(...effects.resolved);
    }
    notes.applied();
    for (const outputs of chunksOf(applied)) {
      const request = { userId, incarnation: life.incarnation, stream: 'applied', first: life.published.applied + 1, outputs } as const;
      await new Promise<void>((resolve, reject) => publishLocally(engine, request, resolve, reject));
      life.published.applied += outputs.length;
    }
  }

  function publishResolved(): void {
    if (publishing || life.unpublished.length === 0 || resetAt !== undefined) return;
    const [outputs] = chunksOf(life.unpublished);
    publishing = true;
    const request = { userId, incarnation: life.incarnation, stream: 'resolved', first: life.published.resolved + 1, outputs: outputs! } as const;
    const published = (): void => inbox.happens(() => {
      publishing = false;
      life.published.resolved += outputs!.length;
      life.unpublished.splice(0, outputs!.length);
    }, { makesRoom: true });
    // Too large for history: all that it follows from is there once a timer has been, and a local activity's input is not kept.
    if (isLarge(outputs!)) engine.timer(1, () => publishLocally(engine, request, published, fail));
    else publishDurably(engine, request, published, fail);
  }

  function onAlarm(): void {
    if (life.rules === null) return;
    passWallClock(life.user, life.rules, { userId, now: engine.now() });
    lookups.giveUpDue();
    if (watch.running) return;
    const due = earliestDue(life.user.pending);
    if (due !== undefined) watch.start(life.partition, due);
    else if (emptyAt(life.user, life.rules) !== undefined) watch.start(life.partition);
  }

  function onWatermark(watermark: number | null): void {
    if (watermark !== null && life.rules !== null) advance(life.user, watermark, life.rules, { userId, now: engine.now() });
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

  /** Whether to continue as new now; what is carried fits, or is made to. */
  function prepareContinueAsNew(): boolean {
    const { events, bytes, continueAsNewSuggested, newVersion } = engine.history();
    const long = signals >= length * RUN_SIGNALS || events >= length * RUN_EVENTS || bytes >= MAX_HISTORY_BYTES || continueAsNewSuggested;
    if (resetAt !== undefined || (!long && !newVersion && !nudged)) return false;
    // What is owed while Kafka or the session service is away may be too much; it shrinks when they are back.
    if (life.rules?.bounds !== undefined) return canBeCarried(life);
    // All was applied without bounds, by an earlier release or for one: as that release decided, and where it gave up, as today.
    evictOldestDuplicates(life);
    if (couldBeCarried(life)) return true;
    if (!engine.patched('carried-as-stored')) return false;
    makeItFit(life, { userId, now: engine.now() });
    return canBeCarried(life);
  }

  function liveAnewAfterReset(): void {
    if (resetAt === undefined || !resetIsRecorded || publishing) return;
    life.incarnation = { startedAt: resetAt, runId: engine.runId };
    life.published = { applied: 0, resolved: 0 };
    resetAt = undefined;
    notes.reset();
    inbox.goOn();
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
    liveAnewAfterReset();
    publishResolved();
    lookups.ask();
    setAlarm();
    notes.room(inbox.waitsForRoom);
    engine.describe(details(life));
    // No await between here and the command: nothing can arrive in between and be left behind.
    if (inbox.empty && prepareContinueAsNew()) {
      await engine.continueAsNew({ userId, life });
    }
  }
}
