/** One user and its state, driven record by record; outputs come back in a short form that is easy to write by hand. */
import { advance, applyBatch, passWallClock, resolveLookup } from '../../../src/money/domain/apply.ts';
import type { Answer, Effects } from '../../../src/money/domain/apply.ts';
import type { Applicable, Offsets, Output, Rules } from '../../../src/money/domain/events.ts';
import { initialState } from '../../../src/money/domain/state.ts';
import type { Lookup, UserState } from '../../../src/money/domain/state.ts';

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;
/** An event time to count from, epoch ms. */
export const T0 = Date.UTC(2026, 0, 31, 10);
export const USER = '00000000-0000-4000-8000-0000000000aa';
/** The defaults of the contract. */
export const RULES: Rules = { sessionTtl: DAY, dedupTtl: MINUTE, pendingTimeout: HOUR, lookupGiveUpAfter: 10 * MINUTE };

export interface MoneyFields {
  readonly id?: string;
  readonly ts: number;
  readonly late?: number;
  readonly session?: string;
  readonly type?: string;
  readonly old?: boolean;
  readonly amount?: string;
  readonly closingBalance?: string;
}

/** A place in the log comes from {@link User.place}; only what is the same for all money stands here. */
export function money(offset: number, fields: MoneyFields): Applicable {
  const { ts, late, session } = fields;
  return {
    offset,
    ts,
    ...(late === undefined ? {} : { late }),
    event: {
      type: 'money',
      money: {
        id: fields.id ?? `money-${offset}`,
        ...(session === undefined ? {} : { userSessionId: session }),
        ts,
        amount: fields.amount ?? '1.00',
        currency: 'EUR',
        closingBalance: fields.closingBalance ?? '2.00',
        moneyType: fields.type ?? 'BET',
        isOldMoneyEvent: fields.old ?? false,
      },
    },
  };
}

export function session(offset: number, sessionId: string, ts: number, country = 'UY', late?: number): Applicable {
  return {
    offset,
    ts,
    ...(late === undefined ? {} : { late }),
    event: { type: 'session', sessionId, clientCountryCode: country },
  };
}

export function birthYear(offset: number, value: string, ts: number, late?: number): Applicable {
  return { offset, ts, ...(late === undefined ? {} : { late }), event: { type: 'birthDate', birthYear: value } };
}

export function country(offset: number, value: string, ts: number, late?: number): Applicable {
  return {
    offset,
    ts,
    ...(late === undefined ? {} : { late }),
    event: { type: 'address', residentCountryCode: value },
  };
}

/** `money-id`, then what was added to it: `=UY` session, `!` incomplete, `1990/UY` user info, `first`. */
export function short({ enriched, incomplete }: Output): string {
  const {
    money: { id },
    userInfo,
    sessionInfo,
    firstOccurrence,
  } = enriched;
  return [
    id,
    ...(sessionInfo === undefined ? [] : [`=${sessionInfo.clientCountryCode}`]),
    ...(incomplete === true ? ['!'] : []),
    ...(userInfo === undefined ? [] : [`${userInfo.birthYear ?? '-'}/${userInfo.residentCountryCode ?? '-'}`]),
    ...(firstOccurrence ? ['first'] : []),
  ].join(' ');
}

export interface Step {
  readonly applied: string[];
  readonly resolved: string[];
  /** Ids of money for which a lookup is asked for by this step. */
  readonly lookups: string[];
}

export class User {
  readonly state: UserState = initialState();
  readonly rules: Rules;
  /** Wall clock of the next step, epoch ms; null for none. */
  now: number | null = null;
  readonly #next = { user: 0, session: 0, money: 0 };

  constructor(rules: Partial<Rules> = {}) {
    this.rules = { ...RULES, ...rules };
  }

  /** Applies the records as one batch. */
  batch(records: readonly Applicable[], { partition = 0, lowWater = [0, 0, 0] as Offsets } = {}): Step {
    return this.#step(() =>
      applyBatch(this.state, { partition, lowWater, rules: this.rules, records }, this.#context()),
    );
  }

  /** Each of the following applies one record at the next offset of its topic. */
  money(fields: MoneyFields): Step {
    return this.batch([money(this.#next.money++, { type: 'BET', ...fields })]);
  }

  session(sessionId: string, ts: number, value?: string, late?: number): Step {
    return this.batch([session(this.#next.session++, sessionId, ts, value, late)]);
  }

  birthYear(value: string, ts: number, late?: number): Step {
    return this.batch([birthYear(this.#next.user++, value, ts, late)]);
  }

  country(value: string, ts: number, late?: number): Step {
    return this.batch([country(this.#next.user++, value, ts, late)]);
  }

  /** The watermark alone reaches `tau`. */
  advance(tau: number): Step {
    return this.#step(() => advance(this.state, tau, this.rules, this.#context()));
  }

  /** The wall clock reaches `now`. */
  passWallClock(now: number): Step {
    return this.#step(() => passWallClock(this.state, this.rules, { userId: USER, now }));
  }

  /** Answers the lookup of this money. */
  answer(id: string, answer: Answer): string {
    return short(resolveLookup(this.state, this.lookup(id), answer, this.#context()));
  }

  lookup(id: string): Lookup {
    const found = this.state.lookups.find((lookup) => lookup.money.id === id);
    if (found === undefined) throw new Error(`no lookup of ${id}`);
    return found;
  }

  /** Ids of pending money, by session. */
  get pending(): Record<string, string[]> {
    return Object.fromEntries(
      Object.entries(this.state.pending).map(([id, list]) => [id, list.map((waiting) => waiting.money.id)]),
    );
  }

  #context() {
    return { userId: USER, now: this.now };
  }

  #step(run: () => Effects | void): Step {
    const before = new Set(this.state.lookups);
    const effects = run() ?? { applied: [], resolved: [] };
    return {
      applied: effects.applied.map(short),
      resolved: effects.resolved.map(short),
      lookups: this.state.lookups.filter((lookup) => !before.has(lookup)).map((lookup) => lookup.money.id),
    };
  }
}

/** What a step gives that does nothing to be seen. */
export const NOTHING: Step = { applied: [], resolved: [], lookups: [] };
export const applied = (...outputs: string[]): Step => ({ ...NOTHING, applied: outputs });
export const resolved = (...outputs: string[]): Step => ({ ...NOTHING, resolved: outputs });
export const asksFor = (...ids: string[]): Step => ({ ...NOTHING, lookups: ids });
