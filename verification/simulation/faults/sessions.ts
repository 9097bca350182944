/** A session service that is away, slow, hangs or talks nonsense: lookups wait for it, and nothing else does. */
import type { SessionsMood } from '../session-service.ts';
import { LONGEST_OUTAGE, RETRY_RECOVERY, type CarryOut } from './fault.ts';

/** Those that are answered for in a scenario with dead sessions are answered for at the first time of asking. */
function mood(which: SessionsMood, longest = Infinity): CarryOut {
  return ({ system: { sessions }, scenario }, lasts) => {
    if (scenario.deadSessions > 0 || sessions.mood !== 'well') return undefined;
    sessions.mood = which;
    return {
      touches: ['lookups'],
      recovery: RETRY_RECOVERY,
      lasts: Math.min(lasts, longest),
      end: () => void (sessions.mood = 'well'),
    };
  };
}

export const SESSION_FAULTS = {
  'sessions down': mood('down', LONGEST_OUTAGE),
  'sessions slow': mood('slow'),
  'sessions hang': mood('hangs'),
  'sessions talk nonsense': mood('nonsense'),
} satisfies Readonly<Record<string, CarryOut>>;
