/**
 * One long-lived workflow per user: a shell around the pure fold of src/domain.
 *
 * - Signals only fill the inbox. They are applied one after the other, in order, and always before anything else that
 *   happened (timers, results): that order is the same when a workflow task is lost and repeated with more in it.
 * - `applied` outputs go by a local activity, before their decision is in the history. They are a function of the
 *   signals alone, so a repeated task publishes the same again, and the ledger drops it.
 * - `resolved` outputs go by a regular activity, whose input is in the history before it runs; one at a time.
 * - Continue-as-new carries the whole life. What is in flight then (lookups, an unacknowledged publish, waiting for
 *   the watermark) is in the life as well and is asked for again.
 */
import {
  CancellationScope, condition, continueAsNew, defineQuery, defineSignal, log, proxyActivities, proxyLocalActivities, setCurrentDetails,
  setHandler, workflowInfo,
} from '@temporalio/workflow';
import type { Activities, LookupOutcome, Output } from '../activities/contract.ts';
import { FAILURES } from '../activities/contract.ts';
import { advance, applyBatch, emptyAt, passWallClock, resolveLookup } from '../src/domain/apply.ts';
import { earliestDue, earliestWallDue } from '../src/domain/pending.ts';
import type { Lookup } from '../src/domain/state.ts';
import { Alarm } from './alarm.ts';
import { canBeCarried, evictOldestDuplicates } from './carried.ts';
import { chunksOf } from './chunks.ts';
import { newLife, type Life, type Start } from './life.ts';
import { lookupGroups } from './lookup-groups.ts';
import { EVENTS_SIGNAL, QUERIES, type EventBatch } from './messages.ts';
import { details, pendingView, sessionView, stateView, userInfoView } from './views.ts';
import { WatermarkWatch } from './watermark-watch.ts';

/**
 * When to continue as new: far below the server's limits (10,000 signals, which its suggestion ignores, 51,200 events,
 * 50 MB), and at half of what makes the bridge wait (src/bridge/history-guard.ts).
 */
const MAX_SIGNALS = 1_000;
const MAX_HISTORY_EVENTS = 4_000;
const MAX_HISTORY_BYTES = 4_000_000;
/** Signals that are applied before their outputs are published. */
const MAX_BATCHES = 10;
const MAX_LOOKUPS_IN_FLIGHT = 100;
/** ms that pending money waits quietly for its session, before the watermark is watched on its behalf. */
const WATCH_AFTER = 3_000;
const HOUR = 3_600_000;

const local = proxyLocalActivities<Pick<Activities, 'publish'>>({
  startToCloseTimeout: '30s',
  retry: {
    initialInterval: '50ms',
    maximumInterval: '2s',
    nonRetryableErrorTypes: [FAILURES.shardNotOwned, FAILURES.sequenceGap, FAILURES.staleIncarnation, FAILURES.divergence],
  },
});
const resolved = proxyActivities<Pick<Activities, 'publish'>>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', maximumInterval: '5s' },
});

export const eventsSignal = defineSignal<[EventBatch]>(EVENTS_SIGNAL);
export const stateQuery = defineQuery<ReturnType<typeof stateView>>(QUERIES.state);
export const userInfoQuery = defineQuery<ReturnType<typeof userInfoView>>(QUERIES.userInfo);
export const sessionInfoQuery = defineQuery<ReturnType<typeof sessionView>, [string]>(QUERIES.sessionInfo);
export const pendingMoneyQuery = defineQuery<ReturnType<typeof pendingView>, [string]>(QUERIES.pendingMoney);

/** Cannot be cancelled: its state is not to be lost by that. Whoever wants it gone terminates it. */
export function userEnrichment(start: Start): Promise<void> {
  return CancellationScope.nonCancellable(() => run(start));
}

async function run({ userId, life: carried }: Start): Promise<void> {
  const info = workflowInfo();
  const life: Life = carried ?? newLife({ startedAt: info.startTime.getTime(), runId: info.firstExecutionRunId });
  const inbox: EventBatch[] = [];
  /** What timers and activities brought, in order; each is handled only when the inbox is empty. */
  const happened: (() => void)[] = [];
  const inFlight = new Set<Lookup>();
  let lookupCalls = 0;
  let publishing = false;
  let signals = 0;

  setHandler(eventsSignal, (batch) => {
    signals += 1;
    inbox.push(batch);
  });
  setHandler(stateQuery, () => stateView(userId, life));
  setHandler(userInfoQuery, () => userInfoView(life));
  setHandler(sessionInfoQuery, (sessionId) => sessionView(life, sessionId));
  setHandler(pendingMoneyQuery, (sessionId) => pendingView(life, sessionId));

  const alarm = new Alarm(() => happened.push(onAlarm));
  const watch = new WatermarkWatch((watermark) => happened.push(() => onWatermark(watermark)));

  function failTask(what: string): (error: unknown) => void {
    return (error) => happened.push(() => {
      throw taskFailure(what, error);
    });
  }

  async function applyInbox(): Promise<void> {
    const applied: Output[] = [];
    for (const batch of inbox.splice(0, MAX_BATCHES)) {
      life.rules = batch.rules;
      life.partition = batch.partition;
      const effects = applyBatch(life.user, batch, { userId, now: Date.now() });
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
      await local.publish({ userId, incarnation: life.incarnation, stream: 'applied', first, outputs });
    } catch (error) {
      throw taskFailure(`Publishing ${outputs.length} outputs from ${first} on`, error);
    }
    life.published.applied += outputs.length;
  }

  function publishResolved(): void {
    if (publishing || life.unpublished.length === 0) return;
    const [outputs] = chunksOf(life.unpublished);
    publishing = true;
    void resolved
      .publish({ userId, incarnation: life.incarnation, stream: 'resolved', first: life.published.resolved + 1, outputs: outputs! })
      .then(() => happened.push(() => {
        publishing = false;
        life.published.resolved += outputs!.length;
        life.unpublished.splice(0, outputs!.length);
      }), failTask('Publishing resolved outputs'));
  }

  function askForLookups(): void {
    const waiting = life.user.lookups.filter((lookup) => !inFlight.has(lookup));
    for (const { sessionIds, giveUpAt, lookups } of lookupGroups(waiting)) {
      if (lookupCalls >= MAX_LOOKUPS_IN_FLIGHT) return;
      lookupCalls += 1;
      for (const lookup of lookups) inFlight.add(lookup);
      void lookupActivity(life)
        .lookupSessions({ sessionIds, giveUpAt })
        .then((outcomes) => happened.push(() => onLookedUp(lookups, outcomes)), failTask('Looking up sessions'));
    }
  }

  function onLookedUp(lookups: readonly Lookup[], outcomes: readonly LookupOutcome[]): void {
    lookupCalls -= 1;
    const bySession = new Map(outcomes.map((outcome) => [outcome.sessionId, outcome]));
    for (const lookup of lookups) {
      inFlight.delete(lookup);
      const outcome = bySession.get(lookup.money.userSessionId);
      if (outcome === undefined || outcome.status === 'retry') continue;
      life.unpublished.push(resolveLookup(life.user, lookup, outcome, { userId, now: Date.now() }));
    }
  }

  function onAlarm(): void {
    if (life.rules === null) return;
    passWallClock(life.user, life.rules, { userId, now: Date.now() });
    if (watch.running) return;
    const due = earliestDue(life.user.pending);
    if (due !== undefined) watch.start(life.partition, due);
    else if (emptyAt(life.user, life.rules) !== undefined) watch.start(life.partition);
  }

  function onWatermark(watermark: number | null): void {
    if (watermark !== null && life.rules !== null) advance(life.user, watermark, life.rules, { userId, now: Date.now() });
  }

  function setAlarm(): void {
    const { user, rules } = life;
    if (rules === null) return;
    const wallDue = earliestWallDue(user.pending);
    const now = Date.now();
    if (wallDue !== undefined) {
      alarm.set(watch.running ? wallDue : Math.min(wallDue, now + WATCH_AFTER));
      return;
    }
    watch.cancelWait();
    if (watch.running) return;
    const empty = emptyAt(user, rules);
    alarm.set(empty === undefined ? undefined : now + Math.max(empty - user.tau!, Math.min(HOUR, rules.sessionTtl)));
  }

  /** Whether to continue as new now; makes what is carried small enough. */
  function prepareContinueAsNew(): boolean {
    const { historyLength, historySize, continueAsNewSuggested } = workflowInfo();
    const due = signals >= MAX_SIGNALS || historyLength >= MAX_HISTORY_EVENTS || historySize >= MAX_HISTORY_BYTES || continueAsNewSuggested;
    if (!due) return false;
    const evicted = evictOldestDuplicates(life.user.dedup);
    if (evicted > 0) log.warn('More money within the dedup TTL than can be carried: the oldest ids are forgotten', { evicted });
    // What waits to be published while Kafka is away may be too much; it shrinks when Kafka is back.
    return canBeCarried(life);
  }

  publishResolved();
  askForLookups();
  setAlarm();
  for (;;) {
    await condition(() => inbox.length > 0 || happened.length > 0);
    if (inbox.length > 0) await applyInbox();
    else happened.shift()!();
    publishResolved();
    askForLookups();
    setAlarm();
    setCurrentDetails(details(life));
    // No await between here and the command: nothing can arrive in between and be left behind.
    if (inbox.length === 0 && happened.length === 0 && prepareContinueAsNew()) {
      await continueAsNew<typeof userEnrichment>({ userId, life });
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

/** Retried for as long as the activity wants to be: it answers `given-up` itself when the time is over. */
function lookupActivity({ rules }: Life): Pick<Activities, 'lookupSessions'> {
  const giveUpAfter = rules?.lookupGiveUpAfter ?? HOUR;
  const maximumInterval = Math.max(100, Math.min(30_000, giveUpAfter / 10));
  return proxyActivities<Pick<Activities, 'lookupSessions'>>({
    startToCloseTimeout: '30s',
    retry: { initialInterval: Math.min(500, maximumInterval), maximumInterval },
  });
}
