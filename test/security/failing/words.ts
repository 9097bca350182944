/** What failures of the workflow beside say: none of it may be readable where payloads are encrypted. */
export const WORDS = {
  retried: 'canary-retried-6601',
  details: 'canary-details-6602',
  cause: 'canary-cause-6603',
  refused: 'canary-refused-6604',
  task: 'canary-workflow-task-6605',
  workflow: 'canary-workflow-6606',
} as const;
