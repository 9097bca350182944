/**
 * The workflow id of a user, for whoever starts, signals, queries or names a workflow. Outside the workflow bundle: it
 * may need a keyed hash, and a workflow knows its own id without it.
 */
import { createHmac } from 'node:crypto';
import { workflowIdOf } from '../engine/naming.ts';

export type WorkflowIds = (userId: string) => string;

/**
 * `<app id>/<user id>`, or with a key `<app id>/<HMAC-SHA256 of the user id, in hex>`: the same user always has the same
 * workflow, and nobody without the key can tell whose it is, not even by trying all user ids.
 */
export function workflowIdsOf({
  appId,
  userIdHashKey,
}: {
  readonly appId: string;
  readonly userIdHashKey?: string;
}): WorkflowIds {
  if (userIdHashKey === undefined) return (userId) => workflowIdOf(appId, userId);
  return (userId) => workflowIdOf(appId, createHmac('sha256', userIdHashKey).update(userId).digest('hex'));
}
