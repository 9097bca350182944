/** What a history has when it is cut off after some of its tasks, as the server finds out by reading its events again. */
import type { Command, Job, Task } from './history.ts';
import type { Run } from './execution.ts';

type Schedule = Extract<Command, { type: 'schedule' }>;

export interface CutOff {
  readonly tasks: readonly Task[];
  /** For the task that comes next: what had come for the first one that is cut off, and all signals since. */
  readonly jobs: readonly Job[];
  readonly activities: readonly Schedule[];
  /** `at`: epoch ms. */
  readonly timers: readonly { readonly seq: number; readonly at: number }[];
}

/** `runs`: that continued each other as new, from the one that is cut off after `kept` tasks to the current one. */
export function cutOff([base, ...since]: readonly Run[], kept: number): CutOff {
  const tasks = base!.tasks.slice(0, kept);
  const undone = base!.tasks[kept];
  const jobs = [
    ...(undone?.jobs ?? []),
    ...signalsOf([...base!.tasks.slice(kept + 1).flatMap((task) => task.jobs), ...base!.jobs]),
    ...since.flatMap((run) => signalsOf([...run.tasks.flatMap((task) => task.jobs), ...run.jobs])),
  ];
  const activities = new Map<number, Schedule>();
  const timers = new Map<number, number>();
  for (const { jobs: came, commands, startedAt } of tasks) {
    end(came, activities, timers);
    for (const command of commands) {
      if (command.type === 'schedule') activities.set(command.seq, command);
      else if (command.type === 'startTimer') timers.set(command.seq, startedAt + command.ms);
      else if (command.type === 'cancelActivity') activities.delete(command.seq);
      else if (command.type === 'cancelTimer') timers.delete(command.seq);
    }
  }
  end(undone?.jobs ?? [], activities, timers);
  return { tasks, jobs, activities: [...activities.values()], timers: [...timers].map(([seq, at]) => ({ seq, at })) };
}

function end(jobs: readonly Job[], activities: Map<number, Schedule>, timers: Map<number, number>): void {
  for (const job of jobs) {
    if (job.type === 'activity') activities.delete(job.seq);
    else if (job.type === 'timer') timers.delete(job.seq);
  }
}

function signalsOf(jobs: readonly Job[]): Job[] {
  return jobs.filter(({ type }) => type === 'signal');
}
