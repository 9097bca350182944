/** Certificates and tokens that have ended, or will soon. */
import type { Config } from '../../money/config.ts';
import { expiringOf } from '../../money/expiry.ts';
import { expiryWarning } from '../../engine/process/expiry.ts';
import { failed, ok, warning, type Finding } from './finding.ts';

/** `now`: epoch ms. */
export function checkExpiry(config: Config, env: NodeJS.ProcessEnv, now: number): Finding[] {
  return expiringOf(config, env).map((one) => {
    const subject = `${one.kind} ${one.name}`;
    const line = expiryWarning(one, now);
    if (line === undefined) return ok(subject, `valid until ${new Date(one.expiresAt).toISOString()}`);
    return (one.expiresAt <= now ? failed : warning)(subject, line);
  });
}
