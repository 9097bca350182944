/** Applies one record of a signal with the workflow's own `applyBatch`, and tells what that decided and changed. */
import type { Life } from '../../../workflows/life.ts';
import type { EventBatch } from '../../../workflows/messages.ts';
import { applyBatch } from '../../money/domain/apply.ts';
import type { Decision } from '../../money/domain/decide.ts';
import {
  effectiveTime,
  inputOf,
  type Applicable,
  type MoneyInput,
  type Money,
  type Output,
} from '../../money/domain/events.ts';
import type { Change, Session, UserState } from '../../money/domain/state.ts';
import {
  placeKey,
  type AppliedRecord,
  type Coordinate,
  type Earlier,
  type Joined,
  type KnownChange,
  type KnownSession,
  type PlacedDecision,
  type Untold,
} from './happening.ts';

export type InputTopics = Readonly<Record<MoneyInput, string>>;

/** A signal in Temporal's history. */
export interface ReceivedSignal {
  readonly batch: EventBatch;
  readonly at: number;
  readonly event: number;
}

interface Result {
  readonly applied: readonly Output[];
  readonly resolved: readonly Output[];
  readonly told: readonly Untold[];
}

interface ApplyContext {
  readonly userId: string;
  /** The workflow's clock, epoch ms. */
  readonly now: number;
  /** Number of its next applied output. */
  readonly seq: number;
}

/** What came of a record, beside what it is. */
interface Followed {
  /** Its session, as it was known before. */
  readonly session: Session | undefined;
  /** Of money. */
  readonly decision: Decision | undefined;
  readonly batch: EventBatch;
  readonly output: Output | undefined;
  readonly seq: number;
}

/** Remembers, over runs, which money made a dedup entry and which was the first of its type. */
export class RecordFold {
  readonly #topics: InputTopics;
  readonly #madeEntry = new Map<string, Earlier & { readonly ts: number }>();
  readonly #firstOfType = new Map<string, Earlier>();

  constructor(topics: InputTopics) {
    this.#topics = topics;
  }

  place(input: MoneyInput, partition: number, offset: number): Coordinate {
    return { topic: this.#topics[input], partition, offset };
  }

  /** Of money. */
  placeOf({ partition, offset }: { readonly partition: number; readonly offset: number }): Coordinate {
    return this.place('money', partition, offset);
  }

  /** A signal without records still raises the low water. */
  raise({ user }: Life, batch: EventBatch): void {
    applyBatch(user, { ...batch, records: [] }, { userId: '', now: null });
  }

  unapplied({ partition }: EventBatch, { offset, ts, late, event }: Applicable): Untold {
    const record = { ...this.place(inputOf(event), partition, offset), ts, ...(late === undefined ? {} : { late }) };
    return { type: 'unapplied', record, kind: event.type, ...(event.type === 'money' ? { money: event.money } : {}) };
  }

  apply(life: Life, received: ReceivedSignal, record: Applicable, { userId, now, seq }: ApplyContext): Result {
    const { user } = life;
    const { batch } = received;
    const { event } = record;
    const sessionId =
      event.type === 'money' ? event.money.userSessionId : event.type === 'session' ? event.sessionId : undefined;
    const session = sessionId === undefined ? undefined : user.sessions[sessionId];
    const awaited = new Map(
      Object.values(user.pending)
        .flat()
        .map((money) => [placeKey(money), money]),
    );
    const before = { ...user.counters, lookups: user.lookups.length };
    let decision: Decision | undefined;
    const effects = applyBatch(
      user,
      { ...batch, records: [record] },
      { userId, now, onDecision: (made) => (decision = made) },
    );
    const at = this.#appliedRecord(received, record, user);
    const own = this.#ownPart(user, before, record, at, { session, decision, batch, output: effects.applied[0], seq });
    const freed = user.lookups.slice(before.lookups).filter((lookup) => awaited.has(placeKey(lookup)));
    const released = [...freed, ...effects.resolved].map((one): Untold => {
      const money = awaited.get(placeKey(one))!;
      const output = effects.resolved.find((resolved) => placeKey(resolved) === placeKey(one));
      const bySession =
        money.money.userSessionId === sessionId && event.type === 'session' && money.dueAt >= at.effectiveTime;
      return {
        type: 'released',
        place: this.place('money', money.partition, money.offset),
        moneyId: money.money.id,
        by: bySession
          ? {
              type: 'session',
              session: this.#known(user.sessions[sessionId!] ?? sessionOf(record), batch),
              expired: output === undefined,
            }
          : {
              type: 'event-time',
              reached: at.effectiveTime,
              by: { topic: at.topic, partition: at.partition, offset: at.offset },
            },
        ...(output === undefined ? {} : { output }),
      };
    });
    // What is due before a record's effective time is done before it is applied.
    const due = released.filter((one) => one.type === 'released' && one.by.type === 'event-time');
    return { ...effects, told: [...due, own, ...released.filter((one) => !due.includes(one))] };
  }

  #appliedRecord({ batch, at, event }: ReceivedSignal, record: Applicable, user: UserState): AppliedRecord {
    const { offset, ts, late } = record;
    return {
      ...this.place(inputOf(record.event), batch.partition, offset),
      ts,
      effectiveTime: Math.max(effectiveTime(record), user.tau ?? -Infinity),
      ...(late === undefined ? {} : { late }),
      receivedAt: at,
      receivedEvent: event,
    };
  }

  #ownPart(
    user: UserState,
    before: UserState['counters'],
    { event, offset }: Applicable,
    record: AppliedRecord,
    { session, decision, batch, output, seq }: Followed,
  ): Untold {
    if (user.counters.redeliveriesDropped > before.redeliveriesDropped) {
      return {
        type: 'redelivery',
        record,
        kind: event.type,
        ...(event.type === 'money' ? { moneyId: event.money.id } : {}),
      };
    }
    switch (event.type) {
      case 'birthDate':
        return { type: 'change', record, field: 'birthYear', value: event.birthYear };
      case 'address':
        return { type: 'change', record, field: 'residentCountryCode', value: event.residentCountryCode };
      case 'session': {
        const outdated =
          session !== undefined && (session.ts > record.ts || (session.ts === record.ts && session.offset > offset));
        return {
          type: 'session',
          record,
          sessionId: event.sessionId,
          clientCountryCode: event.clientCountryCode,
          outdated,
        };
      }
      case 'money': {
        const { money } = event;
        const placed = this.#placed(decision!, user, record, money, batch);
        if (placed.type === 'duplicate') return { type: 'money', record, money, decision: placed };
        const joined = this.#joinedOf(user, record, money, output);
        return {
          type: 'money',
          record,
          money,
          decision: placed,
          joined,
          ...(output === undefined ? {} : { output, seq }),
        };
      }
      default:
        return event satisfies never;
    }
  }

  #placed(decision: Decision, user: UserState, record: AppliedRecord, money: Money, batch: EventBatch): PlacedDecision {
    switch (decision.type) {
      case 'duplicate':
        return {
          type: 'duplicate',
          of: this.#madeEntry.get(money.id) ?? { ts: user.dedup[money.id]!, moneyId: money.id },
        };
      case 'no-session':
        return { type: 'no-session' };
      case 'joined':
        return { type: 'joined', session: this.#known(decision.session, batch) };
      case 'lookup':
        return {
          type: 'lookup',
          why: decision.why,
          ...(decision.session && { session: this.#known(decision.session, batch) }),
        };
      case 'pending': {
        // It is there no more if it made room at once.
        const { wallDueAt } =
          user.pending[decision.money.userSessionId]?.find(
            (one) => one.partition === record.partition && one.offset === record.offset,
          ) ?? {};
        return { type: 'pending', dueAt: decision.dueAt, ...(wallDueAt === undefined ? {} : { wallDueAt }) };
      }
      default:
        return decision satisfies never;
    }
  }

  #joinedOf(user: UserState, record: AppliedRecord, money: Money, output: Output | undefined): Joined {
    const own = [...user.lookups, ...Object.values(user.pending).flat()].find(
      (one) => one.partition === record.partition && one.offset === record.offset,
    );
    const firstOccurrence = output?.enriched.firstOccurrence ?? own?.firstOccurrence ?? false;
    const { topic, partition, offset } = record;
    const me = { place: { topic, partition, offset }, ts: record.ts, moneyId: money.id };
    this.#madeEntry.set(money.id, me);
    if (firstOccurrence) this.#firstOfType.set(money.moneyType, me);
    const birthYear = this.#changeAt(user.birthYear, record);
    const residentCountryCode = this.#changeAt(user.residentCountryCode, record);
    return {
      userInfo: { ...(birthYear && { birthYear }), ...(residentCountryCode && { residentCountryCode }) },
      firstOccurrence,
      ...(firstOccurrence ? {} : { firstBy: this.#firstOfType.get(money.moneyType) ?? {} }),
    };
  }

  /** The last change at the money's event time. */
  #changeAt(changes: readonly Change[], { ts, partition }: AppliedRecord): KnownChange | undefined {
    const change = changes.findLast((one) => one.ts <= ts);
    return change && { ...this.place('user', partition, change.offset), ts: change.ts, value: change.value };
  }

  #known(session: Session, { partition, rules }: EventBatch): KnownSession {
    return {
      ...this.place('session', partition, session.offset),
      ...session,
      expiresAt: session.ts + rules.sessionTtl,
    };
  }
}

function sessionOf({ ts, offset, event }: Applicable): Session {
  return { ts, offset, clientCountryCode: event.type === 'session' ? event.clientCountryCode : '' };
}
