/** The service that is asked is slow, fails or lies. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlannedFault } from '../plan.ts';
import { FAILURES } from '../asked-service.ts';
import type { Behaviour, ChaoticService } from '../asked-service.ts';
import { endOf } from './fault.ts';
import type { Fault } from './fault.ts';

const lookups: Fault = async (world, planned) => {
  const { service } = world;
  const behaviour = behaviourOf(planned, service);
  const before = service.mistreated;
  service.set(behaviour);
  await sleep(planned.lasts);
  service.set('right');
  const mistreated = service.mistreated - before;
  return {
    ...endOf(world),
    hit: mistreated > 0,
    note: `service ${behaviour} for ${planned.lasts} ms: ${mistreated} requests`,
    also: () => service.unanswered === 0,
  };
};

function behaviourOf({ kind, form }: PlannedFault, { lies }: ChaoticService): Behaviour {
  if (kind === 'lookups-slow') return 'slow';
  const list: readonly Behaviour[] = kind === 'lookups-failing' ? FAILURES : lies;
  return list[form % list.length] as Behaviour;
}

export const lookupFaults = {
  'lookups-slow': lookups,
  'lookups-failing': lookups,
  'lookups-lying': lookups,
} satisfies Record<string, Fault>;
