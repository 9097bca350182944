/** What a workflow asks of Temporal in a task, in words: those of a recorded run are compared with those of a replayed one. */
export const commands = {
  scheduled: (name: string, activityId: string) => `activity ${activityId} ${name}`,
  cancelRequested: (activityId: string) => `cancel activity ${activityId}`,
  timerStarted: (timerId: string) => `timer ${timerId}`,
  timerCancelled: (timerId: string) => `cancel timer ${timerId}`,
  continuedAsNew: 'continue as new',
} as const;
