/**
 * The fold: records of one user, in the order of application, into its state and what follows from it.
 *
 * Invariants: the effective time of a user never decreases; before a record is applied at tau, everything due before
 * tau is done; the `applied` outputs are a function of the records alone, while `resolved` ones (money that waited)
 * also depend on when deadlines and lookups were noticed, never in their content, only in their order.
 */
import { Redeliveries } from '../../engine/workflow/redelivery.ts';
import {
  effectiveTime,
  inputOf,
  INPUTS,
  type Applicable,
  type Money,
  type Offsets,
  type Output,
  type Rules,
  type SessionInfo,
} from './events.ts';
import { forgetExpired, makeRoom } from './bounds.ts';
import { decide, decideBySession, type Decision } from './decide.ts';
import { keptOf } from './kept.ts';
import type { Logs } from './types.ts';
import type { Lookup, Pending, UserState, Waiting } from './state.ts';
import { userInfoAt } from './user-info.ts';

const redeliveries = new Redeliveries(INPUTS);

/** What follows from a step. New lookups are in `state.lookups`. */
export interface Effects {
  /** Outputs that needed no waiting. */
  readonly applied: Output[];
  /** Outputs that waited for a session, a deadline or a lookup. */
  readonly resolved: Output[];
}

export interface UserBatch {
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
  /** Told of each money that is applied, for those who explain it. */
  readonly onDecision?: (decision: Decision) => void;
}

function noEffects(): Effects {
  return { applied: [], resolved: [] };
}

/** Applies a batch, in its order; coordinates that were applied before are dropped and counted. */
export function applyBatch(state: UserState, batch: UserBatch, context: StepContext): Effects {
  const effects = noEffects();
  redeliveries.raiseLowWater(state.redelivery, batch, batch.lowWater);
  for (const record of batch.records) {
    if (!redeliveries.noteApplied(state.redelivery, batch, inputOf(record.event), record.offset)) {
      state.counters.redeliveriesDropped += 1;
      continue;
    }
    applyRecord(state, batch, record, context, effects);
    keepBounds(state, batch.rules, context);
  }
  forgetExpired(state, batch.rules);
  return effects;
}

function applyRecord(
  state: UserState,
  batch: UserBatch,
  record: Applicable,
  context: StepContext,
  effects: Effects,
): void {
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
      kept.sessions.add(event.sessionId, {
        ts: record.ts,
        offset: record.offset,
        clientCountryCode: event.clientCountryCode,
      });
      return releasePending(state, event.sessionId, tau, batch.rules, context, effects);
    case 'money':
      if (record.late !== undefined) state.counters.late += 1;
      return applyMoney(state, batch, record, event.money, tau, context, effects);
    default:
      return event satisfies never;
  }
}

function applyMoney(
  state: UserState,
  batch: UserBatch,
  record: Applicable,
  money: Money,
  tau: number,
  context: StepContext,
  effects: Effects,
): void {
  const { rules, partition } = batch;
  const decision = decide(state, money, { tau, isLate: record.late !== undefined, rules });
  context.onDecision?.(decision);
  if (decision.type === 'duplicate') {
    state.counters.duplicatesDropped += 1;
    return;
  }
  const known = { partition, offset: record.offset, ...noteMoney(state, money) };
  switch (decision.type) {
    case 'no-session':
      effects.applied.push(outputOf(context, { ...known, money }));
      return;
    case 'joined':
      effects.applied.push(joined(state, { ...known, money: decision.money }, decision.session, context));
      return;
    case 'lookup':
      return lookUp(state, { ...known, money: decision.money }, rules, context);
    case 'pending':
      return keptOf(state).pending.add({
        ...known,
        money: decision.money,
        dueAt: decision.dueAt,
        ...(context.now === null ? {} : { wallDueAt: context.now + rules.pendingTimeout }),
      });
    default:
      return decision satisfies never;
  }
}

/** Counts it, remembers its id and its type; what is known when it is applied. */
function noteMoney(state: UserState, money: Money): Pick<Waiting, 'firstOccurrence' | 'userInfo'> {
  const kept = keptOf(state);
  kept.dedup.add(money.id, money.ts);
  state.counters.moneyApplied += 1;
  state.counters.moneyByCurrency[money.currency] = (state.counters.moneyByCurrency[money.currency] ?? 0) + 1;
  const firstOccurrence = kept.moneyTypes.note(money.moneyType);
  const userInfo = userInfoAt(state, money.ts);
  return { firstOccurrence, ...(userInfo && { userInfo }) };
}

/** The session that this money waited for was applied at tau: the same rows again. */
function releasePending(
  state: UserState,
  sessionId: string,
  tau: number,
  rules: Rules,
  context: StepContext,
  effects: Effects,
): void {
  const session = state.sessions[sessionId]!;
  for (const { dueAt: _, wallDueAt: __, ...waiting } of keptOf(state).pending.takeSession(sessionId)) {
    const { type } = decideBySession(waiting.money, session, tau, rules);
    if (type === 'joined') effects.resolved.push(joined(state, waiting, session, context));
    else lookUp(state, waiting, rules, context);
  }
}

function joined(state: UserState, waiting: Waiting, { clientCountryCode }: SessionInfo, context: StepContext): Output {
  state.counters.joined += 1;
  return outputOf(context, waiting, { clientCountryCode });
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
export type Answer =
  | { readonly status: 'found'; readonly clientCountryCode: string }
  | { readonly status: 'not-found' }
  | { readonly status: 'given-up' };

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
  const { sessions, dedup } = keptOf(state);
  let last = Math.max(sessions.latest + 2 * rules.sessionTtl, dedup.latest + rules.dedupTtl);
  for (const changes of [state.birthYear, state.residentCountryCode]) {
    if (changes.length > 1) last = Math.max(last, changes.at(-1)!.ts + rules.sessionTtl);
  }
  return last === -Infinity ? undefined : last + 1;
}
