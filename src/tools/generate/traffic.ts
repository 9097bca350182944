/**
 * Synthetic traffic: deterministic (same seed and options, same bytes), in the order of Kafka timestamps, with memory
 * bounded by the users and by what is on its way within the disorder and the time to live of duplicates.
 *
 * Every event has an event time `ts`, which a clock moves forward, and a Kafka timestamp `ts + delay`: the delay is at
 * most `disorder`, but for late money more than `outOfOrderness`. So everything else is on time while `disorder` is
 * within `outOfOrderness`.
 */
import type { MoneyInput } from '../../money/domain/events.ts';
import * as text from './event-text.ts';
import type { EventText, MoneyText } from './event-text.ts';
import { UNUSABLE_KINDS, unusableRecord } from './malformed.ts';
import type { Reason } from './malformed.ts';
import { preludeLength, YESTERDAY_STEP, yesterdayCount } from './options.ts';
import type { TrafficOptions } from './options.ts';
import { Random } from '../../engine/random.ts';
import { Schedule } from './schedule.ts';

export interface GeneratedRecord {
  readonly input: MoneyInput;
  /** `"<userId>"` with the double quotes; anything for records that cannot be used. */
  readonly key: string | null;
  readonly value: Buffer | null;
  /** Kafka timestamp, epoch ms; never decreases. */
  readonly timestamp: number;
  /** Present iff the record cannot be used: the reason of its dead letter. */
  readonly reason?: Reason;
}

interface Session {
  readonly id: string;
  readonly ts: number;
}

interface User {
  readonly id: string;
  session: Session | null;
  /** A session that is over, for money that comes after its expiry. */
  former: Session | null;
}

const COUNTRIES = ['UY', 'DE', 'SE', 'BR', 'MT', 'NZ', 'JP', 'CA'];
const CURRENCIES = ['EUR', 'USD', 'UYU', 'SEK', 'JPY', 'BHD', 'GBP', 'CLF'];
const MONEY_TYPES = ['BET', 'WIN', 'DEPOSIT', 'WITHDRAWAL', 'REFUND', 'BONUS'];

class Traffic {
  readonly #options: TrafficOptions;
  readonly #random: Random;
  readonly #schedule = new Schedule<GeneratedRecord>();
  readonly #users: User[] = [];
  readonly #unusable: readonly number[];
  readonly #mainStart: number;
  readonly #end: number;
  /** Records that were scheduled, up to `events`. */
  #planned = 0;
  #unusableCount = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#mainStart = options.start + preludeLength(options);
    this.#end = this.#mainStart + options.span;
    this.#unusable = [...UNUSABLE_KINDS.keys()].filter(
      (i) => options.tooLarge || UNUSABLE_KINDS[i]?.reason !== 'too-large',
    );
    for (let i = 0; i < options.users; i += 1) {
      this.#users.push({ id: this.#random.uuid(), session: null, former: null });
    }
  }

  *records(): Generator<GeneratedRecord> {
    const { events, span } = this.#options;
    this.#planYesterday();
    const planned = this.#planned;
    let clock = this.#mainStart;
    let user = this.#users[0] as User;
    while (this.#planned < events) {
      // Now and then the clock stands still: several events in one millisecond.
      if (!this.#random.chance(0.25)) {
        clock = this.#mainStart + Math.floor((span * (this.#planned - planned)) / (events - planned));
      }
      if (!this.#random.chance(0.15)) user = this.#random.pick(this.#users);
      yield* this.#schedule.takeBefore(clock);
      this.#planOne(user, clock);
    }
    yield* this.#schedule.takeBefore(Infinity);
  }

  #planYesterday(): void {
    if (this.#options.expiredSessions === 0) return;
    for (let i = 0; i < yesterdayCount(this.#options); i += 1) {
      const user = this.#users[i] as User;
      user.former = this.#planSession(user, this.#options.start + i * YESTERDAY_STEP);
    }
  }

  #planOne(user: User, clock: number): void {
    const random = this.#random;
    if (random.chance(this.#options.malformed)) return this.#planUnusable(user, clock);
    const kind = random.below(100);
    if (kind < 70) return this.#planMoney(user, clock);
    const date = text.dateText(random, clock);
    if (kind < 75) {
      return this.#plan(text.birthDateChanged(random.uuid(), user.id, date, String(1930 + random.below(80))), clock);
    }
    if (kind < 80) return this.#plan(text.addressChanged(random.uuid(), user.id, date, random.pick(COUNTRIES)), clock);
    this.#plan(text.timeEvent(random.pick(['user', 'session', 'money']), random.uuid(), user.id, date), clock);
  }

  #planUnusable(user: User, clock: number): void {
    const { maxFutureSkew, maxRecordBytes } = this.#options;
    const timestamp = clock + this.#delay();
    const index = this.#unusable[this.#unusableCount % this.#unusable.length] as number;
    this.#unusableCount += 1;
    const context = { random: this.#random, userId: user.id, timestamp, maxFutureSkew, maxRecordBytes };
    const { input, key, value, reason } = unusableRecord(index, context);
    this.#add({ input, key, value, timestamp, reason });
  }

  #planMoney(user: User, clock: number): void {
    const random = this.#random;
    const { old, pending, expiredSessions } = this.#options;
    const isOld = random.chance(old);
    let ts = clock;
    let sessionId: string | null;
    if (random.chance(0.05)) sessionId = null;
    else if (random.chance(pending)) sessionId = this.#sessionToCome(user, ts);
    else if (random.chance(expiredSessions) && this.#isExpired(user.former, ts)) {
      sessionId = (user.former as Session).id;
    } else {
      const session = this.#currentSession(user, clock);
      if (session.ts === clock) ts += random.below(this.#sessionMargin());
      sessionId = session.id;
    }
    this.#planMoneyAt(this.#money(user, sessionId, isOld), ts);
  }

  #isExpired(session: Session | null, ts: number): boolean {
    const { sessionTtl } = this.#options;
    return session !== null && ts > session.ts + sessionTtl && ts <= session.ts + 2 * sessionTtl;
  }

  /** Money may come this long (ms) after the clock at which its session was looked at. */
  #sessionMargin(): number {
    return Math.min(3000, Math.ceil(this.#options.sessionTtl / 4));
  }

  #currentSession(user: User, clock: number): Session {
    const { sessionTtl, expiredSessions } = this.#options;
    const { session } = user;
    const fits = session !== null && clock + this.#sessionMargin() <= session.ts + sessionTtl;
    if (fits && !this.#random.chance(0.03)) return session;
    if (session !== null && (user.former === null || clock > user.former.ts + 2 * sessionTtl)) user.former = session;
    const created = this.#planSession(user, clock);
    user.session = created;
    // The very last millisecond of a session, and the first one after it.
    const last = created.ts + sessionTtl;
    if (last < this.#end && this.#random.chance(0.05)) {
      this.#planMoneyAt(this.#money(user, created.id, false), last);
      if (expiredSessions > 0) this.#planMoneyAt(this.#money(user, created.id, false), last + 1);
    }
    return created;
  }

  #planSession(user: User, ts: number): Session {
    const id = this.#random.uuid();
    const date = text.dateText(this.#random, ts);
    this.#plan(text.sessionCreated(id, user.id, date, this.#random.pick(COUNTRIES)), ts);
    return { id, ts };
  }

  /** A session that begins after the money of `ts`: soon, around its deadline, or never. */
  #sessionToCome(user: User, ts: number): string {
    const random = this.#random;
    const { pendingTimeout } = this.#options;
    const id = random.uuid();
    const choice = random.below(10);
    if (choice === 0) return id;
    const deadline = ts + pendingTimeout;
    let at = ts + 1 + random.below(Math.min(30_000, pendingTimeout));
    if (choice === 1 && deadline + 2 < this.#end) at = deadline + random.below(3);
    const date = text.dateText(random, at);
    this.#plan(text.sessionCreated(id, user.id, date, random.pick(COUNTRIES)), at);
    return id;
  }

  #money(user: User, userSessionId: string | null, isOldMoneyEvent: boolean): MoneyText {
    const random = this.#random;
    const type = random.below(this.#options.moneyTypes);
    return {
      type: random.pick(text.MONEY_EVENT_TYPES),
      id: random.uuid(),
      // Ids may come in upper case; the key stays as it is, since it decides the partition.
      userId: random.chance(0.01) ? user.id.toUpperCase() : user.id,
      userSessionId: userSessionId !== null && random.chance(0.02) ? userSessionId.toUpperCase() : userSessionId,
      amount: text.decimalText(random),
      openingBalance: text.decimalText(random),
      closingBalance: text.decimalText(random),
      currency: random.pick(CURRENCIES),
      moneyType: MONEY_TYPES[type] ?? `TYPE_${type}`,
      isOldMoneyEvent,
    };
  }

  /** A money event at `ts`, and perhaps the same once more. */
  #planMoneyAt(money: MoneyText, ts: number): void {
    const random = this.#random;
    const { duplicates, late, outOfOrderness, disorder } = this.#options;
    const write = (at: number): EventText => {
      const event = text.moneyEvent(money, text.dateText(random, at));
      return money.userSessionId === null && random.chance(0.3) ? text.withNullSession(event) : event;
    };
    const event = write(ts);
    const lateness = disorder + outOfOrderness + 1 + random.below(outOfOrderness + 1);
    this.#plan(event, ts, random.chance(late) ? lateness : this.#delay());
    if (!random.chance(duplicates)) return;
    const again = this.#duplicateTime(ts);
    this.#plan(again === ts ? event : write(again), again);
  }

  /** Mostly the same record once more, or one within the time to live; some at its very end, some after it. */
  #duplicateTime(ts: number): number {
    const { dedupTtl } = this.#options;
    const choice = this.#random.below(20);
    let at = ts;
    if (choice < 5) at = ts + this.#random.below(dedupTtl + 1);
    else if (choice === 5) at = ts + dedupTtl;
    else if (choice === 6) at = ts + dedupTtl + 1;
    else if (choice === 7) at = ts + dedupTtl + 1 + this.#random.below(dedupTtl + 1);
    return at < this.#end ? at : ts;
  }

  #delay(): number {
    return this.#random.below(this.#options.disorder + 1);
  }

  #plan({ input, userId, fields }: EventText, ts: number, delay = this.#delay()): void {
    const value = Buffer.from(text.render(fields));
    this.#add({ input, key: text.keyOf(userId.toLowerCase()), value, timestamp: ts + delay });
  }

  #add(record: GeneratedRecord): void {
    if (this.#planned === this.#options.events) return;
    this.#planned += 1;
    this.#schedule.add(record.timestamp, record);
  }
}

/** Yields exactly `options.events` records, with non-decreasing timestamps. */
export function generateTraffic(options: TrafficOptions): Generator<GeneratedRecord> {
  return new Traffic(options).records();
}
