/** What people do to single users: their workflows are reset or terminated, their records go to two partitions. All other users are none the wiser. */
import { APP } from '../system.ts';
import type { Meddling } from '../meddled.ts';
import { RETRY_RECOVERY, type CarryOut, type Strike, type World } from './fault.ts';

/** Records that a producer has still to write for it to matter where. */
const SOME = 3;
/** Runs of a workflow that are still to be found. */
const RUNS = 3;

function userIdOf(workflowId: string): string {
  return workflowId.slice(APP.length + 1);
}

/** A user with a workflow that nothing else was done to. */
function anyUser(
  { system, scheduler, meddled }: World,
  meddling: Meddling,
): { readonly userId: string; readonly workflowId: string } | undefined {
  const ids = [...system.temporal.runs.keys()].filter((workflowId) => {
    const known = meddled.of(userIdOf(workflowId));
    return known === undefined || known === meddling;
  });
  const workflowId = ids.length === 0 ? undefined : scheduler.random.pick(ids);
  return workflowId === undefined ? undefined : { workflowId, userId: userIdOf(workflowId) };
}

/** To one of its workflow tasks, in one of its last runs. */
function reset(world: World): Strike | undefined {
  const {
    system: { temporal },
    scheduler: { random },
    meddled,
  } = world;
  const user = anyUser(world, 'reset');
  if (user === undefined || !temporal.server.up) return undefined;
  const back = random.below(Math.min(RUNS, temporal.chainOf(user.workflowId).length));
  const { tasks } = temporal.chainOf(user.workflowId)[back]!;
  if (tasks.length === 0) return undefined;
  meddled.note(user.userId, 'reset');
  temporal.reset(user.workflowId, back, random.below(tasks.length));
  return { touches: [`user ${user.userId}`], recovery: RETRY_RECOVERY };
}

function terminate(world: World): Strike | undefined {
  const user = anyUser(world, 'terminated');
  if (user === undefined || world.scenario.traffic.late > 0 || !world.system.temporal.terminate(user.workflowId)) {
    return undefined;
  }
  world.meddled.note(user.userId, 'terminated');
  return { touches: [`user ${user.userId}`], recovery: Infinity };
}

/** A producer with another partitioner writes one user's records of one input, or of all. */
function otherPartitioner({ scenario, scheduler: { random }, producers, meddled }: World): Strike | undefined {
  const left = new Map<string, number>();
  for (const { key } of producers.left) if (key !== null) left.set(key, (left.get(key) ?? 0) + 1);
  const users = [...left].filter(([, records]) => records >= SOME).map(([key]) => key);
  if (scenario.partitions === 1 || users.length === 0) return undefined;
  const key = random.pick(users);
  const userId = key.replaceAll('"', '').toLowerCase();
  if (meddled.of(userId) !== undefined) return undefined;
  meddled.note(userId, 'split');
  const input = random.pick(['user', 'session', 'money', undefined] as const);
  const by = 1 + random.below(scenario.partitions - 1);
  producers.misplace((one) =>
    one.key?.toLowerCase() === key.toLowerCase() && (input === undefined || one.input === input)
      ? (one.partition + by) % scenario.partitions
      : undefined,
  );
  return { touches: [`user ${userId}`], recovery: Infinity };
}

export const PEOPLE_FAULTS = {
  'workflow reset': reset,
  'workflow terminated': terminate,
  'other partitioner': otherPartitioner,
} satisfies Readonly<Record<string, CarryOut>>;
