import { publishActivity, type PublishDeps } from '../src/engine/publish/activity.ts';
import type { Activities, Output } from './contract.ts';

export type { PublishDeps };

/** The engine's, with the key called as in the releases before 0.3.0. */
export function createPublish(deps: PublishDeps<Output>): Activities['publish'] {
  const publish = publishActivity(deps);
  return ({ userId, ...request }) => publish({ ...request, key: userId });
}
