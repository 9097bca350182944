/** What the bundle of the workflows is made of, from the root of the project: for tests that bundle an altered copy. */
export const WORKFLOW_SOURCES = [
  'workflows',
  'src/money/domain',
  'src/engine/workflow',
  'src/engine/naming.ts',
  'activities',
] as const;
