import { NO_TIME } from '../src/engine/workflow/entity/entity.ts';
import type { Lookup } from '../src/money/domain/state.ts';

/** Sessions asked for by one call of the activity. */
const MAX_SESSIONS = 20;

export interface LookupGroup {
  readonly sessionIds: readonly string[];
  readonly giveUpAt: number;
  readonly lookups: readonly Lookup[];
}

/** Lookups by deadline, several sessions in one group; all money of one session and deadline stays together. */
export function lookupGroups(lookups: readonly Lookup[]): LookupGroup[] {
  const byDeadline = new Map<number, Map<string, Lookup[]>>();
  for (const lookup of lookups) {
    const giveUpAt = lookup.giveUpAt ?? NO_TIME;
    const sessions = byDeadline.get(giveUpAt) ?? new Map<string, Lookup[]>();
    byDeadline.set(giveUpAt, sessions);
    const sessionId = lookup.money.userSessionId;
    const money = sessions.get(sessionId);
    if (money === undefined) sessions.set(sessionId, [lookup]);
    else money.push(lookup);
  }
  return [...byDeadline].flatMap(([giveUpAt, sessions]) => {
    const entries = [...sessions];
    const groups: LookupGroup[] = [];
    for (let at = 0; at < entries.length; at += MAX_SESSIONS) {
      const part = entries.slice(at, at + MAX_SESSIONS);
      groups.push({ sessionIds: part.map(([id]) => id), giveUpAt, lookups: part.flatMap(([, money]) => money) });
    }
    return groups;
  });
}
