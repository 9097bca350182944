/** Processes that die, stop, freeze, come, and clocks in them that are set. */
import type { CarryOut, Machines, Strike } from './fault.ts';
import { GROUP_RECOVERY } from './fault.ts';
import type { Role } from '../system.ts';

const DISTURBED: Strike = { touches: ['everything'], recovery: GROUP_RECOVERY };
/** ms */
const STEPS = [5_000, 60_000, 3_600_000, 400 * 86_400_000];

function kill(role: Role): CarryOut<Machines> {
  return ({ system }) => {
    const hit = system.pick(role);
    hit?.process.kill();
    return hit && DISTURBED;
  };
}

function stop(role: Role): CarryOut<Machines> {
  return ({ system }) => {
    const hit = system.pick(role);
    hit?.stop();
    return hit && DISTURBED;
  };
}

function pause(role: Role): CarryOut<Machines> {
  return ({ system, hit: count }, lasts) => {
    const hit = system.pick(role);
    if (hit === undefined || !hit.process.running) return undefined;
    const { kafka } = system;
    const before = kafka.counts.evictions;
    hit.process.pause();
    return {
      ...DISTURBED,
      lasts,
      end: () => {
        if (kafka.counts.evictions > before && hit.process.alive) count('zombie after takeover');
        hit.process.resume();
      },
    };
  };
}

/** Nothing depends on what time it is in a process: nothing is touched. */
function stepClock({ system, scheduler: { random } }: Machines): Strike | undefined {
  const hit = system.pick(random.pick(['bridge', 'worker']));
  if (hit === undefined) return undefined;
  hit.process.stepClock(random.pick(STEPS) * (random.chance(0.5) ? 1 : -1));
  return { touches: [], recovery: 0 };
}

export const PROCESS_FAULTS = {
  'kill bridge': kill('bridge'),
  'kill worker': kill('worker'),
  'pause bridge': pause('bridge'),
  'pause worker': pause('worker'),
  'stop bridge': stop('bridge'),
  'stop worker': stop('worker'),
  'one more worker': ({ system }) => {
    system.start('worker');
    return DISTURBED;
  },
  'clock steps': stepClock,
} satisfies Readonly<Record<string, CarryOut<Machines>>>;
