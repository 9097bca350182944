/**
 * `money-enrichment/testing`: tests of entities without servers, for any test runner. What an entity emits has to be the same
 * whatever happens around it; this tries it, in the workflow code that runs in production.
 *
 * @module
 */
export { given, type Checks, type GivenEntity, type GivenOptions, type Rest, type When } from './testing/given.ts';
export type { Variation } from './testing/plan.ts';
export type { GivenRecord } from './testing/records.ts';
