/** Bad networks between two processes; of several brokers all are hit, or one. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlannedFault } from '../plan.ts';
import type { Mode } from '../tcp-proxy.ts';
import { endOf } from './fault.ts';
import type { Fault } from './fault.ts';

/** ms: one in four lasts longer than sessions and transactions do. */
const LONG = 17_000;

const link: Fault = async (world, planned) => {
  const { role, slot: number, peer, lasts, form, kind } = planned;
  const slot = world.slot(role, number);
  const brokers = slot.links.brokers;
  const one = peer === 'kafka' && brokers.length > 1 && form % 3 === 0 ? form % brokers.length : undefined;
  const proxy = one === undefined ? slot.links[peer] : brokers[one]!;
  const before = proxy.disturbed;
  const mode = modeOf(planned);
  proxy.set(mode);
  const duration = lasts + (kind !== 'delay' && form % 4 === 0 ? LONG : 0);
  await sleep(duration);
  proxy.set({ type: 'pass' });
  const disturbed = proxy.disturbed - before;
  return {
    ...endOf(world),
    hit: disturbed > 0,
    counts:
      mode.type === 'drop' && mode.direction === 'down' && peer === 'kafka' && disturbed > 0
        ? { 'times that answers of Kafka were lost': 1 }
        : {},
    note: `${slot.name} and ${peer}${one === undefined ? '' : ` (broker ${one + 1})`}: ${JSON.stringify(mode)} for ${duration} ms, ${disturbed} times something to hold up`,
  };
};

function modeOf({ kind, form }: PlannedFault): Mode {
  if (kind === 'cut') return { type: 'cut' };
  if (kind === 'half-open') return { type: 'half-open' };
  if (kind === 'one-way') return { type: 'drop', direction: form % 2 === 0 ? 'up' : 'down' };
  return { type: 'delay', ms: 100 + 2 * form };
}

export const links = { cut: link, delay: link, 'one-way': link, 'half-open': link } satisfies Record<string, Fault>;
