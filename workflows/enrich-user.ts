/**
 * The life of one user's workflow: a shell around the pure fold of src/domain, on whatever {@link Engine} runs it.
 *
 * - Signals only fill the inbox. They are applied one after the other, in order, and always before anything else that
 *   happened (timers, results): that order is the same when a workflow task is lost and repeated with more in it.
 * - `applied` outputs go by a local activity, before their decision is in the history. They are a function of the
 *   signals alone, so a repeated task publishes the same again, and the ledger drops it.
 * - `resolved` outputs go by a regular activity, whose input is in the history before it runs; one at a time. One that is
 *   too large for that goes by a local activity, after a task in which nothing but a timer happened.
 * - Continue-as-new carries the whole life. What is in flight then (lookups, an unacknowledged publish, waiting for
 *   the watermark) is in the life as well and is asked for again.
 */
import type { Output } from '../activities/contract.ts';
import { FAILURES } from '../activities/contract.ts';
import { advance, applyBatch, emptyAt, passWallClock, resolveLookup } from '../src/domain/apply.ts';
import { earliestDue, earliestWallDue } from '../src/domain/pending.ts';
import { Alarm } from './alarm.ts';
import { canBeCarried, evictOldestDuplicates } from './carried.ts';
import { chunksOf, isLarge } from './chunks.ts';
import type { CallOptions, Engine } from './engine.ts';
import { lifeOf, type Snapshot, type Start } from './life.ts';
import { Lookups } from './lookups.ts';
import { QUERIES, type EventBatch } from './messages.ts';
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

const PUBLISH_LOCALLY: CallOptions = {
  local: true,
  startToCloseTimeout: 30_000,
  retry: {
    initialInterval: 50,
    maximumInterval: 2_000,
    nonRetryableErrorTypes: [FAILURES.shardNotOwned, FAILURES.sequenceGap, FAILURES.staleIncarnation, FAILURES.divergence],
  },
};
const PUBLISH_DURABLY: CallOptions = { startToCloseTimeout: 10_000, retry: { initialInterval: 200, maximumInterval: 5_000 } };

export async function enrichUser(engine: Engine, { userId, life: carried }: Start): Promise<never> {
  const life = lifeOf(carried, engine.incarnation);
  const inbox: EventBatch[] = [];
  /** What timers and activities brought, in order; each is handled only when the inbox is empty. */
  const happened: (() => void)[] = [];
  /** Signals are being applied and published: `life` is not what it will be carried as. */
  let applying = false;
  let publishing = false;
  let signals = 0;
  let nudged = false;
  const length = Math.min(LONGEST_RUN, 1 + Math.floor(engine.history().bytes / CARRIED_BYTES));

  engine.onEvents((batch) => {
    signals += 1;
    inbox.push(batch);
  });
  engine.onNudge(() => happened.push(() => (nudged = true)));
  engine.onQuery(QUERIES.state, () => stateView(userId, life));
  engine.onQuery(QUERIES.userInfo, () => userInfoView(life));
  engine.onQuery(QUERIES.sessionInfo, (sessionId: string) => sessionView(life, sessionId));
  engine.onQuery(QUERIES.pendingMoney, (sessionId: string) => pendingView(life, sessionId));
  engine.onQuery(QUERIES.snapshot, (): Snapshot | null => (applying ? null : { userId, life }));

  const alarm = new Alarm(engine, () => happened.push(onAlarm));
  const watch = new WatermarkWatch(engine, (watermark) => happened.push(() => onWatermark(watermark)));

  function failTask(what: string): (error: unknown) => void {
    return (error) => happened.push(() => {
      throw taskFailure(what, error);
    });
  }

  const lookups = new Lookups({
    engine, life,
    happened: (act) => void happened.push(act),
    settled: (lookup, answer) => void life.unpublished.push(resolveLookup(life.user, lookup, answer, { userId, now: engine.now() })),
    failed: failTask('Looking up sessions'),
  });

  async function applyInbox(): Promise<void> {
    const applied: Output[] = [];
    for (const batch of inbox.splice(0, MAX_BATCHES)) {
      life.rules = batch.rules;
      life.partition = batch.partition;
      const effects = applyBatch(life.user, batch, { userId, now: engine.now() });
      applied.push(...effects.applied);
      life.unpublished.push(...effects.resolved);
    }
    for (const outputs of chunksOf(applied)) {
      await publishApplied(outputs);
    }
  }

  async function publishApplied(outputs: readonly Output[]): Promise<void> {
    const first = life.published.applied + 1;
    try {
      await engine.call('publish', { userId, incarnation: life.incarnation, stream: 'applied', first, outputs }, PUBLISH_LOCALLY).result;
    } catch (error) {
      throw taskFailure(`Publishing ${outputs.length} outputs from ${first} on`, error);
    }
    life.published.applied += outputs.length;
  }

  function publishResolved(): void {
    if (publishing || life.unpublished.length === 0) return;
    const [outputs] = chunksOf(life.unpublished);
    publishing = true;
    const request = { userId, incarnation: life.incarnation, stream: 'resolved', first: life.published.resolved + 1, outputs: outputs! } as const;
    const published = (): void => void happened.push(() => {
      publishing = false;
      life.published.resolved += outputs!.length;
      life.unpublished.splice(0, outputs!.length);
    });
    const publish = (options: CallOptions): void => void engine.call('publish', request, options).result.then(published, failTask('Publishing resolved outputs'));
    // Too large for history: all that it follows from is there once a timer has been, and a local activity's input is not kept.
    if (isLarge(outputs!)) engine.timer(1, () => publish(PUBLISH_LOCALLY));
    else publish(PUBLISH_DURABLY);
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

  /** Whether to continue as new now; makes what is carried small enough. */
  function prepareContinueAsNew(): boolean {
    const { events, bytes, continueAsNewSuggested, newVersion } = engine.history();
    const long = signals >= length * RUN_SIGNALS || events >= length * RUN_EVENTS || bytes >= MAX_HISTORY_BYTES || continueAsNewSuggested;
    if (!long && !newVersion && !nudged) return false;
    const evicted = evictOldestDuplicates(life.user.dedup);
    if (evicted > 0) engine.warn('More money within the dedup TTL than can be carried: the oldest ids are forgotten', { evicted });
    // What waits to be published while Kafka is away may be too much; it shrinks when Kafka is back.
    return canBeCarried(life);
  }

  publishResolved();
  lookups.ask();
  setAlarm();
  for (;;) {
    await engine.until(() => inbox.length > 0 || happened.length > 0);
    if (inbox.length > 0) {
      applying = true;
      await applyInbox();
      applying = false;
    } else {
      happened.shift()!();
    }
    publishResolved();
    lookups.ask();
    setAlarm();
    engine.describe(details(life));
    // No await between here and the command: nothing can arrive in between and be left behind.
    if (inbox.length === 0 && happened.length === 0 && prepareContinueAsNew()) {
      await engine.continueAsNew({ userId, life });
    }
  }
}

/**
 * Fails the workflow task, never the workflow: the server gives the task to whoever owns the shard now. The SDK fails a
 * workflow, and with it loses the user's state, for every failure type of Temporal's own that leaves it (also a local
 * activity's, which comes bare and not as an ActivityFailure), and the task for any other error.
 */
function taskFailure(what: string, error: unknown): Error {
  return new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}
