import type { Lookup, UserState } from './types.ts';

export type { Change, Counters, Lookup, Pending, Session, UserState } from './types.ts';

/** A money event that was applied and lacks only its session. */
export type Waiting = Omit<Lookup, 'giveUpAt'>;

export function initialState(): UserState {
  return {
    tau: null,
    redelivery: {},
    birthYear: [],
    residentCountryCode: [],
    sessions: {},
    dedup: {},
    moneyTypes: [],
    pending: {},
    lookups: [],
    counters: {
      moneyApplied: 0,
      duplicatesDropped: 0,
      redeliveriesDropped: 0,
      late: 0,
      joined: 0,
      lookedUp: 0,
      incomplete: 0,
      moneyByCurrency: {},
      duplicatesForgotten: 0,
      sessionsForgotten: 0,
      pendingHurried: 0,
      changesForgotten: 0,
      moneyTypesForgotten: 0,
      notOurs: 0,
      resets: 0,
    },
  };
}
