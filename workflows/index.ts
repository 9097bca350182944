/** The entry of the workflow bundle: deterministic code only, nothing of Node, activities by type. */
export * from './user-enrichment.ts';
