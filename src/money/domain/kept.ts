/**
 * What a state holds, kind by kind, with what is derived of it: counts, bytes, orders. Made of the state once and kept beside
 * it, so the state stays plain JSON. Whoever changes a kind by other ways than these has to {@link forgetKept}.
 */
import { DedupEntries } from './dedup.ts';
import { MoneyTypes } from './first-occurrence.ts';
import { PendingMoney } from './pending.ts';
import { Sessions } from './sessions.ts';
import type { UserState } from './state.ts';
import { Changes } from './user-info.ts';

export interface Kept {
  readonly sessions: Sessions;
  readonly dedup: DedupEntries;
  readonly pending: PendingMoney;
  readonly moneyTypes: MoneyTypes;
  readonly birthYear: Changes;
  readonly residentCountryCode: Changes;
}

const known = new WeakMap<UserState, Kept>();

export function keptOf(state: UserState): Kept {
  let kept = known.get(state);
  if (kept === undefined) {
    kept = {
      sessions: new Sessions(state.sessions),
      dedup: new DedupEntries(state.dedup),
      pending: new PendingMoney(state.pending),
      moneyTypes: new MoneyTypes(state.moneyTypes),
      birthYear: new Changes(state.birthYear),
      residentCountryCode: new Changes(state.residentCountryCode),
    };
    known.set(state, kept);
  }
  return kept;
}

export function forgetKept(state: UserState): void {
  known.delete(state);
}
