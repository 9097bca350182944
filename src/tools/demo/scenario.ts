/**
 * The traffic of the demo: two stretches of event time, yesterday and today, a session TTL apart, so that yesterday's
 * sessions expire one after the other while today goes on. Every row of the table of semantics, section 3, occurs.
 *
 * Everything but the late money is out of order by at most DISORDER, which is within the out-of-orderness; late money
 * is later than any watermark it could still meet. Same seed and start: same records.
 */
import * as text from '../generate/event-text.ts';
import type { EventText, MoneyText } from '../generate/event-text.ts';
import type { Random } from '../../engine/random.ts';
import { planHero } from './hero.ts';
import { Plan, type PlannedRecord } from './plan.ts';
import { DEMO_RULES } from './setup.ts';

export interface ScenarioOptions {
  readonly users: number;
  /** Records, without those that only make time pass. */
  readonly events: number;
  readonly seed: number;
  /** Event time of the first of them, epoch ms. */
  readonly start: number;
}

export interface Scenario {
  /** In the order of arrival. */
  readonly records: readonly PlannedRecord[];
  /** Of everybody with usable events. */
  readonly userIds: readonly string[];
  /** The user whose story is told. */
  readonly heroId: string;
}

interface Session {
  readonly id: string;
  readonly ts: number;
}

interface User {
  readonly id: string;
  yesterday: Session | null;
  today: Session | null;
}

const SECOND = 1_000;
const MINUTE = 60_000;
/** Event time of each of the two stretches. */
export const STRETCH = 180 * MINUTE;
/** Of all records, in yesterday's stretch. */
const YESTERDAY = 0.2;
const COUNTRIES = ['DE', 'SE', 'BR', 'MT', 'NZ', 'JP', 'CA'];
const CURRENCIES = ['EUR', 'USD', 'UYU', 'SEK', 'JPY', 'BHD', 'GBP'];
const MONEY_TYPES = ['BET', 'WIN', 'DEPOSIT', 'WITHDRAWAL', 'REFUND', 'BONUS'];

export function planScenario({ users, events, seed, start }: ScenarioOptions): Scenario {
  const plan = new Plan(seed, events);
  const { random } = plan;
  const today = start + DEMO_RULES.sessionTtl;
  const heroId = random.uuid();
  planHero(plan, heroId, start, today);
  const others = Array.from({ length: Math.max(1, users - 1) }, (): User => ({
    id: random.uuid(),
    yesterday: null,
    today: null,
  }));
  planYesterday(plan, others, start, Math.floor(events * YESTERDAY));

  const before = plan.records.length;
  while (!plan.full) {
    const progress = (plan.records.length - before) / (events - before);
    planOne(plan, random.pick(others), today + Math.floor(STRETCH * progress), today + STRETCH);
  }
  const records = plan.records
    .map((record, index) => ({ record, index }))
    .sort((a, b) => a.record.arrival - b.record.arrival || a.index - b.index)
    .map(({ record }) => record);
  return { records, userIds: [heroId, ...others.map(({ id }) => id)], heroId };
}

/** A session each, and what is known of the users; `count` records at most. */
function planYesterday(plan: Plan, users: readonly User[], start: number, count: number): void {
  const { random } = plan;
  const end = plan.records.length + count;
  users.forEach((user, index) => {
    if (plan.records.length + 3 > end) return;
    const ts = start + Math.floor((STRETCH * index) / users.length);
    user.yesterday = planSession(plan, user, ts);
    plan.add(text.addressChanged(random.uuid(), user.id, text.dateText(random, ts), random.pick(COUNTRIES)), ts);
    const later = ts + 1 + random.below(10 * MINUTE);
    planMoney(plan, money(random, user, user.yesterday.id), later);
  });
  while (plan.records.length < end && !plan.full) planUserInfo(plan, random.pick(users), start + random.below(STRETCH));
}

/** About one in twelve changes what is known of a user, one in thirty cannot be used, the rest is money. */
function planOne(plan: Plan, user: User, clock: number, end: number): void {
  const kind = plan.random.below(100);
  if (kind < 3) plan.addUnusable(user.id, clock);
  else if (kind < 11) planUserInfo(plan, user, clock);
  else planMoneyCase(plan, user, clock, end);
}

function planUserInfo(plan: Plan, user: User, ts: number): void {
  const { random } = plan;
  const date = text.dateText(random, ts);
  if (random.chance(0.5)) {
    plan.add(text.birthDateChanged(random.uuid(), user.id, date, String(1930 + random.below(80))), ts);
  } else plan.add(text.addressChanged(random.uuid(), user.id, date, random.pick(COUNTRIES)), ts);
}

function planMoneyCase(plan: Plan, user: User, clock: number, end: number): void {
  const { random } = plan;
  const overdue = DEMO_RULES.pendingTimeout + MINUTE;
  const timeForDeadline = clock + overdue + 10 * MINUTE < end;
  const choice = random.below(1_000);
  if (choice < 50) return planMoney(plan, money(random, user, null), clock);
  if (choice < 75) {
    return planMoney(
      plan,
      { ...money(random, user, sessionFor(plan, user, clock).id), isOldMoneyEvent: true },
      clock + MINUTE,
    );
  }
  if (choice < 110) return planPending(plan, user, clock, clock + MINUTE + random.below(40 * MINUTE));
  if (choice < 130 && timeForDeadline) {
    // Its session never comes; what the user does later shows that the time is over.
    planPending(plan, user, clock);
    return planUserInfo(plan, user, clock + overdue + random.below(5 * MINUTE));
  }
  if (choice < 140 && timeForDeadline) {
    return planPending(plan, user, clock, clock + overdue + random.below(5 * MINUTE));
  }
  if (choice < 170) {
    const sessionId = random.chance(0.5) ? random.uuid() : sessionFor(plan, user, clock).id;
    return plan.add(moneyAt(random, money(random, user, sessionId), clock - lateness(random)), clock, clock);
  }
  planMoney(plan, money(random, user, sessionFor(plan, user, clock).id), clock + 1 + random.below(20 * SECOND));
}

/** ms; a multiple of the event time between two moves of the watermark, see pace.ts. */
function lateness(random: Random): number {
  return 15 * MINUTE + random.below(15 * MINUTE);
}

/** Money before its session, which comes at `sessionTs`, or never. */
function planPending(plan: Plan, user: User, clock: number, sessionTs?: number): void {
  const id = plan.random.uuid();
  planMoney(plan, money(plan.random, user, id), clock);
  if (sessionTs === undefined) return;
  plan.add(
    text.sessionCreated(id, user.id, text.dateText(plan.random, sessionTs), plan.random.pick(COUNTRIES)),
    sessionTs,
  );
}

/** The one of today, or yesterday's, which may have expired; a new one begins at `clock`. */
function sessionFor(plan: Plan, user: User, clock: number): Session {
  const { random } = plan;
  const { yesterday, today } = user;
  if (today !== null) return yesterday !== null && random.chance(0.08) ? yesterday : today;
  if (yesterday !== null) {
    const expired = clock > yesterday.ts + DEMO_RULES.sessionTtl;
    if (random.chance(expired ? 0.4 : 0.95)) return yesterday;
  }
  user.today = planSession(plan, user, clock);
  return user.today;
}

function planSession(plan: Plan, user: User, ts: number): Session {
  const id = plan.random.uuid();
  plan.add(text.sessionCreated(id, user.id, text.dateText(plan.random, ts), plan.random.pick(COUNTRIES)), ts);
  return { id, ts };
}

/** One in twelve is sent twice; of these one in six with a new time, after its id is forgotten. */
function planMoney(plan: Plan, what: MoneyText, ts: number): void {
  const { random } = plan;
  const event = moneyAt(random, what, ts);
  plan.add(event, ts);
  if (!random.chance(0.08)) return;
  if (random.below(6) > 0) return plan.add(event, ts);
  const again = ts + DEMO_RULES.dedupTtl + SECOND + random.below(MINUTE);
  plan.add(moneyAt(random, what, again), again);
}

function moneyAt(random: Random, what: MoneyText, ts: number): EventText {
  return text.moneyEvent(what, text.dateText(random, ts));
}

function money(random: Random, user: User, userSessionId: string | null): MoneyText {
  return {
    type: random.pick(text.MONEY_EVENT_TYPES),
    id: random.uuid(),
    userId: user.id,
    userSessionId,
    amount: text.decimalText(random),
    openingBalance: text.decimalText(random),
    closingBalance: text.decimalText(random),
    currency: random.pick(CURRENCIES),
    moneyType: random.pick(MONEY_TYPES),
    isOldMoneyEvent: false,
  };
}
