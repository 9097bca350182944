/** What an operator does: rolling restarts, and bridges that come and go. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exit } from '../../../src/dev/processes.ts';
import { endOf } from './fault.ts';
import type { Fault } from './fault.ts';

const STORM_MS = 15_000;
const STAY_MS = 1_000;

const rollingRestart: Fault = async (world, { role }) => {
  const exits: (Exit | undefined)[] = [];
  for (const slot of world.slots.filter((one) => one.role === role)) {
    exits.push(await slot.terminate());
    await slot.start();
  }
  const bad = exits.filter((exit) => exit?.code !== 0);
  return {
    ...endOf(world),
    hit: true,
    counts: { 'stops by SIGTERM that did not end with 0': bad.length },
    note: `each ${role} stopped by SIGTERM and started again${bad.length > 0 ? `; ended with ${JSON.stringify(bad)}` : ''}`,
  };
};

/** About every 3 seconds a bridge joins (its start takes two) or leaves, in good order or by SIGKILL. */
const rebalanceStorm: Fault = async (world, { form }) => {
  const until = Date.now() + STORM_MS;
  let rounds = 0;
  while (Date.now() < until) {
    await world.visitor.start();
    await sleep(STAY_MS);
    if ((form + rounds) % 3 === 0) await world.visitor.kill();
    else await world.visitor.terminate();
    rounds += 1;
  }
  return { ...endOf(world), hit: rounds >= 2, note: `a third bridge joined and left ${rounds} times` };
};

export const restarts = { 'rolling-restart': rollingRestart, 'rebalance-storm': rebalanceStorm } satisfies Record<
  string,
  Fault
>;
