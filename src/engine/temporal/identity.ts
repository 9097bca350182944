/** Under which names Temporal knows processes: they stand in its UI, in each event of a history and in its list of pollers. */
import { hostname } from 'node:os';

export function identityOf(name: string): string {
  return `${name}@${hostname()}`;
}

/** Of the worker of a task queue: `app-worker/3@host` of `app-shard-3`, `app-worker/lookups@host` of `app-lookups`. */
export function workerIdentityOf(taskQueue: string): string {
  const [, appId, what] = /^(.+?)-(?:shard-)?([^-]+)$/.exec(taskQueue) ?? [];
  return identityOf(appId === undefined ? taskQueue : `${appId}-worker/${what}`);
}
