/** Section 3: one user. Applications come in their order; nothing here knows of watermarks but `end`. */
import type { MoneyContent } from './decode.ts';
import type { Application } from './reading.ts';
import type { ModelInput, ModelOutput } from './types.ts';

interface Change {
  readonly ts: number;
  readonly offset: number;
  readonly value: string;
}

interface Session {
  readonly ts: number;
  readonly offset: number;
  readonly country: string;
}

/** A money that was applied, and what was decided then. */
interface Decided {
  readonly partition: number;
  readonly offset: number;
  readonly money: MoneyContent;
  readonly birthYear: string | null;
  readonly country: string | null;
  readonly firstOccurrence: boolean;
}

/** Order of records of one topic: the newest is the largest (ts, offset). */
function newer(a: { ts: number; offset: number }, b: { ts: number; offset: number }): boolean {
  return a.ts > b.ts || (a.ts === b.ts && a.offset > b.offset);
}

function newest(changes: readonly Change[]): Change | null {
  let best: Change | null = null;
  for (const change of changes) if (best === null || newer(change, best)) best = change;
  return best;
}

function valueAt(changes: readonly Change[], ts: number): string | null {
  return newest(changes.filter((change) => change.ts <= ts))?.value ?? null;
}

function pruned(changes: readonly Change[], bound: number): Change[] {
  const old = newest(changes.filter((change) => change.ts <= bound));
  const young = changes.filter((change) => change.ts > bound);
  return old === null ? young : [old, ...young];
}

export class User {
  readonly outputs: ModelOutput[] = [];
  readonly duplicates: { partition: number; offset: number }[] = [];
  pending: Decided[] = [];

  readonly #input: ModelInput;
  readonly #userId: string;
  #birthYears: Change[] = [];
  #countries: Change[] = [];
  readonly #sessions = new Map<string, Session>();
  /** MoneyContent id -> `ts` of the money that made the entry. */
  readonly #seen = new Map<string, number>();
  readonly #moneyTypes = new Set<string>();

  constructor(userId: string, input: ModelInput) {
    this.#userId = userId;
    this.#input = input;
  }

  apply({ record, late, tau }: Application): void {
    const { content, ts, offset, partition } = record;
    this.#due(tau);
    if (content.is === 'birthYear') this.#birthYears.push({ ts, offset, value: content.value });
    if (content.is === 'country') this.#countries.push({ ts, offset, value: content.value });
    if (content.is === 'session') this.#applySession(content.sessionId, { ts, offset, country: content.country }, tau);
    if (content.is === 'money') this.#applyMoney(partition, offset, content.money, late, tau);
    this.#due(tau);
    this.#makeRoom();
  }

  /** Bounds: what exceeds one makes room by the rule of its kind. What has expired is gone already. */
  #makeRoom(): void {
    const { bounds } = this.#input.settings;
    const excess = <T>(
      all: Iterable<T> & ({ size: number } | { length: number }),
      bound: number,
      byAge: (a: T, b: T) => number,
    ): T[] => {
      const count = 'size' in all ? all.size : all.length;
      return count <= bound ? [] : [...all].sort(byAge).slice(0, count - bound);
    };
    const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
    for (const [id] of excess(this.#seen, bounds.dedupEntries, ([a, x], [b, y]) => x - y || byText(a, b))) {
      this.#seen.delete(id);
    }
    for (const [id] of excess(this.#sessions, bounds.sessions, ([, a], [, b]) => (newer(a, b) ? 1 : -1))) {
      this.#sessions.delete(id);
    }
    const oldChanges = (changes: readonly Change[]): Set<Change> =>
      new Set(excess(changes, bounds.changes, (a, b) => (newer(a, b) ? 1 : -1)));
    const [years, countries] = [oldChanges(this.#birthYears), oldChanges(this.#countries)];
    this.#birthYears = this.#birthYears.filter((change) => !years.has(change));
    this.#countries = this.#countries.filter((change) => !countries.has(change));
    // A set is in the order of its insertions.
    for (const type of [...this.#moneyTypes].slice(0, Math.max(0, this.#moneyTypes.size - bounds.moneyTypes))) {
      this.#moneyTypes.delete(type);
    }
    const hurried = excess(this.pending, bounds.pending, (a, b) => a.money.ts - b.money.ts || a.offset - b.offset);
    this.pending = this.pending.filter((waiting) => !hurried.includes(waiting));
    for (const waiting of hurried) this.#lookUp(waiting, true);
  }

  /** Nothing more comes. The watermark passes what it passes; what is pending then is looked up, or stays pending. */
  end(watermark: number, pendingAtEnd: 'lookup' | 'leave'): void {
    this.#passDeadlines(pendingAtEnd === 'lookup' ? Infinity : watermark);
  }

  /** Everything due before `tau`. */
  #due(tau: number): void {
    const { sessionTtl, dedupTtl } = this.#input.settings;
    this.#passDeadlines(tau);
    for (const [id, ts] of this.#seen) if (tau > ts + dedupTtl) this.#seen.delete(id);
    for (const [id, session] of this.#sessions) if (tau > session.ts + 2 * sessionTtl) this.#sessions.delete(id);
    this.#birthYears = pruned(this.#birthYears, tau - sessionTtl);
    this.#countries = pruned(this.#countries, tau - sessionTtl);
  }

  #passDeadlines(time: number): void {
    const passed = (waiting: Decided): boolean => time > waiting.money.ts + this.#input.settings.pendingTimeout;
    const overdue = this.pending.filter(passed);
    this.pending = this.pending.filter((waiting) => !passed(waiting));
    for (const waiting of overdue) this.#lookUp(waiting, true);
  }

  #visible(session: Session, tau: number): boolean {
    return tau <= session.ts + this.#input.settings.sessionTtl;
  }

  #applySession(sessionId: string, session: Session, tau: number): void {
    const known = this.#sessions.get(sessionId);
    const winner = known === undefined || newer(session, known) ? session : known;
    const forgotten = tau > winner.ts + 2 * this.#input.settings.sessionTtl;
    if (!forgotten) this.#sessions.set(sessionId, winner);
    const waiting = this.pending.filter(({ money }) => money.sessionId === sessionId);
    this.pending = this.pending.filter(({ money }) => money.sessionId !== sessionId);
    for (const decided of waiting) {
      if (this.#fromSession(decided.money, winner, tau)) this.#emit(decided, winner.country, 'session', true);
      else this.#lookUp(decided, true);
    }
  }

  #fromSession(money: MoneyContent, session: Session, tau: number): boolean {
    return this.#visible(session, tau) && money.ts <= session.ts + this.#input.settings.sessionTtl;
  }

  #applyMoney(partition: number, offset: number, money: MoneyContent, late: boolean, tau: number): void {
    const seen = this.#seen.get(money.id);
    if (seen !== undefined && tau <= seen + this.#input.settings.dedupTtl) {
      this.duplicates.push({ partition, offset });
      return;
    }
    this.#seen.set(money.id, money.ts);
    const firstOccurrence = !this.#moneyTypes.has(money.moneyType);
    this.#moneyTypes.add(money.moneyType);
    const decided: Decided = {
      partition,
      offset,
      money,
      birthYear: valueAt(this.#birthYears, money.ts),
      country: valueAt(this.#countries, money.ts),
      firstOccurrence,
    };
    // The rows of the table, in their order.
    if (money.sessionId === null) return this.#emit(decided, null, 'applied', false);
    if (money.isOld) return this.#lookUp(decided, false);
    const session = this.#sessions.get(money.sessionId);
    if (session !== undefined && this.#fromSession(money, session, tau)) {
      return this.#emit(decided, session.country, 'applied', false);
    }
    if (session !== undefined) return this.#lookUp(decided, false);
    if (late) return this.#lookUp(decided, false);
    this.pending.push(decided);
  }

  #lookUp(decided: Decided, waited: boolean): void {
    const answer = this.#input.sessionService(decided.money.sessionId as string);
    this.#emit(decided, answer ?? null, 'lookup', waited, answer === undefined);
  }

  #emit(
    decided: Decided,
    clientCountryCode: string | null,
    path: ModelOutput['path'],
    waited: boolean,
    incomplete = false,
  ): void {
    const { partition, offset, money, birthYear, country, firstOccurrence } = decided;
    const text = (value: string): string => JSON.stringify(value);
    const object = (fields: readonly (readonly [name: string, json: string | null])[]): string =>
      `{${fields
        .filter(([, json]) => json !== null)
        .map(([name, json]) => `"${name}":${json}`)
        .join(',')}}`;
    const userInfo = object([
      ['birthYear', birthYear === null ? null : text(birthYear)],
      ['residentCountryCode', country === null ? null : text(country)],
    ]);
    const value = object([
      [
        'money',
        object([
          ['id', text(money.id)],
          ['userId', text(this.#userId)],
          ['userSessionId', money.sessionId === null ? null : text(money.sessionId)],
          ['processedAt', text(new Date(money.ts).toISOString())],
          ['amount', money.amount],
          ['currency', text(money.currency)],
          ['closingBalance', money.closingBalance],
          ['moneyType', text(money.moneyType)],
          ['isOldMoneyEvent', String(money.isOld)],
        ]),
      ],
      ['userInfo', userInfo === '{}' ? null : userInfo],
      ['sessionInfo', clientCountryCode === null ? null : object([['clientCountryCode', text(clientCountryCode)]])],
      ['firstOccurrence', String(firstOccurrence)],
    ]);
    this.outputs.push({
      partition,
      offset,
      userId: this.#userId,
      key: text(this.#userId),
      value,
      incomplete,
      path,
      waited,
    });
  }
}
