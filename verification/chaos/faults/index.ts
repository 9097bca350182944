import type { Kind } from '../plan.ts';
import { brokerFaults } from './brokers.ts';
import { disk } from './disk.ts';
import type { Fault } from './fault.ts';
import { kills } from './kills.ts';
import { links } from './links.ts';
import { lookupFaults } from './lookups.ts';
import { owners } from './owners.ts';
import { restarts } from './restarts.ts';
import { zombies } from './zombies.ts';

export const FAULTS: Readonly<Record<Kind, Fault>> = {
  ...kills,
  ...zombies,
  ...links,
  ...owners,
  ...restarts,
  ...lookupFaults,
  ...disk,
  ...brokerFaults,
};
