/**
 * `money-enrichment/workflow`: what runs inside workflows. Safe in the sandbox: nothing of Node.
 *
 * @module
 */
export { entityWorkflow } from '../engine/workflow/entity/entity-workflow.ts';
export type { PlainEntity, Step } from '../engine/workflow/entity/plain.ts';
export { Received, type ReceivedBatch, type ReceivedRecord } from '../engine/workflow/received.ts';
export type { Redelivery } from '../engine/workflow/redelivery.ts';
export { Outbox, type OutboxOptions, type OutboxState } from '../engine/workflow/outbox.ts';
