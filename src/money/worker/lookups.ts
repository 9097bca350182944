/** How a worker asks the session service: by the configuration, timed, and told to whoever watches. */
import { Limiter } from '../../../activities/limiter.ts';
import type { LookupDeps } from '../../../activities/lookup-sessions.ts';
import { httpSessionService, type SessionService } from '../../../activities/session-service.ts';
import type { Clock } from '../../engine/clock.ts';
import type { Config } from '../config.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { timedSessionService } from './observed.ts';
import type { SessionServiceWatch } from './session-service-watch.ts';

export function lookupsOf(
  config: Config & { readonly sessionServiceUrl: string },
  deps: { readonly clock: Clock; readonly metrics: WorkerMetrics; readonly watch: SessionServiceWatch },
): LookupDeps & { readonly sessionService: SessionService } {
  const { clock, metrics, watch } = deps;
  const access = {
    sessionServiceUrl: config.sessionServiceUrl,
    lookupTimeout: config.lookupTimeout,
    ...(config.sessionServiceAccess && { fetch: config.sessionServiceAccess.fetch }),
  };
  return {
    ...access,
    sessionService: timedSessionService(httpSessionService(access), metrics),
    limiter: new Limiter(config.maxLookups),
    clock,
    observeLookup(outcome, why) {
      // What is given up is counted when it comes out: most of it is given up by the server, and not here.
      if (outcome !== 'given-up') metrics.lookups.inc({ outcome });
      watch.observe(outcome, why);
    },
  };
}
