import type { Job, Task } from './history.ts';
import type { WorkflowInstance } from './workflow-instance.ts';

/** Runs something and resolves when all promises have settled. */
export type Step = (run: () => void) => Promise<void>;

/** Something is done to the workflow, and all that follows from it. */
export async function act(instance: WorkflowInstance, step: Step, run: () => void): Promise<void> {
  await step(run);
  let more = true;
  while (more) await step(() => (more = instance.unblock()));
}

/** What a workflow task brings, up to the local activities. */
export async function beginTask(
  instance: WorkflowInstance,
  step: Step,
  task: Pick<Task, 'startedAt' | 'events' | 'bytes' | 'suggested' | 'jobs'>,
): Promise<void> {
  instance.now = task.startedAt;
  instance.events = task.events;
  instance.bytes = task.bytes;
  instance.suggested = task.suggested;
  await act(instance, step, () => instance.signals(task.jobs));
  if (task.jobs.some(({ type }) => type !== 'signal')) await act(instance, step, () => instance.others(task.jobs));
}

export interface Replayed {
  /** Where it did something else than history says, if it did. */
  readonly different?: string;
  /** What comes with the next task. */
  readonly owed: readonly Job[];
}

/** Brings an instance where its history ends. */
export async function replay(instance: WorkflowInstance, step: Step): Promise<Replayed> {
  const { workflowId, tasks } = instance.history;
  let owed: Job[] = [];
  for (const task of tasks) {
    const jobs = [...owed, ...task.jobs];
    owed = [];
    if (task.isOneWithNext) {
      owed = jobs;
      instance.seen += 1;
      continue;
    }
    await beginTask(instance, step, { ...task, jobs });
    for (const marker of task.markers) await act(instance, step, () => instance.answered(marker));
    const now = JSON.stringify(instance.commands, compared);
    const then = JSON.stringify(task.commands, compared);
    if (instance.failure !== undefined || now !== then) {
      return {
        different: `${workflowId}: non-determinism in task ${instance.seen + 1}: ${instance.failure?.message ?? ''}\n  then ${then}\n  now  ${now}`,
        owed,
      };
    }
    instance.commands = [];
    instance.seen += 1;
  }
  return { owed };
}

/**
 * Temporal compares no inputs. Nearly all are the same all the same: a replay may ask to publish what came with it, and is told what
 * was; and a run that came of a reset asks in its own name.
 */
function compared(key: string, value: unknown): unknown {
  if (key !== 'request') return value;
  const { outputs: _, signals: __, run: ___, ...request } = JSON.parse(value as string) as Record<string, unknown>;
  return request;
}
