import type { WorkflowInstance } from './workflow-instance.ts';

/**
 * Brings an instance where its history ends. `step` runs something and resolves when all promises have settled. Returns
 * where the workflow did something else than history says; undefined when it did the same.
 */
export async function replay(instance: WorkflowInstance, step: (run: () => void) => Promise<void>): Promise<string | undefined> {
  const { workflowId, tasks } = instance.history;
  for (const task of tasks) {
    instance.now = task.startedAt;
    instance.events = task.events;
    instance.suggested = task.suggested;
    await step(() => instance.signals(task.jobs));
    await step(() => instance.others(task.jobs));
    for (const marker of task.markers) await step(() => instance.answered(marker));
    await step(() => instance.unblock());
    const now = JSON.stringify(instance.commands);
    const then = JSON.stringify(task.commands);
    if (instance.failure !== undefined || now !== then) {
      return `${workflowId}: non-determinism in task ${instance.seen + 1}: ${instance.failure?.message ?? ''}\n  then ${then}\n  now  ${now}`;
    }
    instance.commands = [];
    instance.seen += 1;
  }
  return undefined;
}
