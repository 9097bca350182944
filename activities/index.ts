/** The activities of one shard, built by the worker that owns it: effects at the edge, nothing at import. */
import type { Activities, Output } from './contract.ts';
import { createLookupSessions, type LookupDeps } from './lookup-sessions.ts';
import { createPublish, type PublishDeps } from './publish.ts';
import { createReadWatermark, type WatermarkDeps } from './read-watermark.ts';
import type { SessionService } from './session-service.ts';

export type ActivityDeps = PublishDeps<Output> &
  LookupDeps &
  WatermarkDeps & { readonly sessionService?: SessionService };

export function createActivities(deps: ActivityDeps): Activities {
  return {
    publish: createPublish(deps),
    lookupSessions: createLookupSessions(deps, deps.sessionService),
    readWatermark: createReadWatermark(deps),
  };
}
