/** What people and tools send to workflows that is none of the product's. Nothing of it stops anybody's money. */
import type { CarryOut, Strike, World } from './fault.ts';

const UNTOUCHED: Strike = { touches: [], recovery: 0 };

/** As the payload of our own signal. */
const GARBAGE: readonly unknown[] = [
  null,
  42,
  'events',
  [],
  {},
  { records: 'none' },
  { partition: 0 },
  { partition: 'x', lowWater: [0, 0, 0], rules: {}, records: [] },
  { partition: 0, lowWater: [0, 0], rules: null, records: [{ offset: 'x' }] },
  {
    partition: -1,
    lowWater: [1e9, 1e9, 1e9],
    rules: { sessionTtl: -1, dedupTtl: -1, pendingTimeout: -1, lookupGiveUpAfter: -1 },
    records: [{ offset: 0, ts: 0, event: { type: 'unknown' } }],
  },
];

/** Signals: beyond them Temporal takes no more for a run. */
const FLOOD = 10_000;
/** It is a long history for all who replay it. */
const FLOODS = 0.2;

function anyWorkflow({ system: { temporal }, scheduler: { random } }: World): string | undefined {
  const ids = [...temporal.runs.keys()];
  return ids.length === 0 ? undefined : random.pick(ids);
}

function garbage(world: World): Strike | undefined {
  const workflowId = anyWorkflow(world);
  if (workflowId === undefined) return undefined;
  world.system.temporal.signalFromOutside(workflowId, 'events', JSON.stringify(world.scheduler.random.pick(GARBAGE)));
  return UNTOUCHED;
}

function unknownName(world: World): Strike | undefined {
  const workflowId = anyWorkflow(world);
  if (workflowId === undefined) return undefined;
  world.system.temporal.signalFromOutside(workflowId, world.scheduler.random.pick(['Events', 'pause', '']), '{}');
  return UNTOUCHED;
}

/** A script that has run wild. */
function flood(world: World): Strike | undefined {
  const workflowId = anyWorkflow(world);
  if (workflowId === undefined || !world.scheduler.random.chance(FLOODS)) return undefined;
  for (let n = 0; n < FLOOD; n += 1) world.system.temporal.signalFromOutside(workflowId, 'pause', '{}');
  return UNTOUCHED;
}

export const FOREIGN_FAULTS = {
  'garbage signal': garbage,
  'unknown signal': unknownName,
  'flood of unknown signals': flood,
} satisfies Readonly<Record<string, CarryOut>>;
