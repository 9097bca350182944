/** How often each case of the table in semantics, section 3, occurred, by the model. */
import type { ModelResult } from '../../money/model/model.ts';
import type { SeenRecord } from '../../engine/kafka/kafkajs/tail.ts';

export interface Cases {
  readonly withoutSession: number;
  readonly old: number;
  readonly joined: number;
  readonly expired: number;
  readonly lateUnknown: number;
  readonly waitedForSession: number;
  readonly waitedInVain: number;
  readonly duplicates: number;
  /** Ids that came out more than once: their duplicate came after the dedup TTL. */
  readonly afterDedupTtl: number;
  readonly deadLetters: Readonly<Record<string, number>>;
}

/** `sessions`: the records of the session topic. */
export function casesOf(expected: ModelResult, sessions: readonly SeenRecord[]): Cases {
  const created = new Set(sessions.map(sessionIdOf));
  const counts = {
    withoutSession: 0,
    old: 0,
    joined: 0,
    expired: 0,
    lateUnknown: 0,
    waitedForSession: 0,
    waitedInVain: 0,
    afterDedupTtl: 0,
  };
  const ids = new Set<string>();
  for (const { value, path, waited } of expected.outputs) {
    // Read for its ids and flags only: never for its numbers.
    const { money } = JSON.parse(value) as {
      money: { id: string; userId: string; userSessionId?: string; isOldMoneyEvent: boolean };
    };
    if (ids.has(`${money.userId}/${money.id}`)) counts.afterDedupTtl += 1;
    ids.add(`${money.userId}/${money.id}`);
    if (money.userSessionId === undefined) counts.withoutSession += 1;
    else if (path === 'applied') counts.joined += 1;
    else if (path === 'session') counts.waitedForSession += 1;
    else if (waited) counts.waitedInVain += 1;
    else if (money.isOldMoneyEvent) counts.old += 1;
    else if (created.has(money.userSessionId)) counts.expired += 1;
    else counts.lateUnknown += 1;
  }
  const deadLetters: Record<string, number> = {};
  for (const { reason } of expected.deadLetters) deadLetters[reason] = (deadLetters[reason] ?? 0) + 1;
  return { ...counts, duplicates: expected.duplicates.length, deadLetters };
}

function sessionIdOf({ value }: SeenRecord): string | undefined {
  try {
    const event = JSON.parse(String(value)) as { type?: unknown; id?: unknown } | null;
    return event?.type === 'UserSessionCreatedEvent' ? String(event.id).toLowerCase() : undefined;
  } catch {
    return undefined; // one of those that cannot be used
  }
}

export function renderCases(cases: Cases): string[] {
  const rows: [string, number][] = [
    ['joined with its session', cases.joined],
    ['without a session', cases.withoutSession],
    ['came before its session and waited for it', cases.waitedForSession],
    ['waited an hour of event time in vain: looked up', cases.waitedInVain],
    ['its session had expired: looked up', cases.expired],
    ['late, and its session unknown: looked up', cases.lateUnknown],
    ['old money: looked up', cases.old],
    ['duplicate within a minute: dropped', cases.duplicates],
    ['same id after that minute: counted as another', cases.afterDedupTtl],
    ...Object.entries(cases.deadLetters)
      .sort()
      .map(([reason, count]): [string, number] => [`dead letter: ${reason}`, count]),
  ];
  return rows.map(([name, count]) => `${count.toLocaleString('en').padStart(7)}  ${name}`);
}
