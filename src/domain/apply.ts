/**
 * The fold: records of one user, in the order of application, into its state and what follows from it.
 *
 * Invariants: the effective time of a user never decreases; before a record is applied at tau, everything due before
 * tau is done; the `applied` outputs are a function of the records alone, while `resolved` ones (money that waited)
 * also depend on when deadlines and lookups were noticed, never in their content, only in their order.
 */
import { effectiveTime, inputOf, type Applicable, type Money, type Offsets, type Output, type Rules, type SessionInfo } from './events.ts';
import { forgetExpired, makeRoom } from './bounds.ts';
import { keptOf } from './kept.ts';
import { noteApplied, raiseLowWater } from './redelivery.ts';
import type { Logs } from './types.ts';
import { sessionStatus } from './sessions.ts';
import type { Lookup, Pending, UserState, Waiting } from './state.ts';
import { userInfoAt } from './user-info.ts';

/** What follows from a step. New lookups are in `state.lookups`. */
export interface Effects {
  /** Outputs that needed no waiting. */
  readonly applied: Output[];
  /** Outputs that waited for a session, a deadline or a lookup. */
  readonly resolved: Output[];
}

export interface Batch {
  readonly partition: number;
  /** Absent when they are not known. */
  readonly logs?: Readonly<Logs>;
  readonly lowWater: Offsets;
  readonly rules: Rules;
  readonly records: readonly Applicable[];
}

/** Who and when: `now` is the wall clock of the step in epoch ms, or null where there is none (backfill). */
export interface StepContext {
  readonly userId: string;
  readonly now: number | null;
}

export function noEffects(): Effects {
  return { applied: [], resolved: [] };
}

/** Applies a batch, in its order; coordinates that were applied before are dropped and counted. */
export function applyBatch(state: UserState, batch: Batch, context: StepContext): Effects {
  const effects = noEffects();
  raiseLowWater(state.redelivery, batch, batch.lowWater);
  for (const record of batch.records) {
    if (!noteApplied(state.redelivery, batch, inputOf(record.event), record.offset)) {
      state.counters.redeliveriesDropped += 1;
      continue;
    }
    applyRecord(state, batch, record, context, effects);
    keepBounds(state, batch.rules, context);
  }
  forgetExpired(state, batch.rules);
  return effects;
}

function applyRecord(state: UserState, batch: Batch, record: Applicable, context: StepContext, effects: Effects): void {
  const tau = Math.max(effectiveTime(record), state.tau ?? -Infinity);
  passTo(state, tau, batch.rules, context);
  const { event } = record;
  const kept = keptOf(state);
  switch (event.type) {
    case 'birthDate':
      return kept.birthYear.add({ ts: record.ts, offset: record.offset, value: event.birthYear });
    case 'address':
      return kept.residentCountryCode.add({ ts: record.ts, offset: record.offset, value: event.residentCountryCode });
    case 'session':
      kept.sessions.add(event.sessionId, { ts: record.ts, offset: record.offset, clientCountryCode: event.clientCountryCode });
      return releasePending(state, event.sessionId, tau, batch.rules, context, effects);
    case 'money':
      if (record.late !== undefined) state.counters.late += 1;
      return applyMoney(state, batch, record, event.money, tau, context, effects);
    default:
      return event satisfies never;
  }
}

/** The table of semantics, section 3; the first row that fits. */
function applyMoney(
  state: UserState, batch: Batch, record: Applicable, money: Money, tau: number, context: StepContext, effects: Effects,
): void {
  const { rules, partition } = batch;
  const kept = keptOf(state);
  if (kept.dedup.isVisible(money.id, tau, rules.dedupTtl)) {
    state.counters.duplicatesDropped += 1;
    return;
  }
  kept.dedup.add(money.id, money.ts);
  state.counters.moneyApplied += 1;
  state.counters.moneyByCurrency[money.currency] = (state.counters.moneyByCurrency[money.currency] ?? 0) + 1;
  const firstOccurrence = kept.moneyTypes.note(money.moneyType);
  const userInfo = userInfoAt(state, money.ts);
  const { userSessionId } = money;
  const known = { partition, offset: record.offset, firstOccurrence, ...(userInfo && { userInfo }) };
  if (userSessionId === undefined) {
    effects.applied.push(outputOf(context, { ...known, money }));
    return;
  }
  const waiting: Waiting = { ...known, money: { ...money, userSessionId } };
  if (money.isOldMoneyEvent) return lookUp(state, waiting, rules, context);
  const session = state.sessions[userSessionId];
  const status = sessionStatus(session, tau, rules.sessionTtl);
  if (status === 'visible' && money.ts <= session!.ts + rules.sessionTtl) {
    state.counters.joined += 1;
    effects.applied.push(outputOf(context, waiting, { clientCountryCode: session!.clientCountryCode }));
    return;
  }
  if (status !== 'unknown' || record.late !== undefined) return lookUp(state, waiting, rules, context);
  kept.pending.add({
    ...waiting,
    dueAt: money.ts + rules.pendingTimeout,
    ...(context.now === null ? {} : { wallDueAt: context.now + rules.pendingTimeout }),
  });
}

/** The session that this money waited for was applied at tau: the same rows again. */
function releasePending(
  state: UserState, sessionId: string, tau: number, rules: Rules, context: StepContext, effects: Effects,
): void {
  const session = state.sessions[sessionId]!;
  for (const { dueAt: _, wallDueAt: __, ...waiting } of keptOf(state).pending.takeSession(sessionId)) {
    if (sessionStatus(session, tau, rules.sessionTtl) === 'visible' && waiting.money.ts <= session.ts + rules.sessionTtl) {
      state.counters.joined += 1;
      effects.resolved.push(outputOf(context, waiting, { clientCountryCode: session.clientCountryCode }));
    } else {
      lookUp(state, waiting, rules, context);
    }
  }
}

function lookUp(state: UserState, waiting: Waiting, rules: Rules, { now }: StepContext): void {
  state.lookups.push(now === null ? waiting : { ...waiting, giveUpAt: now + rules.lookupGiveUpAfter });
}

/** The watermark has reached `tau`: deadlines before it pass, what has expired is forgotten. */
export function advance(state: UserState, tau: number, rules: Rules, context: StepContext): void {
  passTo(state, Math.max(tau, state.tau ?? -Infinity), rules, context);
  forgetExpired(state, rules);
}

/** The wall clock has reached `context.now`: money that is pending for too long is looked up. */
export function passWallClock(state: UserState, rules: Rules, context: StepContext & { now: number }): void {
  lookUpPending(state, keptOf(state).pending.takeWallDue(context.now), rules, context);
}

/** What exceeds the bounds makes room. Rules without bounds are of a release that had none. */
export function keepBounds(state: UserState, rules: Rules, context: StepContext): void {
  if (rules.bounds !== undefined) lookUpPending(state, makeRoom(state, rules, rules.bounds), rules, context);
}

function lookUpPending(state: UserState, pending: readonly Pending[], rules: Rules, context: StepContext): void {
  for (const { dueAt: _, wallDueAt: __, ...waiting } of pending) lookUp(state, waiting, rules, context);
}

function passTo(state: UserState, tau: number, rules: Rules, context: StepContext): void {
  if (state.tau === null || tau > state.tau) {
    state.tau = tau;
    lookUpPending(state, keptOf(state).pending.takeDueBefore(tau), rules, context);
  }
  const { birthYear, residentCountryCode } = keptOf(state);
  birthYear.prune(tau, rules.sessionTtl);
  residentCountryCode.prune(tau, rules.sessionTtl);
}

/** What the session service said of the session of one waiting money. */
export type Answer = { readonly status: 'found'; readonly clientCountryCode: string } | { readonly status: 'not-found' } | { readonly status: 'given-up' };

/** Completes a lookup; its money leaves the state as an output. */
export function resolveLookup(state: UserState, lookup: Lookup, answer: Answer, context: StepContext): Output {
  state.lookups.splice(state.lookups.indexOf(lookup), 1);
  state.counters.lookedUp += 1;
  if (answer.status === 'found') return outputOf(context, lookup, { clientCountryCode: answer.clientCountryCode });
  if (answer.status === 'not-found') return outputOf(context, lookup);
  state.counters.incomplete += 1;
  return { ...outputOf(context, lookup), incomplete: true };
}

function outputOf(
  { userId }: StepContext,
  { partition, offset, money, userInfo, firstOccurrence }: Omit<Waiting, 'money'> & { readonly money: Money },
  sessionInfo?: SessionInfo,
): Output {
  return {
    partition,
    offset,
    enriched: { userId, money, ...(userInfo && { userInfo }), ...(sessionInfo && { sessionInfo }), firstOccurrence },
  };
}

/** When everything that expires by event time will have expired, epoch ms; undefined when nothing does. */
export function emptyAt(state: UserState, rules: Rules): number | undefined {
  const times = [
    ...Object.values(state.sessions).map((session) => session.ts + 2 * rules.sessionTtl),
    ...Object.values(state.dedup).map((ts) => ts + rules.dedupTtl),
    ...[state.birthYear, state.residentCountryCode].filter((changes) => changes.length > 1).map((changes) => changes.at(-1)!.ts + rules.sessionTtl),
  ];
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b)) + 1;
}
