/** The session service is slow, fails or lies. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlannedFault } from '../plan.ts';
import { FAILURES, LIES } from '../session-service.ts';
import type { Behaviour } from '../session-service.ts';
import { endOf } from './fault.ts';
import type { Fault } from './fault.ts';

const lookups: Fault = async (world, planned) => {
  const { sessions } = world;
  const behaviour = behaviourOf(planned);
  const before = sessions.mistreated;
  sessions.set(behaviour);
  await sleep(planned.lasts);
  sessions.set('right');
  const mistreated = sessions.mistreated - before;
  return {
    ...endOf(world),
    hit: mistreated > 0,
    note: `session service ${behaviour} for ${planned.lasts} ms: ${mistreated} requests`,
    also: () => sessions.unanswered === 0,
  };
};

function behaviourOf({ kind, form }: PlannedFault): Behaviour {
  if (kind === 'lookups-slow') return 'slow';
  const list: readonly Behaviour[] = kind === 'lookups-failing' ? FAILURES : LIES;
  return list[form % list.length] as Behaviour;
}

export const lookupFaults = {
  'lookups-slow': lookups,
  'lookups-failing': lookups,
  'lookups-lying': lookups,
} satisfies Record<string, Fault>;
